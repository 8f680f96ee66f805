"""Hubness: how unevenly a gallery's items are found among the k nearest (Radovanovic et al. 2010)."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln
from scipy.stats import binom

from alignkit.errors import ParameterError
from alignkit.reports import Score
from alignkit.retrieval._unit import UnitRows, unit_sides
from alignkit.retrieval.search._flat import best
from alignkit.rows import Rows
from alignkit.shapes import ItemCounts, Nearest, PerQuery

NEIGHBOURS = 10  # of Radovanovic et al. and Feldbauer et al.


@dataclass(frozen=True, slots=True, eq=False)
class Hubness:
    """Hold how often each gallery item is among the ``k`` nearest of a query, and say how uneven that is.

    ``occurrences`` is N_k: one count per item, between 0 and the number of queries; their sum is
    ``n_queries * k``. Ranges below are for g items and k of them found by each query.

    References
    ----------
    Radovanovic et al. (2010), *Hubs in space*, section 2. Feldbauer et al. (2018), *Fast approximate
    hubness reduction for large high-dimensional data*; Feldbauer and Flexer (2019), *A
    comprehensive empirical comparison of hubness reduction in high-dimensional spaces*.
    """

    occurrences: ItemCounts
    n_queries: int
    k: int

    @property
    def skewness(self) -> float:
        """Third central moment of N_k over the cube of its standard deviation; 0 where N_k is constant.

        Between -(g - 2) / sqrt(g - 1) and (g - 2) / sqrt(g - 1). Over 1.4 is what the literature calls high.
        """
        deviations = self.occurrences - self.occurrences.mean()
        spread = np.square(deviations).mean()
        return float((deviations**3).mean() / spread**1.5) if spread > 0 else 0.0

    @property
    def antihub_share(self) -> float:
        """Share of the items that no query finds, in [0, 1 - k / g]."""
        return float((self.occurrences == 0).mean())

    @property
    def gini(self) -> float:
        """Sum over all (i, j) of |N_k(i) - N_k(j)|, over 2 g times the sum of N_k, in [0, 1 - k / g]."""
        counts = np.sort(self.occurrences)
        g = len(counts)
        weights = (
            2 * np.arange(1, g + 1) - g - 1
        )  # how often a count is the larger of a pair, less the smaller
        return float(weights @ counts / (g * counts.sum()))

    @property
    def robin_hood(self) -> float:
        """Share of all occurrences that must change hands before items are equal, in [0, 1 - k / g].

        Half the sum of |N_k - mean| over the sum of N_k (the Hoover index).
        """
        counts = self.occurrences
        return float(np.abs(counts - counts.mean()).sum() / (2 * counts.sum()))

    @property
    def largest_share(self) -> float:
        """Share of all occurrences that the greatest hub holds, in [1 / g, 1 / k]."""
        return float(self.occurrences.max() / self.occurrences.sum())

    def scores(self) -> dict[str, Score]:
        """Return every measure with the number of queries and, as ``chance``, its level at random retrieval.

        There are no intervals: drawing queries again with replacement makes counts more uneven than
        drawing new ones, so a bootstrap would not cover. The largest share has no chance level in closed
        form.
        """
        chance = random_levels(self.n_queries, len(self.occurrences), self.k)
        return {
            name: Score(getattr(self, name), n=self.n_queries, chance=chance.get(name))
            for name in ("skewness", "antihub_share", "gini", "robin_hood", "largest_share")
        }


def measure_hubness(queries: Rows, gallery: Rows, *, k: int = NEIGHBOURS) -> Hubness:
    """Return how often each gallery item is among the ``k`` items of greatest cosine to a query.

    The search is exact; held in memory are the q x k items found. At a tie the lower row is found, so
    copies of a row, and a space collapsed to a point, look like hubs and antihubs.

    Raises
    ------
    DataError
        If dimensions differ, there are no rows, or a row is not finite or has no direction.
    ParameterError
        If ``k`` is below 1, or all items would be found by all queries.

    Examples
    --------
    >>> gallery = np.array([[1.0, 0.0], [0.7, 0.7], [0.0, 1.0]])
    >>> hubs = measure_hubness(np.array([[0.8, 0.7], [0.7, 0.8], [1.0, 0.1]]), gallery, k=1)
    >>> hubs.occurrences.tolist(), round(hubs.robin_hood, 3), hubs.antihub_share.__round__(3)
    ([1, 2, 0], 0.333, 0.333)
    """
    return _hubness(*unit_sides(queries, gallery, names=("queries", "gallery")), k)


def measure_hubness_both(queries: Rows, gallery: Rows, *, k: int = NEIGHBOURS) -> tuple[Hubness, Hubness]:
    """Return (hubness of the gallery for the queries, hubness of the queries for the gallery)."""
    left, right = unit_sides(queries, gallery, names=("queries", "gallery"))
    return _hubness(left, right, k), _hubness(right, left, k)


def count_occurrences(nearest: Nearest, n_gallery: int) -> Hubness:
    """Return the hubness of a search that was made already: the items that each query found, all of one k.

    Examples
    --------
    >>> count_occurrences(np.array([[0, 1], [0, 2]]), 4).occurrences.tolist()
    [2, 1, 1, 0]
    """
    q, k = nearest.shape
    _check(k, n_gallery)
    return Hubness(np.bincount(nearest.ravel(), minlength=n_gallery), q, k)


def random_levels(n_queries: int, n_gallery: int, k: int) -> dict[str, float]:
    """Return each measure's level where every query finds ``k`` items at random.

    N_k is then binomial, of n_queries draws with probability p = k / g. Exact expectations: the antihub
    share (1 - p)^q; the Robin Hood index, by de Moivre's mean absolute deviation; the Gini index, from a
    walk, since the difference of two items' counts takes one step up or down for a query that finds just
    one of them. The skewness is the binomial's own, (1 - 2 p) / sqrt(q p (1 - p)), which the sample's
    approaches as g grows.

    Examples
    --------
    >>> {name: round(level, 4) for name, level in random_levels(1000, 1000, 10).items()}
    {'skewness': 0.3115, 'antihub_share': 0.0, 'gini': 0.1763, 'robin_hood': 0.1245}
    """
    _check(k, n_gallery)
    q, g, p = n_queries, n_gallery, k / n_gallery
    mean = q * p
    top = int(np.floor(mean)) + 1
    deviation = 2 * top * (1 - p) * binom.pmf(top, q, p)  # de Moivre (1730); 0 at top > q, where p is 1
    step = 2 * k * (g - k) / (g * (g - 1))
    steps = np.arange(q + 1)
    difference = float(binom.pmf(steps, q, step) @ _walk(steps))
    return {
        "skewness": float((1 - 2 * p) / np.sqrt(mean * (1 - p))),
        "antihub_share": float((1 - p) ** q),
        "gini": (g - 1) * difference / (2 * g * mean),
        "robin_hood": float(deviation / (2 * mean)),
    }


def _hubness(queries: UnitRows, gallery: UnitRows, k: int) -> Hubness:
    _check(k, len(gallery))
    return count_occurrences(best(queries, gallery, k)[0], len(gallery))


def _walk(steps: np.ndarray) -> PerQuery:
    """Return the expected distance from the start after so many steps of one, up or down by a coin."""
    half = (steps + 1) // 2  # an odd number of steps leads as far as the even number after it
    return 2 * half * np.exp(gammaln(2 * half + 1) - 2 * gammaln(half + 1) - 2 * half * np.log(2))


def _check(k: int, n_gallery: int) -> None:
    if not 1 <= k < n_gallery:
        raise ParameterError(
            f"k is {k} and the gallery has {n_gallery} items: give a k of at least 1 and below the gallery."
        )
