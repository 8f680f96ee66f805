"""Words that ask: rows that hold them, or the row that a space's own model makes of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alignkit.encoders import ENCODERS
from alignkit.errors import AlignkitError, DataError
from alignkit.formats.space import read_space_json
from alignkit.shapes import Vectors
from alignkit.spaces import Embeddings, Space

MOST = 2_000


def find_rows(side: Embeddings, words: str, *, most: int = MOST) -> np.ndarray:
    """Return the row whose id is ``words``, or else every row that holds them in its id or a text column.

    Examples
    --------
    >>> items = pa.table({"caption": ["Dog", "cat", "hot dog"]})
    >>> side = Embeddings(np.eye(3), ids=["a1", "a", "b"], items=items)
    >>> find_rows(side, "a").tolist(), find_rows(side, "dog").tolist()
    ([1], [0, 2])
    """
    ids = side.ids.cast(pa.string())
    same = np.flatnonzero(pc.equal(ids, words).to_numpy(zero_copy_only=False))
    if len(same):
        return same
    found = np.zeros(len(side), bool)
    for column in (ids, *(side.items[name] for name in side.items.column_names)):
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            holds = pc.match_substring(column, words, ignore_case=True)
            found |= pc.fill_null(holds, False).to_numpy(zero_copy_only=False).astype(bool)
        elif words.lstrip("-").isdigit() and pa.types.is_integer(column.type):
            found |= (
                pc.fill_null(pc.equal(column, int(words)), False).to_numpy(zero_copy_only=False).astype(bool)
            )
    return np.flatnonzero(found)[:most]


def encode_text(words: str, path: Path | str, space: Space) -> Vectors:
    """Return the row (1, d) that the model of a ``.space`` makes of words, by the recipe in its header.

    Raises
    ------
    DataError
        If the space states no recipe, or its model cannot be had here or reads no text.
    SpaceMismatchError
        If the model at hand is not the one that made the space.
    """
    recipe: dict[str, Any] = read_space_json(Path(path)).get("recipe") or {}
    name = recipe.get("encoder")
    if not isinstance(name, str):
        raise DataError(f"{path} does not say which encoder made it: choose an item in place of a text.")
    try:
        kind = ENCODERS.get(name)
        known = {key: recipe[key] for key in kind.options() if key in recipe}
        encoder = kind(**known)
        encoder.check_modality("text")
        made = encoder.encode([words], "text")
        space.check_meets(encoder.space(), "this query")
    except (AlignkitError, TypeError) as error:
        raise DataError(
            f"{name}, which made {Path(path).name}, cannot encode text here ({error}): choose an item."
        ) from error
    return made
