"""Sums of a kernel over all pairs of rows, by block and by split, from one pass over half of the pairs."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

Tile: TypeAlias = Callable[[slice, slice], np.ndarray]
"""Takes two ranges of rows, returns the kernel between them in an array of its own."""


def kernel_sums(
    tile: Tile, members: np.ndarray, splits: np.ndarray, *, size: int = 1024
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return M'KM, and for every split s'Ks and s'K1; K is symmetric and counts without its diagonal.

    ``members`` is 1 where a row (down) is in a block (across) and each row is in one block; ``splits`` is 1
    where a row is on the first side of a split. Tiles of ``size`` rows on and above the diagonal are asked
    for; the others are their transposes.

    Examples
    --------
    >>> rows, blocks, split = np.array([1.0, 2.0, 3.0]), np.eye(2)[[0, 0, 1]], np.array([[1.0], [0.0], [1.0]])
    >>> found, inside, reach = kernel_sums(lambda a, b: np.outer(rows[a], rows[b]), blocks, split)
    >>> found.tolist(), inside.tolist(), reach.tolist()
    ([[4.0, 9.0], [9.0, 0.0]], [6.0], [14.0])
    """
    both = np.concatenate([members, splits], axis=1)
    found = np.zeros((both.shape[1],) * 2)
    for i in range(0, len(both), size):
        above = slice(i, i + size)
        for j in range(i, len(both), size):
            right = slice(j, j + size)
            kernel = tile(above, right)
            if i == j:
                np.fill_diagonal(kernel, 0)
            part = both[above].T @ (kernel @ both[right].astype(kernel.dtype, copy=False))
            found += part if i == j else part + part.T
    width = members.shape[1]
    # every row is a member of one block: the sum over blocks is the sum over rows
    return found[:width, :width], np.diag(found)[width:], found[width:, :width].sum(axis=1)
