"""Score retrieval in both directions: every number with its interval, its chance level and its protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from alignkit.duplicates import duplicate_labels
from alignkit.errors import DataError
from alignkit.reports import Score
from alignkit.retrieval._direction import Direction
from alignkit.retrieval.conventions import break_ties, item_order
from alignkit.retrieval.copies import collapse_duplicates
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import Ranks, rank_both
from alignkit.retrieval.exact.vectors import Similarity
from alignkit.retrieval.metrics import Metric
from alignkit.retrieval.protocol import Protocol, check_positives
from alignkit.retrieval.ties import ORDERS
from alignkit.rows import Rows, computing_dtype
from alignkit.shapes import Labels
from alignkit.statistics.intervals import FEWEST, SOUND

NAMES = {"percentile": "percentile", "bca": "BCa"}
MANY_TIED = 0.01  # of the queries: from here on, half precision decides digits that people read


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
    groups: Sequence[np.ndarray | None] = (None, None),
    ids: Sequence[Sequence[str] | None] = (None, None),
) -> RetrievalResult:
    """Return exact retrieval scores in both directions, with bootstrap intervals and chance levels.

    Ranks are counted against the whole gallery, metrics taken per query, then summarised: the mean, or the
    median for ``median_rank`` (the mean of the two middle ones where the number is even). ``groups`` are
    labels of the queries and of the gallery's rows; all queries of a group are drawn together in the
    bootstrap (five captions of one picture). ``ids`` are the names of both, by which tied items are ordered
    where ``protocol.ties`` asks for that; the tables then hold metrics of that order beside rank intervals
    that show the ties. The facts hold ``warnings``, sentences for people: too few groups for an interval, or
    half precision that makes more than one query in a hundred tie.

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
    check_positives(positives, protocol)
    copies = duplicate_labels(queries), duplicate_labels(gallery)
    if protocol.collapse_duplicates:
        positives = collapse_duplicates(positives, *copies)
    settled = None, None
    if protocol.ties in ORDERS:
        orders = (
            item_order(protocol.ties, len(gallery), ids[1]),
            item_order(protocol.ties, len(queries), ids[0]),
        )
        ranks = rank_both(queries, gallery, positives, similarity=protocol.similarity, orders=orders)
        settled = tuple(break_ties(*side) for side in zip(ranks, orders, strict=True))
    else:
        ranks = rank_both(queries, gallery, positives, similarity=protocol.similarity)
    return score_ranks(
        ranks,
        protocol,
        groups=groups,
        settled=settled,
        about={"dtype": _dtypes(queries, gallery, protocol.similarity)},
        about_sides=tuple({"duplicate_gallery_rows": _repeats(labels)} for labels in reversed(copies)),
    )


def score_ranks(
    ranks: tuple[Ranks, Ranks],
    protocol: Protocol,
    *,
    groups: Sequence[np.ndarray | None] = (None, None),
    settled: Sequence[Ranks | None] = (None, None),
    about: dict[str, Any],
    about_sides: Sequence[dict[str, Any]] = ({}, {}),
) -> RetrievalResult:
    """Return what follows from the ranks of both directions, however they were counted.

    Where ``settled`` ranks are given the metrics are theirs: the same with ties broken. ``about`` and
    ``about_sides`` are facts that the ranks do not tell.
    """
    metrics = protocol.parsed()
    forward, backward = (
        Direction(side, apart, protocol, metrics, _checked(labels, side))
        for side, apart, labels in zip(ranks, settled, groups, strict=True)
    )
    facts = {
        **settings(protocol, metrics),
        **about,
        "n_queries": ranks[0].positives.n_queries,
        "n_gallery": ranks[0].n_gallery,
        "forward": {**forward.facts(), **about_sides[0]},
        "backward": {**backward.facts(), **about_sides[1]},
    }
    facts["warnings"] = warnings(facts)
    return RetrievalResult(forward.scores(), backward.scores(), forward.table(), backward.table(), facts)


def score_direction(
    ranks: Ranks, protocol: Protocol, groups: np.ndarray | None = None
) -> tuple[dict[str, Score], pa.Table]:
    """Return the scores of one direction and its table, as `score_ranks` does for both.

    Examples
    --------
    >>> from alignkit.retrieval.exact.ranks import rank_scores
    >>> ranks = rank_scores(np.array([[0.9, 0.1], [0.5, 0.5]]), Positives.diagonal(2))
    >>> score_direction(ranks, Protocol(metrics=["mrr"]))[0]["mrr"].value
    0.875
    """
    direction = Direction(ranks, None, protocol, protocol.parsed(), _checked(groups, ranks))
    return direction.scores(), direction.table()


def settings(protocol: Protocol, metrics: list[Metric]) -> dict[str, Any]:
    """Return the choices of a protocol as facts of a report."""
    return {
        "metrics": [metric.name for metric in metrics],
        "map_norm": {metric.name: metric.variant for metric in metrics if metric.family == "map"},
        "ndcg_gain": {metric.name: metric.variant for metric in metrics if metric.family == "ndcg"},
        "similarity": protocol.similarity,
        "ties": protocol.ties,
        "without_positive": protocol.without_positive,
        "exclude": protocol.exclude,
        "collapse_duplicates": protocol.collapse_duplicates,
        "resamples": protocol.resamples,
        "level": protocol.level,
        "seed": protocol.seed,
        "median_convention": "mean of the two middle values where n is even, rounded down if named :floor; "
        "ranks start at 1",
        "interval": f"{NAMES[protocol.interval]} bootstrap over queries or their groups; "
        "the gallery is held fixed",
    }


def warnings(facts: dict[str, Any]) -> list[str]:
    """Return what a reader must know before believing the intervals or the last digits.

    ``facts`` are those of a result, of one direction or of both.
    """
    found = []
    sides = [side for side in ("forward", "backward") if side in facts]
    for side in sides:
        n_groups = facts[side]["n_groups"]
        if facts["resamples"] and n_groups < SOUND:
            found.append(
                f"{side}: {n_groups} independent {'group' if n_groups == 1 else 'groups'} of queries, where "
                f"an interval takes about {SOUND}: "
                + ("there is none." if n_groups < FEWEST else "the true ones are wider than those printed.")
            )
    half = [what for what, dtype in facts["dtype"].items() if dtype == "float16"]
    for side in sides if half else ():
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


def _repeats(labels: Labels) -> int:
    """Return how many rows repeat an earlier one."""
    return int((labels != np.arange(len(labels))).sum())
