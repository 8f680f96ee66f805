"""Find rows that are equal to the last bit: copies of one item that must not pass for two."""

import numpy as np

from alignkit.shapes import Labels


def duplicate_labels(rows: np.ndarray) -> Labels:
    """Return one label per row; two rows share it exactly if all their bytes are equal.

    Labels are the position of the first copy, so ``labels == arange(n)`` where nothing repeats. A 64-bit
    sum of the bytes finds candidates in one pass over memory; equal sums are then compared byte by byte.

    Examples
    --------
    >>> duplicate_labels(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])).tolist()
    [0, 1, 0]
    """
    words = _words(np.ascontiguousarray(rows))
    multipliers = np.random.default_rng(0).integers(0, 2**63, words.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    sums = np.concatenate([words[i : i + 4096] @ multipliers for i in range(0, len(words), 4096)] or [np.empty(0, np.uint64)])
    _, first, group = np.unique(sums, return_index=True, return_inverse=True)
    labels = first[group].astype(np.int64)
    suspects = np.flatnonzero(labels != np.arange(len(labels)))
    different = suspects[(words[suspects] != words[labels[suspects]]).any(axis=1)]
    seen: dict[bytes, int] = {}
    for row in different:  # two rows of one sum that are not equal: about n^2 / 2^64 of them
        labels[row] = seen.setdefault(words[row].tobytes(), int(row))
    return labels


def _words(rows: np.ndarray) -> np.ndarray:
    """Show each row as unsigned integers, as wide as its length in bytes allows."""
    width = rows.shape[1] * rows.itemsize
    for word in (np.uint64, np.uint32, np.uint16, np.uint8):
        if width % np.dtype(word).itemsize == 0:
            return rows.view(word) if word is np.uint64 else rows.view(word).astype(np.uint64)
    raise AssertionError("every width is a multiple of one byte")
