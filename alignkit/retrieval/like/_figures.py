"""Make figures by their conventions: per query, from one ranking for all that share it, then summarised."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from alignkit.errors import DataError
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_scores
from alignkit.retrieval.like._conventions import Convention
from alignkit.retrieval.like._inputs import Inputs
from alignkit.retrieval.like._orders import by_id, listed, reordered
from alignkit.retrieval.metrics import per_query
from alignkit.shapes import PerQuery

CELLS = 1 << 22  # scores ranked at a time: some 200 MB with their orders


def per_query_key(convention: Convention) -> Convention:
    """Return the convention without what is settled only when queries are summarised."""
    return replace(convention, floored=False, empty="skip", scale=1.0)


def values_of(inputs: Inputs, conventions: Iterable[Convention]) -> dict[Convention, PerQuery]:
    """Return the figures of every query by their `per_query_key`: NaN for a query without a positive.

    Conventions that rank the same numbers share one ranking. With ``order="expected"`` the figures are
    alignkit's own, from `rank_scores` and `per_query`.
    """
    alike: dict[Convention, list[Convention]] = defaultdict(list)
    for convention in dict.fromkeys(map(per_query_key, conventions)):
        alike[_ranking_key(convention)].append(convention)
    found = {}
    for key, group in alike.items():
        scores, relevance, item_ids = _prepared(inputs, key)
        made = _expected if key.order == "expected" else _ordered
        values = made(scores, relevance, by_id(item_ids, key.order), group)
        lonely = ~(relevance >= key.level).any(axis=1)
        for convention, value in zip(group, values, strict=True):
            value[lonely] = np.nan
            found[convention] = value
    return found


def summarise(values: PerQuery, convention: Convention) -> float:
    """Return the mean of the queries' values, or the median of their ranks.

    Raises
    ------
    DataError
        If no query counts.
    """
    if convention.empty == "skip":
        values = values[~np.isnan(values)]
    elif convention.empty == "zero":
        values = np.nan_to_num(values, nan=0.0)
    if not len(values):
        raise DataError("no query has a positive: nothing can be scored; check the relevance matrix.")
    if convention.family == "median_rank":
        middle = np.median(values)
        return float(np.floor(middle - 1) + 1 if convention.floored else middle)
    return float(values.mean() * convention.scale)


def _ranking_key(c: Convention) -> Convention:
    """Keep what decides which numbers are ranked, and which of equal columns is looked at first."""
    order = c.order if c.order in ("expected", "id_ascending", "id_descending") else "index"
    return replace(c, family="", k=None, order=order, depth=None, norm="R", graded=False)


def _prepared(inputs: Inputs, c: Convention) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return the scores that are compared, the grades beside them and the items' ids."""
    if c.merged:
        inputs = inputs.merged()
    if c.backward:
        inputs = inputs.transposed()
    scores = inputs.scores if c.dtype is None else inputs.scores.astype(c.dtype, copy=False)
    if c.adjust is not None:
        scores = c.adjust(scores)
    if c.listed is None or c.listed >= scores.shape[1]:
        return scores, inputs.relevance, inputs.item_ids
    columns = listed(scores, inputs.relevance, c.listed)
    scores, relevance = (np.take_along_axis(side, columns, axis=1) for side in (scores, inputs.relevance))
    return scores, relevance, inputs.item_ids[: c.listed]


def _expected(
    scores: np.ndarray, relevance: np.ndarray, _: np.ndarray, conventions: list[Convention]
) -> list[PerQuery]:
    """Return alignkit's values, which are means over all orders of tied items."""
    first = conventions[0]
    relevant = relevance >= first.level
    kept = relevant & (scores > 0) if first.above_zero else relevant
    ranks = rank_scores(scores, Positives.from_links(np.argwhere(kept), *kept.shape))
    counts, found = kept.sum(axis=1), []
    for c in conventions:
        if c.family == "ndcg" and c.graded:
            found.append(_graded_ndcg(scores, np.where(relevant, relevance, 0), c))
            continue
        cut = c.k or (scores.shape[1] if c.family in ("hit", "recall", "precision") else None)
        suffix = ":R" if c.family == "map" and cut and c.norm == "R" else ""
        name = c.family + (f"@{cut}{suffix}" if cut else "")
        values = per_query(ranks, [name])[name]
        values[counts == 0] = 0.0
        if c.family == "recall":  # of all positives, those that were lost among them
            values *= counts / np.maximum(relevant.sum(axis=1), 1)
        found.append(values)
    return found


def _graded_ndcg(scores: np.ndarray, gains: np.ndarray, c: Convention) -> PerQuery:
    """Give every place of a tie the mean gain of its items."""
    values = np.zeros(len(scores))
    for row, (score, gain) in enumerate(zip(scores, gains, strict=True)):
        _, group, size = np.unique(-score, return_inverse=True, return_counts=True)
        mean = np.bincount(group.ravel(), gain) / size
        values[row] = _dcg(np.repeat(mean, size)[None, : c.k])[0] / _ideal(gain[None], c)[0]
    return values


def _ordered(
    scores: np.ndarray, relevance: np.ndarray, columns: np.ndarray, conventions: list[Convention]
) -> list[PerQuery]:
    """Return values of rankings in one order, sorted once for a block of queries."""
    size = max(1, CELLS // scores.shape[1])
    blocks = []
    for start in range(0, len(scores), size):
        score, grade = (side[start : start + size][:, columns] for side in (scores, relevance))
        stable = np.argsort(-score, axis=1, kind="stable")
        blocks.append([_ranked(score, grade, stable, c) for c in conventions])
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


def _ranked(score: np.ndarray, grade: np.ndarray, stable: np.ndarray, c: Convention) -> PerQuery:
    n_gallery = score.shape[1]
    gains = np.where(grade >= c.level, grade if c.graded else 1, 0)
    found = gains * (score > 0) if c.above_zero else gains
    if c.family == "map" and c.norm == "unsorted":
        return _unsorted_map(stable, found, c)
    depth = min(c.depth or c.k or n_gallery, n_gallery)
    order = reordered(stable, score, found, c.order, depth)
    ranked = np.take_along_axis(found, order, axis=1)[:, : c.k]
    return MADE[c.family](ranked, gains, c)


def _rank(ranked: np.ndarray, gains: np.ndarray, c: Convention) -> PerQuery:  # noqa: ARG001 - one signature for all
    """Return the rank of the first positive, infinite where none is among those ranked."""
    hits = ranked > 0
    return np.where(hits.any(axis=1), hits.argmax(axis=1) + 1.0, np.inf)


def _hit(ranked: np.ndarray, gains: np.ndarray, c: Convention) -> PerQuery:
    return np.isfinite(_rank(ranked, gains, c)).astype(np.float64)


def _mrr(ranked: np.ndarray, gains: np.ndarray, c: Convention) -> PerQuery:
    return 1 / _rank(ranked, gains, c)


def _recall(ranked: np.ndarray, gains: np.ndarray, c: Convention) -> PerQuery:  # noqa: ARG001 - one signature
    return (ranked > 0).sum(axis=1) / _positives(gains)


def _precision(ranked: np.ndarray, gains: np.ndarray, c: Convention) -> PerQuery:
    return (ranked > 0).sum(axis=1) / (c.k or gains.shape[1])


def _ndcg(ranked: np.ndarray, gains: np.ndarray, c: Convention) -> PerQuery:
    return _dcg(ranked) / _ideal(gains, c)


def _map(ranked: np.ndarray, gains: np.ndarray, c: Convention) -> PerQuery:
    hits, norm = ranked > 0, _positives(gains)
    if c.norm == "hits":
        norm = np.maximum(hits.sum(axis=1), 1)
    elif c.norm == "min(k,R)" and c.k is not None:
        norm = np.minimum(norm, c.k)
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return (hits * precision).sum(axis=1) / norm


MADE: dict[str, Callable[[np.ndarray, np.ndarray, Convention], PerQuery]] = {
    "mrr": _mrr,
    "mean_rank": _rank,
    "median_rank": _rank,
    "hit": _hit,
    "recall": _recall,
    "precision": _precision,
    "ndcg": _ndcg,
    "map": _map,
}


def _unsorted_map(order: np.ndarray, gains: np.ndarray, c: Convention) -> PerQuery:
    """Count the i-th positive in the order of the columns, if it is within the cut, as i hits at its rank."""
    places = np.argsort(order, axis=1) + 1  # of every column
    values = np.empty(len(order))
    for row, (place, gain) in enumerate(zip(places, gains, strict=True)):
        within = place[gain > 0]
        n_positives, within = len(within), within[within <= (c.k or len(place))]
        values[row] = (np.arange(1, len(within) + 1) / within).sum() / max(n_positives, 1)
    return values


def _positives(gains: np.ndarray) -> np.ndarray:
    return np.maximum((gains > 0).sum(axis=1), 1)


def _dcg(ranked: np.ndarray) -> PerQuery:
    return ranked @ (1 / np.log2(np.arange(2, ranked.shape[1] + 2)))


def _ideal(gains: np.ndarray, c: Convention) -> PerQuery:
    best = _dcg(-np.sort(-gains, axis=1)[:, : c.k])
    return np.where(best > 0, best, 1.0)
