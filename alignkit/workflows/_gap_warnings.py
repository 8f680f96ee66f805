"""What a reader should know of two sides before believing a number of their gap."""

import numpy as np

from alignkit.duplicates import duplicate_labels
from alignkit.errors import DataError
from alignkit.spaces import Embeddings
from alignkit.workflows._same_rows import same_numbers

HALF = np.dtype(np.float16)
MOST = 1_000_000  # rows that are looked through for copies: more would not fit in memory


def check_two_modalities(left: Embeddings, right: Embeddings) -> None:
    """Raise DataError where both sides hold the same numbers: a modality has no gap to itself."""
    if same_numbers(left, right):
        raise DataError(
            f"{left.name or 'source'} and {right.name or 'target'} hold the same numbers: between a modality "
            "and itself there is no gap; give the other modality as target."
        )


def gap_warnings(left: Embeddings, right: Embeddings) -> list[str]:
    """Return sentences on copies of rows, on dimensions that never vary, and on rows in half precision.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(40, 3))
    >>> twice = Embeddings(np.concatenate([rows, rows[:4]]), name="text.npy")
    >>> gap_warnings(Embeddings(rows), twice)
    ['text.npy: 4 of 44 rows are copies of others: ... keep one of each.']
    """
    out = []
    for side in (left, right):
        name, rows = side.name or "one side", len(side)
        looked = min(rows, MOST)
        copies = int((duplicate_labels(side.vectors, most=looked) != np.arange(looked)).sum())
        if copies:
            of = f"{rows}" if looked == rows else f"the first {looked}"
            out.append(
                f"{name}: {copies} of {of} rows are copies of others: measures of neighbours and of "
                "distances within a side see them as one point; keep one of each."
            )
        low, high = _ends(side)
        constant = int((low == high).sum())
        if constant:
            out.append(
                f"{name}: of {side.dim} dimensions, {constant} never var{'ies' if constant == 1 else 'y'}: "
                "nothing of the spread comes from there, and all of the gap may."
            )
        if side.vectors.dtype == HALF:
            out.append(f"{name}: rows in half precision were brought to length 1 in float32.")
    return out


def _ends(side: Embeddings) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.full(side.dim, np.inf), np.full(side.dim, -np.inf)
    for _, block in side.blocks():
        low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
    return low, high
