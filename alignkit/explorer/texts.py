"""Words that ask: the rows that hold them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alignkit.spaces import Embeddings

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
