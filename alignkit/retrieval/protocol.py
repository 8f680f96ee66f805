"""Score retrieval in both directions: every number with its interval, its chance level and its protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from alignkit.duplicates import duplicate_labels
from alignkit.errors import DataError, ParameterError
from alignkit.reports import Score
from alignkit.retrieval.chance import chance_levels
from alignkit.retrieval.intervals import (
    FEWEST,
    SOUND,
    IntervalMethod,
    bootstrap_interval,
    check_resampling,
)
from alignkit.retrieval.metrics import Metric, evaluate, parse_metric
from alignkit.retrieval.positives import Positives
from alignkit.retrieval.ranks import Ranks, rank_both
from alignkit.retrieval.ties import TIES, Ties, tie_groups
from alignkit.retrieval.vectors import SIMILARITIES, Similarity
from alignkit.rows import Rows, computing_dtype

WithoutPositive: TypeAlias = Literal["error", "skip", "zero"]
POLICIES = ("error", "skip", "zero")
NAMES = {"percentile": "percentile", "bca": "BCa"}
MANY_TIED = 0.01  # of the queries: from here on, half precision decides digits that people read


@dataclass(frozen=True, slots=True)
class Protocol:
    """Say how retrieval is scored; every field is repeated among the facts of the result.

    Parameters
    ----------
    metrics
        Names as `parse_metric` reads them.
    similarity
        ``"cosine"``, ``"dot"`` or ``"euclidean"``.
    ties
        ``"expected"``: the mean over all orders of tied items; or ``"optimistic"`` or ``"pessimistic"``.
    without_positive
        What a query without a positive gets. ``"error"``: the forward direction refuses it. ``"skip"``: it
        is left out. ``"zero"``: it counts 0 in every metric, and as one behind the last in a rank. Backward,
        ``"error"`` leaves items without a query out: a gallery may hold distractors. All are counted.
    interval, resamples, level, seed
        Of the bootstrap intervals, ``"percentile"`` or ``"bca"``; without resamples there are none.
    """

    metrics: Sequence[str] = ("mrr", "hit@1", "hit@5", "hit@10")
    similarity: Similarity = "cosine"
    ties: Ties = "expected"
    without_positive: WithoutPositive = "error"
    interval: IntervalMethod = "percentile"
    resamples: int = 10_000
    level: float = 0.95
    seed: int = 0

    def parsed(self) -> list[Metric]:
        """Return the metrics, checked along with the other fields."""
        for name, value, known in (
            ("similarity", self.similarity, SIMILARITIES),
            ("ties", self.ties, TIES),
            ("without_positive", self.without_positive, POLICIES),
        ):
            if value not in known:
                raise ParameterError(f"{name} is {value!r}: choose one of {', '.join(known)}.")
        check_resampling(self.resamples, self.level, self.interval)
        if not self.metrics:
            raise ParameterError("no metric is asked for: name at least one, like mrr.")
        return [parse_metric(name) for name in self.metrics]


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """Scores of both directions, their per-query tables, and the facts that make them comparable.

    ``forward`` ranks the gallery for each query, ``backward`` the queries for each gallery item. The tables
    have one row per query of their direction: its row number, how many positives it has, the best, worst
    and expected rank of its first positive (null without one), and every metric.
    """

    forward: dict[str, Score]
    backward: dict[str, Score]
    forward_table: pa.Table
    backward_table: pa.Table
    facts: dict[str, Any] = field(default_factory=dict)


def score_retrieval(
    queries: Rows,
    gallery: Rows,
    positives: Positives,
    protocol: Protocol | None = None,
    *,
    query_groups: np.ndarray | None = None,
    gallery_groups: np.ndarray | None = None,
) -> RetrievalResult:
    """Return exact retrieval scores in both directions, with bootstrap intervals and chance levels.

    Ranks are counted against the whole gallery, metrics taken per query, then summarised: the mean, or the
    median for ``median_rank`` (the mean of the two middle ones where the number is even). Groups are labels
    per row; all queries of a group are drawn together in the bootstrap (five captions of one picture). The
    facts hold ``warnings``, sentences for people: too few groups for an interval, or half precision that
    makes more than one query in a hundred tie.

    Raises
    ------
    DataError
        If shapes do not fit, a row cannot be scored, or a query lacks a positive and the protocol says error.
    ParameterError, UnknownNameError
        If the protocol asks for what there is not.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((200, 8))
    >>> result = score_retrieval(x, x + 0.1, Positives.diagonal(200))
    >>> result.forward["hit@1"].value, result.forward["hit@1"].chance
    (1.0, 0.005)
    """
    protocol = protocol or Protocol()
    metrics = protocol.parsed()
    lonely = np.flatnonzero(positives.counts == 0)
    if len(lonely) == positives.n_queries:
        raise DataError("no query has a positive: nothing can be scored; check the pairs.")
    if protocol.without_positive == "error" and len(lonely):
        raise DataError(
            f"query {lonely[0]} has no positive ({len(lonely)} of {positives.n_queries} have none): "
            "add its pairs, or choose to skip such queries or to count them as zero."
        )
    ranks = rank_both(queries, gallery, positives, similarity=protocol.similarity)
    forward, backward = (
        _Direction(side, protocol, metrics, _checked(groups, side))
        for side, groups in zip(ranks, (query_groups, gallery_groups), strict=True)
    )
    facts = {
        **_settings(protocol, metrics),
        "dtype": _dtypes(queries, gallery, protocol.similarity),
        "n_queries": positives.n_queries,
        "n_gallery": positives.n_gallery,
        "forward": {**forward.facts(), "duplicate_gallery_rows": _duplicates(gallery)},
        "backward": {**backward.facts(), "duplicate_gallery_rows": _duplicates(queries)},
    }
    facts["warnings"] = _warnings(facts)
    return RetrievalResult(forward.scores(), backward.scores(), forward.table(), backward.table(), facts)


class _Direction:
    """The queries of one direction with everything that is known of each."""

    def __init__(
        self, ranks: Ranks, protocol: Protocol, metrics: list[Metric], groups: np.ndarray | None
    ) -> None:
        self.ranks, self.protocol, self.metrics, self.groups = ranks, protocol, metrics, groups
        self.counts = ranks.positives.counts
        self.values = evaluate(tie_groups(ranks, protocol.ties), metrics)
        self.zero = protocol.without_positive == "zero"
        if self.zero:
            for metric in metrics:
                self.values[metric.name][self.counts == 0] = metric.worst(ranks.n_gallery)
        self.used = np.flatnonzero((self.counts > 0) | self.zero)

    def scores(self) -> dict[str, Score]:
        """Return every metric, summarised over the queries that count."""
        found: dict[str, Score] = {}
        names = [metric.name for metric in self.metrics]
        chance = chance_levels(self.counts, self.ranks.n_gallery, names, zero=self.zero)
        for statistic in ("mean", "median"):
            names = [metric.name for metric in self.metrics if metric.statistic == statistic]
            if not names:
                continue
            values = np.stack([self.values[name][self.used] for name in names], axis=1)
            groups = None if self.groups is None else self.groups[self.used]
            p = self.protocol
            low, high = bootstrap_interval(
                values,
                groups,
                statistic=statistic,
                method=p.interval,
                resamples=p.resamples,
                level=p.level,
                seed=p.seed,
            )
            values = np.sort(values, axis=0)  # a sum whose last bit the order of the queries does not change
            centre = values.mean(axis=0) if statistic == "mean" else np.median(values, axis=0)
            for i, name in enumerate(names):
                ends = (float(low[i]), float(high[i])) if np.isfinite(low[i]) else (None, None)
                found[name] = Score(float(centre[i]), *ends, n=len(self.used), chance=chance[name])
        return {metric.name: found[metric.name] for metric in self.metrics}

    def table(self) -> pa.Table:
        """Return one row per query."""
        groups = {name: tie_groups(self.ranks, name) for name in TIES}
        rank = parse_metric("mean_rank")
        names = {"optimistic": "best_rank", "pessimistic": "worst_rank", "expected": "expected_rank"}
        columns: dict[str, Any] = {"query": np.arange(len(self.counts)), "n_positives": self.counts}
        for ties, name in names.items():
            value = evaluate(groups[ties], [rank])["mean_rank"]
            whole = pa.int64() if ties != "expected" else pa.float64()
            columns[name] = pa.array(value, from_pandas=True).cast(whole)
        return pa.table(
            columns | {name: pa.array(value, from_pandas=True) for name, value in self.values.items()}
        )

    def facts(self) -> dict[str, Any]:
        """Return what a reader must know of this direction's queries."""
        counts = self.counts[self.used]
        tied = np.unique(self.ranks.positives.queries[self.ranks.tied > 0])
        n_groups = len(self.used) if self.groups is None else len(np.unique(self.groups[self.used]))
        return {
            "n": len(self.used),
            "n_groups": n_groups,
            "without_positive": int((self.counts == 0).sum()),
            "tied_queries": len(tied),
            "positives_per_query": {
                "min": int(counts.min(initial=counts.max(initial=0))),
                "mean": float(counts.mean()) if len(counts) else 0.0,
                "max": int(counts.max(initial=0)),
            },
        }


def _settings(protocol: Protocol, metrics: list[Metric]) -> dict[str, Any]:
    return {
        "metrics": [metric.name for metric in metrics],
        "map_norm": {metric.name: metric.norm for metric in metrics if metric.family == "map"},
        "similarity": protocol.similarity,
        "ties": protocol.ties,
        "without_positive": protocol.without_positive,
        "resamples": protocol.resamples,
        "level": protocol.level,
        "seed": protocol.seed,
        "median_convention": "mean of the two middle values where n is even; ranks start at 1",
        "interval": f"{NAMES[protocol.interval]} bootstrap over queries or their groups; "
        "the gallery is held fixed",
    }


def _warnings(facts: dict[str, Any]) -> list[str]:
    """Return what a reader must know before believing the intervals or the last digits."""
    found = []
    for side in ("forward", "backward"):
        n_groups = facts[side]["n_groups"]
        if facts["resamples"] and n_groups < SOUND:
            found.append(
                f"{side}: {n_groups} independent {'group' if n_groups == 1 else 'groups'} of queries, where "
                f"an interval takes about {SOUND}: "
                + ("there is none." if n_groups < FEWEST else "the true ones are wider than those printed.")
            )
    half = [side for side in ("queries", "gallery") if facts["dtype"][side] == "float16"]
    for side in ("forward", "backward") if half else ():
        share = facts[side]["tied_queries"] / max(facts[side]["n"], 1)
        if share > MANY_TIED:
            found.append(
                f"{side}: {share:.1%} of the queries have a positive that ties with other items, and "
                f"{' and '.join(half)} are stored in float16, which makes ties: store float32."
            )
    return found


def _dtypes(queries: Rows, gallery: Rows, similarity: Similarity) -> dict[str, str]:
    computed = np.result_type(computing_dtype(queries.dtype), computing_dtype(gallery.dtype))
    if similarity == "euclidean":
        computed = np.dtype(np.float64)
    return {"queries": str(queries.dtype), "gallery": str(gallery.dtype), "computed": str(computed)}


def _checked(groups: np.ndarray | None, ranks: Ranks) -> np.ndarray | None:
    if groups is not None and len(groups) != ranks.positives.n_queries:
        raise DataError(f"{len(groups)} group labels for {ranks.positives.n_queries} rows: give one per row.")
    return None if groups is None else np.asarray(groups)


def _duplicates(rows: Rows) -> int:
    """Return how many rows repeat an earlier one byte for byte."""
    labels = duplicate_labels(rows)
    return int((labels != np.arange(len(labels))).sum())
