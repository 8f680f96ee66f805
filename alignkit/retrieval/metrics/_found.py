"""How many positives lie within a cut: hits, recall, precision and R-precision."""

import numpy as np

from alignkit.retrieval.metrics._names import Metric
from alignkit.retrieval.ties import TieGroups
from alignkit.shapes import PerQuery, PerTieGroup


def places_within(groups: TieGroups, k: int | PerTieGroup | None) -> PerTieGroup:
    """Return how many places of each group lie within the cut-off, one for all or one for each."""
    return groups.size if k is None else np.clip(k - groups.ahead, 0, groups.size)


def hit(groups: TieGroups, metric: Metric) -> PerQuery:
    """Return the hypergeometric chance that a place within the cut-off holds a positive."""
    return groups.best(_any_hit(groups.size, groups.hits, places_within(groups, metric.k)))


def recall(groups: TieGroups, metric: Metric) -> PerQuery:
    """Return the share of the positives that lie within the cut-off."""
    return _found(groups, metric.k) / np.maximum(groups.positives, 1)


def precision(groups: TieGroups, metric: Metric) -> PerQuery:
    """Return the share of the first k places that positives hold; places beyond the gallery count too."""
    return _found(groups, metric.k) / (metric.k or np.maximum(groups.candidates, 1))


def r_precision(groups: TieGroups, metric: Metric) -> PerQuery:  # noqa: ARG001 - one signature for all
    """Return the precision at R, the query's own number of positives: there it equals the recall."""
    return _found(groups, groups.positives[groups.query]) / np.maximum(groups.positives, 1)


def _found(groups: TieGroups, k: int | PerTieGroup | None) -> PerQuery:
    return groups.total(groups.hits * (places_within(groups, k) / groups.size))


def _any_hit(size: np.ndarray, hits: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return 1 - C(size - places, hits) / C(size, hits), as a product of as few factors as will do."""
    fewer, more = np.minimum(hits, places), np.maximum(hits, places)
    chance = np.where(fewer == 0, 0.0, more / size)  # exact where there is one factor
    slow = np.flatnonzero(fewer > 1)
    missed = np.ones(len(slow))
    for i in range(int(fewer[slow].max(initial=0))):
        factor = np.maximum(size[slow] - more[slow] - i, 0) / np.maximum(size[slow] - i, 1)
        missed *= np.where(i < fewer[slow], factor, 1.0)
    chance[slow] = 1 - missed
    return chance
