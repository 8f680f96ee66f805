"""Average precision at k under its three norms; where it is divided by the hits, as an exact finite sum."""

import numpy as np

from alignkit.retrieval.metrics._first_positive import harmonic
from alignkit.retrieval.metrics._found import places_within
from alignkit.retrieval.metrics._names import Metric
from alignkit.retrieval.ties import TieGroups
from alignkit.shapes import PerQuery


def average_precision(groups: TieGroups, metric: Metric) -> PerQuery:
    """Return the sum of the precisions at the positives within the cut-off, over the metric's norm."""
    places = places_within(groups, metric.k)
    sums = _precisions(groups.ahead, groups.won, groups.size, groups.hits, places)
    if metric.variant == "hits":
        return _over_hits(groups, places, sums)
    most = groups.positives
    if metric.variant == "min(k,R)" and metric.k is not None:
        most = np.minimum(most, metric.k)
    return groups.total(sums) / np.maximum(most, 1)


def _precisions(
    ahead: np.ndarray, won: np.ndarray, size: np.ndarray, hits: np.ndarray, places: np.ndarray
) -> np.ndarray:
    """Sum, over the first places of each group, P(positive there) x E[precision there | positive there]."""
    reciprocal = harmonic(ahead, places)
    density = np.where(size > 1, (hits - 1) / np.maximum(size - 1, 1), 0.0)
    # place i of a group: (won + 1 + (i - 1) density) / (ahead + i), summed by parts
    return hits / size * ((won + 1) * reciprocal + density * (places - (ahead + 1) * reciprocal))


def _over_hits(groups: TieGroups, places: np.ndarray, sums: np.ndarray) -> PerQuery:
    """Return E[sum of precisions / hits within the cut-off], 0 where there are no hits.

    Both are random, but only through the one group that the cut-off splits: it has h of its positives within
    with hypergeometric probability, and given h they are spread evenly over its places within. Groups before
    it lie within as a whole, and what their orders do to the sum of precisions is independent of h. So the
    expectation is a sum over h of P(h) (S + E[s | h]) / (won + h), with S the expected sum of the groups
    before.
    """
    whole = places == groups.size
    before = groups.total(np.where(whole, sums, 0.0))
    value = before / np.maximum(groups.total(np.where(whole, groups.hits, 0)), 1)
    split = np.flatnonzero((places > 0) & ~whole)
    constant, factor = _split_groups(groups, places, split)
    query = groups.query[split]
    value[query] = constant + factor * before[query]
    return value


def _split_groups(groups: TieGroups, places: np.ndarray, split: np.ndarray) -> np.ndarray:
    """Return sum P(h) E[s | h] / (won + h) and sum P(h) / (won + h); equal groups are summed once."""
    kinds, back = np.unique(
        np.stack([column[split] for column in (groups.ahead, groups.won, groups.size, groups.hits, places)]),
        axis=1,
        return_inverse=True,
    )
    found = np.empty((2, kinds.shape[1]))
    for kind, (ahead, won, size, hits, within) in enumerate(kinds.T):
        h, chance = _hypergeometric(size, hits, within)
        all_within = np.full_like(h, within)
        inner = _precisions(np.full_like(h, ahead), won, all_within, h, all_within)
        shares = chance / np.maximum(won + h, 1)
        found[:, kind] = shares @ inner, shares.sum()
    return found[:, back.ravel()]


def _hypergeometric(size: int, hits: int, places: int) -> tuple[np.ndarray, np.ndarray]:
    """Return every possible number of hits within ``places`` of ``size`` and its probability.

    Each probability follows from the one before by a ratio of four small numbers, in logarithms so that no
    tail underflows on the way, and all are scaled to sum to 1: no gamma function of a large number loses
    digits here.
    """
    h = np.arange(max(0, places - (size - hits)), min(hits, places) + 1)
    down = h[:-1]
    ratio = (hits - down) * (places - down) / ((down + 1.0) * (size - hits - places + down + 1))
    logs = np.r_[0.0, np.cumsum(np.log(ratio))]
    weights = np.exp(logs - logs.max())
    return h, weights / weights.sum()
