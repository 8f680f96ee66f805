"""Discounted cumulative gain over that of an ideal ranking, with graded relevance.

Järvelin & Kekäläinen (2002), *Cumulated gain-based evaluation of IR techniques*, with the discount
1 / log2(1 + place) of Burges et al. (2005), *Learning to rank using gradient descent*.
"""

import numpy as np

from alignkit.errors import DataError
from alignkit.retrieval.metrics._found import places_within
from alignkit.retrieval.metrics._names import Metric
from alignkit.retrieval.ties import TieGroups
from alignkit.shapes import PerQuery

HIGHEST = 1000  # grade: 2^1000 summed over a million positives is still a finite number


def normalised_gain(groups: TieGroups, metric: Metric) -> PerQuery:
    """Return the discounted gain within the cut-off over that of the best possible ranking.

    It is linear in the gains, so that every place of a tie group expects the mean gain of its items.
    """
    discounts = np.r_[0.0, np.cumsum(1 / np.log2(np.arange(2, groups.candidates.max(initial=0) + 2)))]
    share = discounts[groups.ahead + places_within(groups, metric.k)] - discounts[groups.ahead]
    if groups.grades is None:
        most = groups.positives if metric.k is None else np.minimum(groups.positives, metric.k)
        gains, ideal = groups.hits, discounts[most]
    else:
        worth = _gains(groups.grades, metric)
        gains, ideal = groups.summed(worth), _ideal(groups, worth, metric)
    return groups.total(gains / groups.size * share) / np.where(groups.positives > 0, ideal, 1.0)


def _gains(grades: np.ndarray, metric: Metric) -> np.ndarray:
    if metric.variant == "linear":
        return grades.astype(np.float64)
    if grades.max(initial=0) > HIGHEST:
        raise DataError(
            f"{metric.name}: grade {grades.max()} has a gain of 2^{grades.max()} - 1, and sums of such gains "
            f"overflow: use grades up to {HIGHEST}, or the linear gain ({metric.name.partition(':')[0]})."
        )
    return np.exp2(grades) - 1


def _ideal(groups: TieGroups, worth: np.ndarray, metric: Metric) -> PerQuery:
    """Return the discounted gain of each query's positives, the most relevant first."""
    query = groups.owners
    order = np.lexsort((-worth, query))
    place = np.arange(len(order)) - (np.cumsum(groups.positives) - groups.positives)[query]
    within = np.ones(len(order), bool) if metric.k is None else place < metric.k
    return np.bincount(
        query,
        weights=np.where(within, worth[order] / np.log2(place + 2.0), 0.0),
        minlength=len(groups.positives),
    )
