"""Rows of one side that are rows of the other: copies, not two samples."""

import numpy as np

from alignkit.duplicates import duplicate_labels
from alignkit.spaces import Embeddings

MOST = 1_000_000  # rows of a side that are looked through: more would not fit in memory


def same_numbers(left: Embeddings, right: Embeddings) -> bool:
    """Return whether both sides hold the same numbers in the same order.

    Examples
    --------
    >>> one, other = Embeddings(np.eye(2)), Embeddings(2 * np.eye(2))
    >>> same_numbers(one, one), same_numbers(one, other)
    (True, False)
    """
    if left.vectors.shape != right.vectors.shape or left.vectors.dtype != right.vectors.dtype:
        return False
    blocks = zip(left.blocks(), right.blocks(), strict=True)
    return all(np.array_equal(x, y) for (_, x), (_, y) in blocks)


def shared_rows(left: Embeddings, right: Embeddings) -> tuple[int, int]:
    """Return how many rows of each side are, to the last bit, a row of the other too.

    Examples
    --------
    >>> rows = np.arange(8.0).reshape(4, 2)
    >>> shared_rows(Embeddings(rows), Embeddings(np.concatenate([rows[:1], rows[:2], rows[3:] + 9])))
    (2, 3)
    """
    if left.dim != right.dim:
        return 0, 0
    dtype = np.promote_types(left.vectors.dtype, right.vectors.dtype)
    sides = [np.asarray(side.vectors[:MOST]).astype(dtype, copy=False) for side in (left, right)]
    labels = duplicate_labels(np.concatenate(sides))
    mine, theirs = labels[: len(sides[0])], labels[len(sides[0]) :]
    return int(np.isin(mine, theirs).sum()), int(np.isin(theirs, mine).sum())
