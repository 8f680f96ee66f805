"""2-Wasserstein distance: the cheapest way to move one cloud onto the other (Kantorovich 1942)."""

import warnings
from collections.abc import Iterator

import numpy as np
from scipy.optimize import linear_sum_assignment

from alignkit.errors import DataError, MissingExtraError
from alignkit.gaps._base import HEADLINE
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._replicas import NULLS, Replicas, n_blocks
from alignkit.gaps._replicated import Replicated
from alignkit.shapes import SourceRows, TargetRows

SEED = 0
STEPS = 2_000_000  # of the network simplex: more than 500 rows a side ever took


def exact_wasserstein(x: SourceRows, y: TargetRows) -> float:
    """Return the 2-Wasserstein distance between two sets of unit rows, each row of equal weight.

    Raises
    ------
    MissingExtraError
        If the sides have two sizes and POT is not installed.

    Examples
    --------
    >>> exact_wasserstein(np.ones((6, 4)), -np.ones((6, 4)))
    2.0
    """
    return ExactWasserstein().measure(x, y)


class ExactWasserstein(Replicated[np.ndarray]):
    r"""Return :math:`\min_P (\sum_{ij} P_{ij} \lVert x_i - y_j \rVert^2)^{1/2}` over couplings P.

    In [0, 2], the root taken, every row of equal weight; at least the distance of the centroids, and at least
    part ``scaled`` of `sliced_wasserstein` up to the choice of lines. It takes time of the order of n³, so it
    is measured only when asked for and on at most 500 rows a side (a seeded sample). Sides of one size are
    an assignment problem; sides of two need the extra ``ot``. No pairs needed. In many dimensions samples of
    *one* cloud lie far apart (two of 500 rows on a sphere in 512 dimensions by 1.3): only the excess over
    the null level of random splits means anything. The interval is a delete-a-block jackknife.

    Where partners are known they would be moved onto one another, and the value would be their distance. So
    the score of a paired set takes the source rows of one half of the items, dealt by a fixed seed, and
    the target rows of the other; `measure` takes all rows.

    References
    ----------
    Peyré and Cuturi (2019), *Computational optimal transport*; Flamary et al. (2021), *POT: Python optimal
    transport*.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(20, 4))
    >>> ExactWasserstein().measure(x, x[::-1].copy()) < 1e-7
    True
    """

    default = False
    limits = (0.0, 2.0)
    fewest = 6
    most = 500

    def null_of(self, clouds: Clouds, rng: np.random.Generator) -> dict[str, float]:
        """Return the value of a random split of the rows that are measured."""
        return self._values(without_partners(clouds).split(rng))

    def _of(self, read: np.ndarray) -> dict[str, float]:
        return {HEADLINE: float(np.sqrt(max(_cheapest(read), 0.0)))}

    def _read(self, clouds: Clouds) -> np.ndarray:
        apart = without_partners(clouds)
        return _costs(apart.x, apart.y)

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[np.ndarray]:
        return Replicas(self._read(clouds), _left_out(clouds, seed), _nulls(clouds, seed))


def without_partners(clouds: Clouds) -> Clouds:
    """Return unpaired clouds: of paired ones x rows of one half of the items and y rows of the other.

    Examples
    --------
    >>> apart = without_partners(Clouds.paired(np.eye(6), np.eye(6)))
    >>> apart.x.shape, apart.y.shape, float((apart.x @ apart.y.T).max())  # no two rows of one item
    ((3, 6), (3, 6), 0.0)
    """
    if clouds.links is None:
        return clouds
    half = clouds.n_items // 2  # of an odd number one is left over, so that both sides have one size
    place = np.random.default_rng(SEED).permutation(clouds.n_items)
    y_place = place[clouds.y_items]
    x, y = clouds.x[place[clouds.x_items] < half], clouds.y[(y_place >= half) & (y_place < 2 * half)]
    return Clouds(x, y, None, np.arange(len(x)), np.arange(len(y)))


def _left_out(clouds: Clouds, seed: int) -> Iterator[np.ndarray]:
    apart = without_partners(clouds)
    costs, count = _costs(apart.x, apart.y), n_blocks(apart)
    x_blocks, y_blocks = item_blocks(apart, count, seed)
    for block in range(count):
        yield costs[np.ix_(x_blocks != block, y_blocks != block)]


def _nulls(clouds: Clouds, seed: int) -> Iterator[np.ndarray]:
    apart = without_partners(clouds)
    pooled, n = np.concatenate([apart.x, apart.y]), len(apart.x)
    costs = _costs(pooled, pooled)
    for draw in range(NULLS):
        order = np.random.default_rng([seed, 5, draw]).permutation(len(pooled))
        yield costs[np.ix_(order[:n], order[n:])]


def _costs(x: SourceRows, y: TargetRows) -> np.ndarray:
    return np.maximum(2 - 2 * (x.astype(np.float64) @ y.astype(np.float64).T), 0)


def _cheapest(costs: np.ndarray) -> float:
    """Return the least mean cost of a coupling of equal weights; of as many rows, one assigns each to one."""
    if costs.shape[0] == costs.shape[1]:
        return float(costs[linear_sum_assignment(costs)].mean())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its sources hold escapes that Python warns of
            import ot
    except ImportError as error:
        raise MissingExtraError(
            "exact_wasserstein of sides of two sizes needs POT (Python Optimal Transport): "
            "pip install 'alignkit[ot]'"
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is looked at below
        value, log = ot.emd2([], [], np.ascontiguousarray(costs), numItermax=STEPS, log=True)
    if log["warning"] is not None:
        raise DataError(f"the transport between {costs.shape[0]} and {costs.shape[1]} rows was not solved.")
    return float(value)
