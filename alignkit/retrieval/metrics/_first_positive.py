"""Where the first positive stands: its rank, the logarithm of its rank, and one over its rank."""

from collections.abc import Callable

import numpy as np
from scipy.special import digamma

from alignkit.retrieval.metrics._found import places_within
from alignkit.retrieval.metrics._names import Metric
from alignkit.retrieval.ties import TieGroups
from alignkit.shapes import PerQuery


def first_rank(groups: TieGroups, metric: Metric) -> PerQuery:  # noqa: ARG001 - one signature for all
    """Return the expected rank of the first positive: ``hits`` marks cut ``size`` places evenly."""
    return groups.best(groups.ahead + (groups.size + 1) / (groups.hits + 1))


def geometric_first_rank(groups: TieGroups, metric: Metric) -> PerQuery:  # noqa: ARG001
    """Return the geometric mean of the first positive's rank over all orders: exp of E[log rank]."""
    value = np.log(groups.ahead + 1.0)
    open_ = np.flatnonzero(groups.first & (groups.size > groups.hits))
    value[open_] = _expectation(groups, groups.size, open_, np.log)
    return np.exp(groups.best(value))


def reciprocal_rank(groups: TieGroups, metric: Metric) -> PerQuery:
    """Return the expectation of 1 / rank of the first positive, 0 behind the cut-off."""
    places, ahead = places_within(groups, metric.k), groups.ahead
    value = np.where(places > 0, 1 / (ahead + 1.0), 0.0)
    one = (groups.hits == 1) & (groups.size > 1)
    value[one] = (harmonic(ahead, places) / groups.size)[one]
    several = np.flatnonzero(groups.first & (groups.hits > 1) & (groups.size > groups.hits) & (places > 0))
    value[several] = _expectation(groups, places, several, np.reciprocal)
    return groups.best(value)


def harmonic(start: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return 1/(start + 1) + ... + 1/(start + count)."""
    sums = np.where(count > 0, 1 / (start + 1.0), 0.0)
    long = count > 1
    sums[long] = digamma(start[long] + count[long] + 1.0) - digamma(start[long] + 1.0)
    return sums


def _expectation(
    groups: TieGroups, places: np.ndarray, which: np.ndarray, value: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Sum P(first positive at place r) x value(r) over the places of each group within a cut-off.

    Groups that are equal in all that matters are summed once; there are as many terms as a group has places.
    """
    kinds, back = np.unique(
        np.stack([groups.ahead[which], groups.size[which], groups.hits[which], places[which]]),
        axis=1,
        return_inverse=True,
    )
    sums = np.empty(kinds.shape[1])
    for kind, (ahead, size, hits, within) in enumerate(kinds.T):
        j = np.arange(min(within, size - hits + 1))
        # P = C(size - 1 - j, hits - 1) / C(size, hits), each from the one before
        steps = np.r_[hits / size, (size - hits - j[:-1]) / (size - 1.0 - j[:-1])]
        sums[kind] = np.cumprod(steps) @ value(ahead + 1.0 + j)
    return sums[back.ravel()]
