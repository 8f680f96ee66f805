"""Kernel audio distance: an unbiased squared MMD, times 100 (Chung et al. 2025)."""

from typing import Any, TypeAlias

import numpy as np

from alignkit.judges._base import Judge, Samples
from alignkit.judges._blocks import blocks_of, jackknife_interval, null_band, random_splits
from alignkit.reports import Score
from alignkit.shapes import SourceRows, TargetRows, Vectors
from alignkit.statistics.kernel_sums import kernel_sums

SCALE = 100.0
BLOCK = 1024
MEDIAN_ROWS = 2000  # of the reference, of which every pair's distance is sorted: 2 million numbers
NULLS = 200
Numbers: TypeAlias = Any  # numbers, or arrays of as many as there are replicas


class Kad(Judge):
    r"""Return 100 times the U-statistic of the squared MMD with a Gaussian kernel.

    :math:`\frac{1}{n(n-1)}\sum_{i \ne j} k(x_i, x_j) + \frac{1}{m(m-1)}\sum_{i \ne j} k(y_i, y_j) -
    \frac{2}{nm}\sum k(x_i, y_j)`, with :math:`k = exp(-|a - b|^2 / 2 h^2)` and h the median distance of two
    rows of the *reference* (of a seeded sample of 2,000 where there are more): swapping the sides changes
    the bandwidth and so the value. Unbiased at any N: around 0, on both sides of it, where the two clouds are
    one. One pass over blocks of the kernel, in memory that grows with the rows and not with their square.

    References
    ----------
    Chung et al. (2025), *KAD: No more FAD!*; Gretton et al. (2012), lemma 6.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> score = Kad().judge(Samples(rng.normal(size=(60, 4)), rng.normal(size=(50, 4)) + 2.0))
    >>> score.value > score.chance_high
    True
    """

    needs = "clouds"
    better = "lower"
    interval = "t interval of a jackknife over 20 blocks of each side, bandwidth held"
    chance = "0, with the band of random splits of the pooled rows"

    def _score(self, samples: Samples, seed: int) -> Score:
        real, made = samples.reference, samples.generated
        n, m = len(real), len(made)
        deals = blocks_of(n, m, seed)
        first = np.array(list(random_splits(n, m, seed, NULLS)), dtype=np.float64).T
        members = [(blocks[:, None] == np.arange(blocks.max() + 1)).astype(np.float64) for blocks in deals]
        width = members[0].shape[1]
        table = np.zeros((n + m, width + members[1].shape[1]))
        table[:n, :width], table[n:, width:] = members
        sums, splits = _kernel_sums(np.concatenate([real, made]), table, first, median_distance(real, seed))
        value, without = _jackknifed(sums, table.sum(axis=0), width)
        low, high = jackknife_interval(value, *without)
        _, least, most = null_band(_split_values(splits, sums.sum(), n, m))
        return Score(value, low, high, n=m, chance=0.0, chance_low=least, chance_high=most)


def kad(reference: SourceRows, generated: TargetRows, *, bandwidth: float | None = None) -> float:
    """Return the bare value; ``bandwidth`` stands in for the median distance of the reference.

    Examples
    --------
    >>> rows = np.array([[0.0], [1.0], [2.0]])
    >>> bool(kad(rows, rows) < 0 < kad(rows, rows + 9))
    True
    """
    n, m = len(reference), len(generated)
    sides = np.zeros((n + m, 2))
    sides[:n, 0], sides[n:, 1] = 1, 1
    width = median_distance(reference) if bandwidth is None else bandwidth
    sums, _ = _kernel_sums(np.concatenate([reference, generated]), sides, sides[:, :1], width)
    return float(_mmd(sums[0, 0], sums[1, 1], sums[0, 1], n, m))


def median_distance(rows: Vectors, seed: int = 0) -> float:
    """Return the median distance of two rows; 1 where at least half of them coincide.

    Examples
    --------
    >>> median_distance(np.array([[0.0], [1.0], [3.0]]))
    2.0
    """
    from scipy.spatial.distance import pdist

    rows = np.asarray(rows, dtype=np.float64)
    if len(rows) > MEDIAN_ROWS:
        rows = rows[np.random.default_rng([seed, 15]).permutation(len(rows))[:MEDIAN_ROWS]]
    return float(np.median(pdist(rows))) or 1.0


def _kernel_sums(
    pooled: Vectors, table: np.ndarray, first: np.ndarray, bandwidth: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return T'KT of the blocks in ``table``; and for each split s'Ks and s'K1; k(x, x) is left out."""
    pooled = np.asarray(pooled, dtype=np.float64)
    pooled = pooled - pooled.mean(axis=0)  # far from the origin differences of squares lose digits
    squares = (pooled**2).sum(axis=1)

    def kernel(above: slice, right: slice) -> np.ndarray:
        distances = squares[above, None] + squares[right] - 2 * pooled[above] @ pooled[right].T
        return np.exp(-np.maximum(distances, 0.0) / (2 * bandwidth**2))

    sums, inside, reach = kernel_sums(kernel, table, first, size=BLOCK)
    return sums, np.stack([inside, reach])


def _mmd(xx: Numbers, yy: Numbers, xy: Numbers, n: Numbers, m: Numbers) -> Numbers:
    return SCALE * (xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m))


def _jackknifed(sums: np.ndarray, sizes: np.ndarray, width: int) -> tuple[float, list[np.ndarray]]:
    """Return the value, and its values without each block of the reference and of the generated rows."""
    own, other = sums[:width, :width], sums[width:, width:]
    across = sums[:width, width:]
    n, m = sizes[:width].sum(), sizes[width:].sum()
    value = _mmd(own.sum(), other.sum(), across.sum(), n, m)
    less_own = own.sum() - 2 * own.sum(axis=1) + np.diag(own)
    less_other = other.sum() - 2 * other.sum(axis=1) + np.diag(other)
    without_reference = _mmd(less_own, other.sum(), across.sum() - across.sum(axis=1), n - sizes[:width], m)
    without_generated = _mmd(own.sum(), less_other, across.sum() - across.sum(axis=0), n, m - sizes[width:])
    return float(value), [without_reference, without_generated]


def _split_values(splits: np.ndarray, total: float, n: int, m: int) -> np.ndarray:
    inside, touched = splits
    return _mmd(inside, total - 2 * touched + inside, touched - inside, n, m)
