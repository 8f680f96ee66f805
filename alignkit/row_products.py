"""Scores of single pairs of rows in float64, each summed on its own: the numbers that decide close calls.

An entry of a matrix product depends, in its last bit, on where it stands in its block and on the processor:
the inner loop of a BLAS may sum the rows at the edge of a block in another order. Two equal rows then score
differently. Whatever must not depend on that is decided here.
"""

import numpy as np

from alignkit.rows import Rows

AT_ONCE = 256  # pairs gathered together: two blocks of float64 that stay in the cache
WIDE = 4096  # numbers of a row summed together; numpy's buffer would split more by the row's place


def row_products(left: Rows, i: np.ndarray, right: Rows, j: np.ndarray) -> np.ndarray:
    """Return the product of row ``i[m]`` of one side with row ``j[m]`` of the other, for every m, float64.

    Every product is summed alone, in one order: it depends on its two rows and on nothing else. Products
    of two float32 numbers are exact in float64, so the error is that of the sum, 1e-16 of the lengths.

    Examples
    --------
    >>> row_products(np.eye(3), np.array([0, 1]), np.ones((2, 3)), np.array([1, 1]))
    array([1., 1.])
    """
    out = np.empty(len(i))
    for start in range(0, len(i), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        a, b = _gathered(left, i[some]), _gathered(right, j[some])
        out[some] = _sums(a, b)
    return out


def row_distances(left: Rows, i: np.ndarray, right: Rows, j: np.ndarray) -> np.ndarray:
    """Return the squared distances of single pairs of rows, as `row_products` does their products.

    Differences come first, so that nearby rows far from the origin lose nothing to cancellation.
    """
    out = np.empty(len(i))
    for start in range(0, len(i), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        a = _gathered(left, i[some])
        a -= _gathered(right, j[some])
        out[some] = _sums(a, a)
    return out


def _gathered(rows: Rows, which: np.ndarray) -> np.ndarray:
    return np.asarray(rows[which]).astype(np.float64)


def _sums(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    parts = (slice(start, start + WIDE) for start in range(0, a.shape[1], WIDE))
    return sum((np.einsum("md,md->m", a[:, part], b[:, part]) for part in parts), np.zeros(len(a)))
