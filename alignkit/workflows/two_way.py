"""Evaluate with intervals that speak of other queries to another gallery: both sides are resampled."""

from dataclasses import replace

import numpy as np

from alignkit.alignment import Alignment
from alignkit.errors import ParameterError
from alignkit.pairs import Pairs
from alignkit.reports import Score
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_both
from alignkit.retrieval.metrics import Metric
from alignkit.retrieval.protocol import Protocol
from alignkit.retrieval.scoring import warnings
from alignkit.retrieval.search.run_search import best_hits
from alignkit.retrieval.two_way import TwoWayInterval, two_way_interval
from alignkit.shapes import Labels
from alignkit.spaces import Embeddings
from alignkit.workflows.evaluation import Evaluation, evaluate, prepared_rows, row_groups

LISTED = 100  # items whose influence on each query is counted; metrics with a deeper cut list more
NO_MEANS = ("median_rank", "geometric_mean_rank")


def evaluate_two_way(
    queries: Embeddings,
    gallery: Embeddings,
    *,
    pairs: Pairs | None = None,
    alignment: Alignment | None = None,
    protocol: Protocol | None = None,
    center: bool = False,
) -> Evaluation:
    """Return what `evaluate` does, with two-way intervals: for other queries to another gallery of this size.

    The intervals of `evaluate` hold the gallery fixed. Where few items stand in the way of many queries,
    those are too narrow for a reader who has another gallery; see `two_way_interval` for what is assumed.
    The context's ``two_way`` holds both standard errors of every metric: ``query_error`` with this gallery,
    ``error`` with another one. Everything is ranked twice and searched once more: three times the cost.

    Raises
    ------
    ParameterError
        If a metric is no mean over queries, ties are not taken by expectation, or queries without a positive
        count as zero.
    DataError
        As `evaluate`.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((80, 6))
    >>> noise = np.random.default_rng(1).standard_normal(x.shape)
    >>> found = evaluate_two_way(Embeddings(x), Embeddings(x + noise)).report
    >>> errors = found.context["two_way"]["forward"]["mrr"]
    >>> errors["query_error"] <= errors["error"]
    True
    """
    protocol = protocol or Protocol()
    metrics = _checked(protocol)
    pairs = Pairs.by_id(queries, gallery) if pairs is None else pairs
    bare = replace(protocol, resamples=0)
    found = evaluate(queries, gallery, pairs=pairs, alignment=alignment, protocol=bare, center=center)
    rows, _ = prepared_rows(queries, gallery, alignment, protocol.similarity, center=center)
    positives = Positives.from_links(pairs.links, len(queries), len(gallery))
    ranks = rank_both(rows[0], rows[1], positives, similarity=protocol.similarity)
    units = _units(pairs)
    sections, errors = {}, {}
    for side, direction in enumerate(("forward", "backward")):
        depth = _depth(metrics, len(rows[1 - side]))
        near = best_hits(rows[side], rows[1 - side], depth, similarity=protocol.similarity)[0]
        intervals = two_way_interval(
            ranks[side],
            [metric.name for metric in metrics],
            near,
            groups=(units[side], units[1 - side]),
            resamples=protocol.resamples,
            level=protocol.level,
            seed=protocol.seed,
        )
        scores = found.report.sections[direction]
        sections[direction] = {name: _with_ends(scores[name], intervals[name]) for name in scores}
        errors[direction] = {
            name: {"query_error": each.query_error, "error": each.error} for name, each in intervals.items()
        }
    return _with_context(found, sections, errors, protocol)


def _checked(protocol: Protocol) -> list[Metric]:
    """Return the metrics; raise ParameterError where items have no influence that could be added up."""
    metrics = protocol.parsed()
    for metric in metrics:
        if metric.family in NO_MEANS:
            raise ParameterError(
                f"{metric.name} is no mean over the queries, so a two-way interval has none for it: take "
                "mean_rank, or another interval."
            )
    if protocol.ties != "expected":
        raise ParameterError(
            f"ties are {protocol.ties!r}, and a two-way interval takes them by expectation: leave one out."
        )
    if protocol.exclude is not None or protocol.collapse_duplicates:
        raise ParameterError(
            "a two-way interval draws items from the whole gallery as it is: exclude no pairs and collapse "
            "no duplicates, or take another interval."
        )
    if protocol.without_positive == "zero":
        raise ParameterError(
            "a two-way interval leaves queries without a positive out: choose skip, or another interval."
        )
    return metrics


def _units(pairs: Pairs) -> tuple[Labels, Labels]:
    """Return what is drawn together, on both sides; rows without a link are units of their own."""
    labels = pairs.components()
    asked = row_groups(pairs.links[:, 0], labels, len(pairs.source))
    held = row_groups(pairs.links[:, 1], labels, len(pairs.target))
    held[held > labels.max(initial=-1)] += len(asked)  # no number of a query's own
    return asked, held


def _depth(metrics: list[Metric], n_gallery: int) -> int:
    if any(metric.is_rank for metric in metrics):
        return n_gallery
    return min(n_gallery, max([LISTED, *(metric.k or 0 for metric in metrics)]))


def _with_ends(score: Score, interval: TwoWayInterval) -> Score:
    known = bool(np.isfinite(interval.low))
    return replace(score, low=interval.low if known else None, high=interval.high if known else None)


def _with_context(
    found: Evaluation,
    sections: dict[str, dict[str, Score]],
    errors: dict[str, dict[str, dict[str, float]]],
    protocol: Protocol,
) -> Evaluation:
    facts = found.report.context["protocol"] | {"resamples": protocol.resamples}
    facts["interval"] = (
        "two-way bootstrap over queries and gallery: it speaks of another gallery of this size"
    )
    facts["warnings"] = warnings(facts)
    context = found.report.context | {"protocol": facts, "two_way": errors}
    return replace(found, report=replace(found.report, sections=sections, context=context))
