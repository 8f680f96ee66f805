"""What each gallery item does to each query's metrics: their values with it, less their values without it.

Efron & Tibshirani (1993), *An Introduction to the Bootstrap*, chapter 11, turned on the gallery: every item
is left out in turn, in closed form, without ranking anything again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from alignkit.retrieval.exact.ranks import Ranks
from alignkit.retrieval.metrics import Metric, evaluate
from alignkit.retrieval.ties import TieGroups, tie_groups

AT_ONCE = 1 << 20  # tie groups evaluated at a time
Place = Literal["above", "level", "positive"]


@dataclass(frozen=True, eq=False, slots=True)
class Influence:
    """Entries with ``query``, ``item`` and one column of ``effect`` for each metric; others have no effect.

    ``positive`` marks entries whose item is a positive of the query. Where it is the only one, the query
    would have nothing left to find, and the effect is NaN.
    """

    query: np.ndarray
    item: np.ndarray
    positive: np.ndarray
    effect: np.ndarray


def gallery_influence(ranks: Ranks, metrics: Sequence[Metric], nearest: np.ndarray) -> Influence:
    """Return the effect of the items of ``nearest`` and of all positives on the metrics of each query.

    ``nearest`` holds, for each query, rows of the gallery from the best down; -1 fills up. It says who
    stands at which place, the ranks say where the positives stand: a negative counts as above a positive
    if so many negatives are. Items behind the list have no entry; on a metric cut off at k, none that is
    behind the k-th place has an effect.

    Examples
    --------
    >>> from alignkit.retrieval.metrics import parse_metric
    >>> from alignkit.retrieval.exact.positives import Positives
    >>> from alignkit.retrieval.exact.ranks import rank_scores
    >>> scores = np.array([[0.5, 0.9, 0.1]])  # item 1 stands above the positive, item 0
    >>> ranks = rank_scores(scores, Positives.from_links(np.array([[0, 0]]), 1, 3))
    >>> found = gallery_influence(ranks, [parse_metric("mrr")], np.array([[1, 0, 2]]))
    >>> found.item.tolist(), found.effect.tolist()  # without item 1, mrr would be 1
    ([1, 0], [[-0.5], [nan]])
    """
    groups = tie_groups(ranks)
    whole = _stacked(groups, metrics)[groups.query]
    lost = {place: whole - _without(groups, metrics, place) for place in ("above", "level", "positive")}
    query, item, bucket = _negatives(ranks, groups, nearest)
    effect = np.stack([lost["above"], lost["level"]], axis=1).reshape(-1, len(metrics))[bucket]
    felt = (effect != 0).any(axis=1)
    owner = ranks.positives
    order = owner.order_by(-ranks.score)  # as tie_groups orders them
    own = np.repeat(np.arange(len(groups.query)), groups.hits)
    return Influence(
        np.r_[query[felt], owner.queries[order]],
        np.r_[item[felt], owner.indices[order]],
        np.r_[np.zeros(int(felt.sum()), bool), np.ones(len(order), bool)],
        np.concatenate([effect[felt], lost["positive"][own]]),
    )


def _stacked(groups: TieGroups, metrics: Sequence[Metric]) -> np.ndarray:
    return np.stack(list(evaluate(groups, metrics).values()), axis=1)


def _negatives(
    ranks: Ranks, groups: TieGroups, nearest: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return query, item and bucket of every listed negative that is no worse than the last positive.

    Bucket 2 t holds the negatives between tie group t and the one before it, 2 t + 1 those inside t.
    """
    g = ranks.n_gallery
    owner = ranks.positives
    links = np.sort(owner.queries * g + owner.indices)
    flat = np.arange(len(nearest))[:, None] * g + nearest
    is_positive = np.zeros(flat.shape, bool)
    if len(links):
        is_positive = links[np.minimum(np.searchsorted(links, flat), len(links) - 1)] == flat
    negative = (nearest >= 0) & ~is_positive
    query, column = np.nonzero(negative)
    place = (np.cumsum(negative, axis=1) - 1)[query, column]
    # ends of the buckets among the negatives, one number line after the other
    ahead = groups.ahead - groups.won
    ends = np.stack([ahead, ahead + groups.size - groups.hits], axis=1)
    line = (ends + groups.query[:, None] * (g + 1)).ravel()
    bucket = np.searchsorted(line, query * (g + 1) + place, side="right")
    known = bucket < len(line)
    known[known] = groups.query[bucket[known] // 2] == query[known]
    return query[known], nearest[query[known], column[known]], bucket[known]


def _without(groups: TieGroups, metrics: Sequence[Metric], place: Place) -> np.ndarray:
    """Return, for each tie group, the metrics of its query without one item above, level, or its own.

    NaN where there is no such item, or no positive would be left.
    """
    ahead = groups.ahead - groups.won
    behind = ahead + groups.size - groups.hits
    before = np.where(groups.first, 0, np.r_[0, behind[:-1]][: len(behind)])
    there = {
        "above": ahead > before,
        "level": groups.size > groups.hits,
        "positive": groups.positives[groups.query] > 1,
    }[place]
    found = np.full((len(there), len(metrics)), np.nan)
    for part in _parts(groups, np.flatnonzero(there)):
        found[part] = _stacked(_less_one(groups, part, place), metrics)
    return found


def _parts(groups: TieGroups, which: np.ndarray) -> Iterator[np.ndarray]:
    """Split tie groups so that those of all their queries fit into memory."""
    sizes = np.bincount(groups.query, minlength=len(groups.positives))[groups.query[which]]
    pieces = np.cumsum(sizes) // AT_ONCE
    yield from np.split(which, np.flatnonzero(np.diff(pieces)) + 1) if len(which) else ()


def _less_one(groups: TieGroups, which: np.ndarray, place: Place) -> TieGroups:
    """Return the tie groups of one copied query for each chosen group, less one item at that place."""
    counts = np.bincount(groups.query, minlength=len(groups.positives))
    owner = groups.query[which]
    copy = np.repeat(np.arange(len(which)), counts[owner])
    inner = np.arange(len(copy)) - np.repeat(np.cumsum(counts[owner]) - counts[owner], counts[owner])
    member = (np.cumsum(counts) - counts)[owner][copy] + inner
    own, later = member == which[copy], member > which[copy]
    ahead = groups.ahead[member] - (later | own if place == "above" else later)
    size = groups.size[member] - (own if place != "above" else 0)
    won, hits, positives = groups.won[member], groups.hits[member], groups.positives[owner]
    if place == "positive":
        won, hits, positives = won - later, hits - own, positives - 1
    left = hits > 0
    return TieGroups(
        copy[left], ahead[left], won[left], size[left], hits[left], positives, groups.candidates[owner]
    )
