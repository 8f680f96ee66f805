"""Match the points of two graphs so that their weights agree: quadratic assignment by exchanges."""

import numpy as np
from scipy.optimize import linear_sum_assignment

LEAST_GAIN = 1e-12  # less is rounding
DOUBT = 0.5  # half of the starts distrust the sorted rows by up to so much


def match_graphs(
    A: np.ndarray, B: np.ndarray, linear: np.ndarray | None, starts: int, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Return a permutation ``p`` with a large ``sum A[i, j] B[p[i], p[j]] + sum linear[i, p[i]]``; the sum.

    ``A`` and ``B`` are symmetric and of one size. The problem is NP-hard; this is a local search from
    several starts: half of them match rows with alike sorted weights, each with its own random doubts, the
    others are drawn. From every start the best exchange of two points is made until none gains; all
    starts walk together, so that an exchange costs a few small products. The best end is returned, the
    first where several are equal.

    References
    ----------
    Koopmans and Beckmann (1957), *Assignment problems and the location of economic activities*; exchanges
    as in Burkard and Rendl (1984), with a linear term.

    Examples
    --------
    >>> A = np.array([[0, 1.0, 5.0], [1.0, 0, 2.0], [5.0, 2.0, 0]])
    >>> order = np.array([2, 0, 1])
    >>> match_graphs(A[np.ix_(order, order)], A, None, 4, np.random.default_rng(0))[0].tolist()
    [2, 0, 1]
    """
    count = len(A)
    ends = _starts(A, B, linear, starts, rng)
    upper = np.triu_indices(count, 1)
    moving = np.arange(len(ends) if count > 1 else 0)
    while len(moving):
        gains = _gains(A, B, linear, ends[moving])[:, upper[0], upper[1]]
        best = gains.argmax(axis=1)
        gaining = gains[np.arange(len(moving)), best] > LEAST_GAIN
        moving, best = moving[gaining], best[gaining]
        i, j = upper[0][best], upper[1][best]
        ends[moving, i], ends[moving, j] = ends[moving, j], ends[moving, i]
    values = _values(A, B, linear, ends)
    first = int(values.argmax())
    return ends[first], float(values[first])


def _starts(
    A: np.ndarray, B: np.ndarray, linear: np.ndarray | None, starts: int, rng: np.random.Generator
) -> np.ndarray:
    """Return permutations, one a row."""
    rows, columns = np.sort(A, axis=1), np.sort(B, axis=1)
    unlike = (rows**2).sum(axis=1)[:, None] + (columns**2).sum(axis=1) - 2 * rows @ columns.T
    if linear is not None:
        unlike = unlike - linear  # both are sums of products of weights
    found = np.array([rng.permutation(len(A)) for _ in range(starts)])
    spread = float(np.ptp(unlike))
    for start in range((starts + 1) // 2):
        doubt = DOUBT * spread * rng.random(unlike.shape) * (start > 0)
        found[start] = linear_sum_assignment(unlike + doubt)[1]
    return found


def _values(A: np.ndarray, B: np.ndarray, linear: np.ndarray | None, ends: np.ndarray) -> np.ndarray:
    values = np.einsum("ij,rij->r", A, B[ends[:, :, None], ends[:, None, :]])
    return values if linear is None else values + linear[np.arange(len(A)), ends].sum(axis=1)


def _gains(A: np.ndarray, B: np.ndarray, linear: np.ndarray | None, ends: np.ndarray) -> np.ndarray:
    """Return for every permutation what exchanging the partners of i and j would gain."""
    here = B[ends[:, :, None], ends[:, None, :]]  # B as the permutations order it
    products = A @ here
    own, a, b = _diagonals(products), np.diag(A), _diagonals(here)
    rows, columns = own[:, :, None], own[:, None, :]
    gains = 2 * (products + products.transpose(0, 2, 1) - rows - columns)
    # i and j themselves were counted in the sums over all points
    gains -= 2 * ((a[:, None] - A) * (here - b[:, :, None]) + (A - a) * (b[:, None, :] - here))
    gains += (a[:, None] - a) * (b[:, None, :] - b[:, :, None])
    if linear is None:
        return gains
    there = linear[np.arange(len(A))[:, None], ends[:, None, :]]  # [r, i, j]: i with the partner of j
    rows = _diagonals(there)
    return gains + there + there.transpose(0, 2, 1) - rows[:, :, None] - rows[:, None, :]


def _diagonals(matrices: np.ndarray) -> np.ndarray:
    return np.einsum("rii->ri", matrices)
