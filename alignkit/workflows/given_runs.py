"""Score a run that anybody made against judgements, as far as lists with a cut can tell."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alignkit._components import connected
from alignkit.errors import DataError, ParameterError
from alignkit.reports import Report
from alignkit.retrieval._direction import Direction
from alignkit.retrieval.metrics import Metric
from alignkit.retrieval.protocol import Protocol
from alignkit.retrieval.scoring import settings, warnings
from alignkit.retrieval.search.runs import ListRanks, Qrels, Run, rank_run
from alignkit.retrieval.ties import ORDERS, Ties
from alignkit.workflows._facts import versions
from alignkit.workflows.evaluation import Evaluation, row_groups

METRICS = ("mrr@10", "hit@1", "hit@5", "hit@10")  # where none are asked for: a run has a cut


def evaluate_run(
    run: Run,
    qrels: Qrels,
    *,
    n_gallery: int | None = None,
    metrics: Sequence[str] | None = None,
    protocol: Protocol | None = None,
) -> Evaluation:
    """Score the queries of a run; there is no other direction, since a run does not list the queries.

    A list knows nothing of what it leaves out: metrics with a cut inside the lists are those of the whole
    gallery, others are refused unless ``n_gallery`` says that the lists are whole. The exception is a tie
    that the cut of the lists may have split; the warnings count the queries for which it reaches into a
    metric. A query that is judged and not in the run finds nothing (as trec_eval does with ``-c``; without
    it such queries are left out). A query without a relevant item is treated as the protocol says. Chance
    levels need ``n_gallery``. Ties by ``docid_desc`` are trec_eval's order. Intervals resample connected
    components of what is relevant.

    Raises
    ------
    ParameterError, UnknownNameError
        If a metric cannot be known from these lists, or the protocol asks for what there is not.
    DataError
        If a query lacks a positive and the protocol says error, or run and judgements share no query.

    Examples
    --------
    >>> run = Run.of(["q"], ["a", "b"], np.array([0, 0]), np.array([0, 1]), np.array([0.2, 0.7]))
    >>> found = evaluate_run(run, Qrels(["q"], ["a"], np.array([[0, 0]]), np.array([1])), metrics=["mrr@2"])
    >>> found.report.sections["forward"]["mrr@2"].value
    0.5
    """
    protocol = protocol or Protocol(metrics=METRICS)
    if metrics is not None:
        protocol = replace(protocol, metrics=tuple(metrics))
    asked = protocol.parsed()
    placed, *in_order = (rank_run(run, qrels, n_gallery=n_gallery, ties=ties) for ties in _orders(protocol))
    positives = placed.ranks.positives
    whole = n_gallery == run.counts.min() and bool(placed.listed.all())
    if not whole:
        _check_cuts(asked, run.depth, int(positives.counts.max(initial=0)))
    _check_queries(run, placed, protocol)
    labels = connected([positives.queries, positives.indices])
    groups = row_groups(positives.queries, labels, positives.n_queries)
    settled = in_order[0].ranks if in_order else None
    side = Direction(placed.ranks, settled, protocol, asked, groups)
    scores = side.scores()
    if n_gallery is None:
        scores = {name: replace(score, chance=None) for name, score in scores.items()}
    facts = _protocol_facts(protocol, asked, side, n_gallery)
    facts["warnings"] = [*run.warnings, *warnings(facts), *_of_lists(run, placed, asked, whole=whole)]
    context = {
        "queries": {"rows": len(placed.queries)},
        "gallery": {"rows": n_gallery},
        "frame": "given run",
        "run": {"tag": run.tag, "depth": run.depth, "lists": len(run.queries), "hits": len(run)},
        "relevance": _facts(qrels, placed),
        "protocol": facts,
        "versions": versions(),
    }
    return Evaluation(Report("eval", {"forward": scores}, context), {"forward": _table(side, placed)})


def _orders(protocol: Protocol) -> list[Ties]:
    """Return how ties are ranked: left open, then by the protocol's order where it names one."""
    return ["expected", *([protocol.ties] if protocol.ties in ORDERS else [])]


def _protocol_facts(
    protocol: Protocol, metrics: list[Metric], side: Direction, n_gallery: int | None
) -> dict[str, Any]:
    return {
        **settings(protocol, metrics),
        "similarity": "given scores",
        "dtype": {"scores": "float64"},
        "n_queries": side.ranks.positives.n_queries,
        "n_gallery": n_gallery,
        "forward": side.facts(),
    }


def _check_cuts(metrics: list[Metric], depth: int, most: int) -> None:
    """Raise ParameterError where a metric looks behind the end of the lists."""
    for metric in metrics:
        if metric.is_rank:
            raise ParameterError(
                f"{metric.name} needs the rank of every query's positive, and the lists end at {depth}: "
                f"take mrr@{depth}, or a run of the whole gallery with its size."
            )
        reach = most if metric.family == "rprecision" else metric.k
        if reach is None or reach > depth:
            other = "recall" if metric.family == "rprecision" else metric.family
            found = "the whole gallery" if reach is None else f"the first {reach} items"
            raise ParameterError(
                f"{metric.name} looks at {found}, and the lists end at {depth}: take {other}@{depth}, or a "
                "longer run (one of the whole gallery with its size, for a metric without a cut)."
            )


def _check_queries(run: Run, placed: ListRanks, protocol: Protocol) -> None:
    """Raise DataError where the two sides do not meet, or a query cannot be scored."""
    counts = placed.ranks.positives.counts
    if not counts[: len(run.queries)].any():
        first = next((name for name, count in zip(placed.queries, counts, strict=True) if count), None)
        raise DataError(
            f"no query of the run ({run.queries[0] if run.queries else 'it has none'!r} is the first) has a "
            f"relevant item; the judgements begin with query {first!r}: give files of the same queries."
        )
    lonely = np.flatnonzero(counts == 0)
    if protocol.without_positive == "error" and len(lonely):
        raise DataError(
            f"query {placed.queries[lonely[0]]!r} has no relevant item ({len(lonely)} of {len(counts)} have "
            "none): add judgements, or choose to skip such queries or to count them as zero."
        )


def _of_lists(run: Run, placed: ListRanks, metrics: list[Metric], *, whole: bool) -> list[str]:
    """Return sentences on what the lists leave open."""
    found = []
    judged = placed.ranks.positives.counts > 0
    missing = int(judged[len(run.queries) :].sum())
    if missing:
        found.append(
            f"{missing} of {int(judged.sum())} queries with a relevant item are not in the run (the first is "
            f"{placed.queries[len(run.queries) + int(np.argmax(judged[len(run.queries) :]))]!r}): they count "
            "as finding nothing; trec_eval without -c leaves them out."
        )
    if whole:
        return found
    cuts = [metric.k for metric in metrics if metric.k is not None]
    cuts += [placed.ranks.positives.counts.max(initial=0)] if any(m.k is None for m in metrics) else []
    deepest, counts = max(cuts), run.counts
    short = int((counts < deepest).sum())
    if short:
        found.append(
            f"{short} of {len(counts)} lists hold fewer than {deepest} items: what they leave out counts as "
            "not found."
        )
    ends = run.tied_ends()
    cut = (counts == run.depth) & judged[: len(counts)]
    torn = int(((ends > 1) & (counts - ends < deepest) & cut).sum())
    if torn:
        found.append(
            f"{torn} lists end in a tie, which their cut may have split, and a metric cut at {deepest} looks "
            "into it: its figure can differ from that of the whole gallery; take a longer run."
        )
    return found


def _facts(qrels: Qrels, placed: ListRanks) -> dict[str, Any]:
    grades = qrels.grades[qrels.relevant()]
    return {
        "judgements": len(qrels),
        "positives": len(placed.ranks.positives),
        "listed": int(placed.listed.sum()),
        "grades": {
            "lowest": int(grades.min(initial=1 if not len(grades) else grades.max())),
            "highest": int(grades.max(initial=1)),
            "different": len(np.unique(grades)),
        },
    }


def _table(side: Direction, placed: ListRanks) -> pa.Table:
    """Return the per-query table; ranks are empty where no positive is listed."""
    owner = placed.ranks.positives
    seen = np.zeros(owner.n_queries, bool)
    seen[owner.queries[placed.listed]] = True
    table = side.table()
    for name in ("best_rank", "worst_rank", "expected_rank"):
        column = table[name]
        known = pc.if_else(pa.array(seen), column.combine_chunks(), pa.scalar(None, column.type))
        table = table.set_column(table.column_names.index(name), name, known)
    return table.add_column(0, "id", pa.array(placed.queries))
