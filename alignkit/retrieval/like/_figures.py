"""Make one figure by one convention: per query first, then summarised as the convention says."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from alignkit.errors import DataError
from alignkit.retrieval.like._conventions import Convention
from alignkit.retrieval.like._inputs import Inputs
from alignkit.retrieval.like._orders import by_id, ordered
from alignkit.retrieval.metrics import per_query
from alignkit.retrieval.positives import Positives
from alignkit.retrieval.ranks import Ranks, rank_scores
from alignkit.shapes import PerQuery

CELLS = 1 << 22  # scores ranked at a time: some 200 MB with their orders


def values_of(
    inputs: Inputs, convention: Convention, known: dict[Convention, Ranks] | None = None
) -> PerQuery:
    """Return the figure of every query: NaN for one without a positive, whatever becomes of it later.

    With ``order="expected"`` they are alignkit's own, from `rank_scores` and `per_query`. ``known`` keeps
    the ranks of the same inputs from one call to the next: most conventions share them.
    """
    c = convention
    if c.merged:
        inputs = inputs.merged()
    if c.backward:
        inputs = inputs.transposed()
    scores = inputs.scores if c.dtype is None else inputs.scores.astype(c.dtype)
    if c.adjust is not None:
        scores = c.adjust(scores)
    gains = np.where(inputs.relevance >= c.level, inputs.relevance if c.graded else 1, 0)
    if c.order == "expected":
        values = _expected(scores, gains, c, {} if known is None else known)
    else:
        columns = by_id(inputs.item_ids, c.order)
        size = max(1, CELLS // scores.shape[1])
        values = np.concatenate(
            [
                _ranked(scores[rows : rows + size][:, columns], gains[rows : rows + size][:, columns], c)
                for rows in range(0, len(scores), size)
            ]
        )
    values[~gains.any(axis=1)] = np.nan
    return values


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


def _expected(
    scores: np.ndarray, gains: np.ndarray, c: Convention, known: dict[Convention, Ranks]
) -> PerQuery:
    """Return alignkit's value, which is the mean over all orders of tied items."""
    if c.family == "ndcg" and c.graded:
        return _graded_ndcg(scores, gains, c)
    kept = (gains > 0) & (scores > 0) if c.above_zero else gains > 0
    key = replace(c, family="", k=None, norm="R", graded=False, floored=False, empty="skip", scale=1.0)
    if key not in known:
        known[key] = rank_scores(scores, Positives.from_links(np.argwhere(kept), *kept.shape))
    counts = known[key].positives.counts
    cut = c.k or (scores.shape[1] if c.family in ("hit", "recall", "precision") else None)
    suffix = ":R" if c.family == "map" and cut and c.norm == "R" else ""
    name = c.family + (f"@{cut}{suffix}" if cut else "")
    values = per_query(known[key], [name])[name]
    values[counts == 0] = 0.0
    if c.family == "recall":  # of all positives, those that were lost among them
        values *= counts / np.maximum((gains > 0).sum(axis=1), 1)
    return values


def _graded_ndcg(scores: np.ndarray, gains: np.ndarray, c: Convention) -> PerQuery:
    """Give every place of a tie the mean gain of its items."""
    values = np.zeros(len(scores))
    for row, (score, gain) in enumerate(zip(scores, gains, strict=True)):
        _, group, size = np.unique(-score, return_inverse=True, return_counts=True)
        mean = np.bincount(group.ravel(), gain) / size
        values[row] = _dcg(np.repeat(mean, size)[None, : c.k])[0] / _ideal(gain[None], c)[0]
    return values


def _ranked(scores: np.ndarray, gains: np.ndarray, c: Convention) -> PerQuery:
    """Return the values of a block of queries whose items are put into one order."""
    n_gallery = scores.shape[1]
    depth = n_gallery if c.norm == "unsorted" else min(c.depth or c.k or n_gallery, n_gallery)
    found = gains * (scores > 0) if c.above_zero else gains
    order = ordered(scores, found, c.order, depth)
    if c.family == "map" and c.norm == "unsorted":
        return _unsorted_map(order, found, c)
    ranked = np.take_along_axis(found, order, axis=1)[:, : c.k]
    hits, positives = ranked > 0, np.maximum((gains > 0).sum(axis=1), 1)
    rank = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1.0, np.inf)
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    made: dict[str, Callable[[], PerQuery]] = {
        "mrr": lambda: 1 / rank,
        "mean_rank": lambda: rank,
        "median_rank": lambda: rank,
        "hit": lambda: np.isfinite(rank).astype(np.float64),
        "recall": lambda: hits.sum(axis=1) / positives,
        "precision": lambda: hits.sum(axis=1) / (c.k or n_gallery),
        "ndcg": lambda: _dcg(ranked) / _ideal(gains, c),
        "map": lambda: (hits * precision).sum(axis=1) / _map_norm(hits, positives, c),
    }
    return made[c.family]()


def _map_norm(hits: np.ndarray, positives: np.ndarray, c: Convention) -> np.ndarray:
    if c.norm == "hits":
        return np.maximum(hits.sum(axis=1), 1)
    return positives if c.norm == "R" or c.k is None else np.minimum(positives, c.k)


def _unsorted_map(order: np.ndarray, gains: np.ndarray, c: Convention) -> PerQuery:
    """Count the i-th positive in the order of the columns, if it is within the cut, as i hits at its rank."""
    places = np.argsort(order, axis=1) + 1  # of every column
    values = np.empty(len(order))
    for row, (place, gain) in enumerate(zip(places, gains, strict=True)):
        within = place[gain > 0]
        n_positives, within = len(within), within[within <= (c.k or len(place))]
        values[row] = (np.arange(1, len(within) + 1) / within).sum() / max(n_positives, 1)
    return values


def _dcg(ranked: np.ndarray) -> PerQuery:
    return ranked @ (1 / np.log2(np.arange(2, ranked.shape[1] + 2)))


def _ideal(gains: np.ndarray, c: Convention) -> PerQuery:
    best = _dcg(-np.sort(-gains, axis=1)[:, : c.k])
    return np.where(best > 0, best, 1.0)
