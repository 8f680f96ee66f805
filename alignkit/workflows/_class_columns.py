"""Read the classes of rows and of class texts out of their metadata, as the texts that join them."""

import numpy as np
import pyarrow as pa

from alignkit.errors import DataError
from alignkit.retrieval.protocols._base import texts_of
from alignkit.spaces import Embeddings


def column_of(rows: Embeddings, name: str, meaning: str) -> list[str]:
    """Return a column's texts; raise DataError, saying what it must hold, where it is missing."""
    rows.column(name, f"that {meaning}", mend=_mend(name))
    return texts_of(rows, name, "a probe")


def labels_of(rows: Embeddings, name: str) -> tuple[list[str] | np.ndarray, list[str] | None]:
    """Return the class of each row; or, where the column holds lists, a 0/1 matrix and its classes."""
    column = rows.column(name, "that names the class of each row", mend=_mend(name))
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return texts_of(rows, name, "a probe"), None
    lists = [[str(label) for label in held or ()] for held in column.to_pylist()]
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


def _mend(name: str) -> str:
    return f"name another, or a file with a line for each row, like table.csv::{name.rpartition('::')[2]}"
