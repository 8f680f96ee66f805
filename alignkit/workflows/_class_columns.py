"""Read the classes of rows and of class texts out of their metadata, as the texts that join them."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from alignkit.errors import DataError
from alignkit.retrieval.protocols._base import texts_of
from alignkit.spaces import Embeddings


def column_of(rows: Embeddings, name: str, meaning: str) -> list[str]:
    """Return a column's texts; raise DataError, saying what it must hold, where it is missing."""
    _check_there(rows, name, meaning)
    return texts_of(rows, name, "a probe")


def labels_of(rows: Embeddings, name: str) -> tuple[list[str] | np.ndarray, list[str] | None]:
    """Return the class of each row; or, where the column holds lists, a 0/1 matrix and its classes."""
    _check_there(rows, name, "names the class of each row")
    kind = rows.items[name].type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return texts_of(rows, name, "a probe"), None
    lists = [[str(label) for label in held or ()] for held in rows.items[name].to_pylist()]
    classes = sorted({label for held in lists for label in held})
    if not classes:
        raise DataError(f"{rows.name}, column {name}: no row has a class; give lists of class names.")
    place = {label: code for code, label in enumerate(classes)}
    matrix = np.zeros((len(lists), len(classes)), np.int64)
    for row, held in enumerate(lists):
        matrix[row, [place[label] for label in held]] = 1
    return matrix, classes


def classes_of(prompts: Embeddings, name: str) -> list[str]:
    """Return the class that each text describes: its column ``name``, or its id; never its position."""
    if name in prompts.items.column_names:
        return texts_of(prompts, name, "a probe")
    if not prompts.has_ids:
        raise DataError(
            f"{prompts.name} has neither a column {name!r} nor ids, so nothing says which class each of its "
            f"{len(prompts)} texts describes, and their order says nothing: name the column, or a file with "
            "a line for each."
        )
    return [str(each) for each in prompts.ids.to_pylist()]


def known_columns(rows: Embeddings) -> Sequence[str]:
    """Return the names of metadata columns, or the word for none."""
    return rows.items.column_names or ["none"]


def _check_there(rows: Embeddings, name: str, meaning: str) -> None:
    if name not in rows.items.column_names:
        raise DataError(
            f"{rows.name} has no column {name!r} that {meaning}; its metadata columns are: "
            f"{', '.join(known_columns(rows))}: name another, or a file with a line for each row, like "
            f"table.csv::{name.rpartition('::')[2]}."
        )
