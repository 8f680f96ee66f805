"""Kernel alignment over the neighbours that both sides agree on (Huh et al. 2024)."""

from dataclasses import dataclass

import numpy as np

from alignkit.errors import ParameterError
from alignkit.gaps._base import HEADLINE
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._neighbours import Neighbours, both_neighbours, too_few
from alignkit.gaps._replicas import NULLS, Replicas, n_blocks
from alignkit.gaps._replicated import PERMUTATIONS, Replicated
from alignkit.shapes import SourceRows, TargetRows

K = 10


def cknna(x: SourceRows, y: TargetRows, *, k: int = K) -> float:
    """Return the alignment of the cosines to common neighbours; row i of x belongs to row i of y.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 4))
    >>> round(cknna(x, -x), 6)
    1.0
    """
    return Cknna(k=k).measure(x, y)


@dataclass(frozen=True, slots=True)
class Agreed:
    """Hold the k nearest rows of each row within x and within y."""

    x: Neighbours
    y: Neighbours


class Cknna(Replicated[Agreed]):
    r"""Return :math:`S(x, y) / \sqrt{S(x, x) S(y, y)}`, S the HSIC of cosines to shared neighbours.

    Cosines within each side are kept where j is among the k = 10 nearest of i on *both* sides, else 0; HSIC
    is the unbiased estimate of Song et al. Near 1 where partners have the same neighbours at the same
    cosines, near 0 by chance; for few rows it may pass either end. Part ``biased`` takes the biased estimate,
    in which a row is the first of its own neighbours: that alone lifts unrelated rows far above 0 (to 0.84
    for 2,000 rows of 512 dimensions).

    The published formula is kept as it is: kept cells are not symmetric, so exchanging the sides moves the
    value, in proportion to k / n. Ties for the last places fall at random, unrelated on the two sides. The
    value depends on the number of rows. Needs pairs, of which one an item is measured; the null level is that
    of permuted pairs. Beyond 3,000 rows a seeded sample is used.

    References
    ----------
    Huh et al. (2024), *The platonic representation hypothesis*, appendix A; Song et al. (2012), *Feature
    selection via dependence maximization*, eq. 5.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 60, 8))
    >>> Cknna().measure(x, y) < 0.2 < Cknna().measure(x, x + 0.1 * y)
    True
    """

    parts = (HEADLINE, "biased")
    default = False
    needs_pairs = True
    null = PERMUTATIONS
    limits = (-np.inf, np.inf)
    fewest = 2 * K
    most = 3_000

    def __init__(self, *, k: int = K) -> None:
        if k < 2:
            raise ParameterError(f"k must be 2 or more, got {k}: in one part a row is its own neighbour.")
        self.k = k

    def refusal_of(self, clouds: Clouds) -> str | None:
        """Return why this measure cannot be taken: twice k rows must be left to choose from."""
        return super().refusal_of(clouds) or too_few(clouds, self.k)

    def _of(self, read: Agreed) -> dict[str, float]:
        return {
            HEADLINE: _alignment(read, self.k, biased=False),
            "biased": _alignment(read, self.k - 1, biased=True),
        }

    def _read(self, clouds: Clouds) -> Agreed:
        x, y = both_neighbours(clouds.matched(0), self.k, 0)
        return Agreed(x.first(self.k), y.first(self.k))

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[Agreed]:
        one = clouds.matched(seed)
        x, y = both_neighbours(one, self.k, seed)
        count = n_blocks(one)
        blocks = item_blocks(one, count, seed)[0]
        kept = (blocks != block for block in range(count))
        orders = (np.random.default_rng([seed, 6, draw]).permutation(len(one.x)) for draw in range(NULLS))
        whole = Agreed(x.first(self.k), y.first(self.k))
        return Replicas(
            whole,
            (Agreed(x.without(rows, self.k), y.without(rows, self.k)) for rows in kept),
            (Agreed(whole.x, whole.y.reordered(order)) for order in orders),
        )


def _alignment(read: Agreed, k: int, *, biased: bool) -> float:
    pairs = ((read.x, read.y), (read.x, read.x), (read.y, read.y))
    shared, first, second = (_dependence(*pair, k, biased=biased) for pair in pairs)
    return float(shared / np.sqrt(first * second)) if first > 0 and second > 0 else 0.0


def _dependence(x: Neighbours, y: Neighbours, k: int, *, biased: bool) -> float:
    """Return the HSIC of the cosines K and L in the cells that are among the k nearest on both sides."""
    n = len(x.rows)
    common = (x.rows[:, :k, None] == y.rows[:, None, :k]) & (x.rows[:, :k] >= 0)[:, :, None]
    down, first, second = np.nonzero(common)
    across, one, other = x.rows[down, first], x.cosines[down, first], y.cosines[down, second]
    if biased:  # a row is the first of its own neighbours
        down, across = (np.concatenate([part, np.arange(n)]) for part in (down, across))
        one, other = (np.concatenate([part, np.ones(n)]) for part in (one, other))
    across_k, across_l = (np.bincount(across, weights=part, minlength=n) for part in (one, other))
    down_k, down_l = (np.bincount(down, weights=part, minlength=n) for part in (one, other))
    total = float(one.sum() * other.sum())
    trace = _trace(down * n + across, across * n + down, one, other)
    if biased:
        return trace - float(across_k @ down_l + across_l @ down_k) / n + total / n**2
    crossed = float(across_k @ down_l)
    return (trace + total / ((n - 1) * (n - 2)) - 2 * crossed / (n - 2)) / (n * (n - 3))


def _trace(cells: np.ndarray, mirrored: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    """Return the sum of K_ij L_ji over the cells whose mirror is a cell too."""
    order = np.argsort(cells)
    found = order[np.minimum(np.searchsorted(cells, mirrored, sorter=order), len(cells) - 1)]
    return float(one[cells[found] == mirrored] @ other[found][cells[found] == mirrored])
