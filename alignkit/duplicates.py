"""Find rows that are equal to the last bit: copies of one item that must not pass for two."""

import numpy as np

from alignkit.rows import Rows
from alignkit.shapes import Labels

BLOCK = 4096  # rows read at a time


def duplicate_labels(rows: Rows, *, most: int | None = None) -> Labels:
    """Return one label per row, or for the first ``most``; two share it exactly if all bytes are equal.

    Labels are the position of the first copy, so ``labels == arange(n)`` where nothing repeats. A 64-bit
    sum of the bytes finds candidates in one pass over the rows, block by block, so that they may be larger
    than memory; equal sums are then compared byte by byte.

    Examples
    --------
    >>> duplicate_labels(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])).tolist()
    [0, 1, 0]
    """
    width = _words(rows[:1]).shape[1]
    odd = np.random.default_rng(0).integers(0, 2**63, width, dtype=np.uint64) | np.uint64(1)
    n = len(rows) if most is None else min(len(rows), most)
    blocks = (rows[start : min(start + BLOCK, n)] for start in range(0, n, BLOCK))
    sums = np.concatenate([np.empty(0, np.uint64), *(_words(block) @ odd for block in blocks)])
    _, first, group = np.unique(sums, return_index=True, return_inverse=True)
    labels = first[group].astype(np.int64)
    suspects = np.flatnonzero(labels != np.arange(len(labels)))
    seen: dict[bytes, int] = {}
    for start in range(0, len(suspects), BLOCK):
        part = suspects[start : start + BLOCK]
        different = (_words(rows[part]) != _words(rows[labels[part]])).any(axis=1)
        for row in part[different]:  # two rows of one sum that are not equal: about n^2 / 2^64 of them
            labels[row] = seen.setdefault(_words(rows[row : row + 1]).tobytes(), int(row))
    return labels


def _words(rows: np.ndarray) -> np.ndarray:
    """Show each row as unsigned integers, as wide as its length in bytes allows."""
    rows = np.ascontiguousarray(rows)
    width = rows.shape[1] * rows.itemsize
    for word in (np.uint64, np.uint32, np.uint16, np.uint8):
        if width % np.dtype(word).itemsize == 0:
            return rows.view(word) if word is np.uint64 else rows.view(word).astype(np.uint64)
    raise AssertionError("every width is a multiple of one byte")
