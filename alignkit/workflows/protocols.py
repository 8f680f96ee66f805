"""Evaluate by a protocol that papers are known by, and refuse data that are not its own."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from alignkit.alignment import Alignment
from alignkit.errors import DataError
from alignkit.reports import Report, Score
from alignkit.retrieval.metrics import parse_metric
from alignkit.retrieval.protocol import Protocol
from alignkit.retrieval.protocols import PROTOCOLS
from alignkit.retrieval.protocols._base import Plan
from alignkit.retrieval.protocols._card import Card, gallery_digests
from alignkit.shapes import Labels
from alignkit.spaces import Embeddings
from alignkit.statistics.intervals import SOUND, bootstrap_interval
from alignkit.workflows._facts import facts_of
from alignkit.workflows.evaluation import Evaluation, evaluate, row_groups

DECIDING = ("similarity", "ties", "without_positive")  # fields of a scoring that decide values


def evaluate_as(
    name: str,
    queries: Embeddings,
    gallery: Embeddings,
    *,
    alignment: Alignment | None = None,
    any_size: bool = False,
    protocol: Protocol | None = None,
    gallery_hash: str | None = None,
) -> Evaluation:
    """Return the figures of a named protocol, with its card's facts in the report's ``named_protocol``.

    Which rows are queries, which columns they need, and what is right says ``PROTOCOLS.get(name).card``.
    ``protocol`` replaces the card's scoring (metrics, ties, intervals); a change of values is named in the
    report. With ``any_size`` data of other sizes are scored, and the report says that no published figure
    is comparable. ``gallery_hash`` is the hash of a report, sorted or in order: another gallery is refused.

    Folds are ranked one by one and their figures averaged, each fold counting alike. The interval draws
    clusters of all folds together (a cluster that spans folds, like a class, is drawn whole); each query
    has the weight with which its fold counts. A draw may hold more of one fold than of another, so that
    differences between folds widen the interval. A median or geometric mean over folds has none.

    Raises
    ------
    UnknownNameError
        If no protocol has that name.
    DataError
        If a column is missing, the data are not the protocol's, or it ranks no gallery.

    Examples
    --------
    >>> pictures = Embeddings(np.eye(3), ids=["a", "b", "c"])
    >>> captions = Embeddings(np.eye(3).repeat(5, 0), items=pa.table({"image": list("aaaaabbbbbccccc")}))
    >>> found = evaluate_as("flickr8k", captions, pictures, any_size=True)
    >>> found.report.sections["backward"]["hit@5"].value, found.report.context["named_protocol"]["comparable"]
    (1.0, False)
    """
    named = PROTOCOLS.get(name)()
    scoring = protocol or named.card.protocol()
    plan = named.plan(queries, gallery, any_size=any_size)
    digests = gallery_digests(plan.whole.target.ids)
    if gallery_hash is not None and gallery_hash not in digests.values():
        raise DataError(
            f"{plan.whole.target.name} is not the gallery that was asked for: its ids give "
            f"{digests['sorted']} sorted and {digests['in_order']} in order, where {gallery_hash} is wanted; "
            "give the same rows, or leave the hash out."
        )
    if len(plan.rounds) == 1:
        whole = evaluate(*plan.whole.sides, pairs=plan.whole, alignment=alignment, protocol=scoring)
    else:
        whole = _averaged(plan, alignment, scoring)
    about = facts_of_card(named.card, scoring, plan.differs, digests)
    return replace(
        whole, report=replace(whole.report, context={**whole.report.context, "named_protocol": about})
    )


def facts_of_card(
    card: Card, scoring: Protocol, differs: tuple[str, ...], digests: dict[str, str]
) -> dict[str, Any]:
    """Return what a report says of the protocol that it followed, and whether it did."""
    wanted = card.protocol()
    changed = [field for field in DECIDING if getattr(scoring, field) != getattr(wanted, field)]
    clauses = [*differs, *(f"{field} is {getattr(scoring, field)!r}" for field in changed)]
    return {
        "name": card.name,
        "headline": list(card.headline),
        "comparable": not clauses,
        "compared": "sizes, positives, folds and scoring; which rows they are says the gallery's hash",
        "differs": clauses,
        "warning": f"not comparable with published figures: {'; '.join(clauses)}." if clauses else None,
        "gallery_sha256": digests,
        "folds": card.folds,
        "called": dict(card.called),
    }


def _averaged(plan: Plan, alignment: Alignment | None, protocol: Protocol) -> Evaluation:
    """Return the mean over rounds of every figure, and one table a direction with the round of each row."""
    parts = [plan.pairs(one) for one in plan.rounds]
    bare = replace(protocol, resamples=0)
    found = [evaluate(*pairs.sides, pairs=pairs, alignment=alignment, protocol=bare) for pairs in parts]
    labels = plan.whole.components()
    sections, tables, sizes = {}, {}, {}
    for side, direction in enumerate(("forward", "backward")):
        group_of = row_groups(plan.whole.links[:, side], labels, len(plan.whole.sides[side]))
        rows = [one.query_rows if side == 0 else one.gallery_rows for one in plan.rounds]
        folds = [
            one.tables[direction].append_column("fold", pa.array([round_.name] * len(held)))
            for one, round_, held in zip(found, plan.rounds, rows, strict=True)
        ]
        groups = [group_of[held] for held in rows]
        scores = [one.report.sections[direction] for one in found]
        sections[direction] = {name: _mean_score(name, scores, folds, groups, protocol) for name in scores[0]}
        tables[direction] = pa.concat_tables(folds)
        sizes[direction] = len(np.unique(np.concatenate(groups)))
    return Evaluation(Report("eval", sections, _context(plan, found, protocol, sizes)), tables)


def _mean_score(
    name: str,
    scores: list[dict[str, Score]],
    tables: list[pa.Table],
    groups: list[Labels],
    protocol: Protocol,
) -> Score:
    """Return the mean over folds of one metric, with an interval over the groups of all folds."""
    held = [one[name] for one in scores]
    bases = [one.unaligned for one in held if one.unaligned is not None]
    chances = [one.chance for one in held if one.chance is not None]
    low, high = _interval(name, [table[name].to_numpy() for table in tables], groups, protocol)
    return Score(
        _mean([one.value for one in held]),
        low,
        high,
        n=sum(one.n for one in held),
        chance=_mean(chances) if len(chances) == len(held) else None,
        unaligned=_mean(bases) if len(bases) == len(held) else None,
    )


def _interval(
    name: str, values: list[np.ndarray], groups: list[Labels], protocol: Protocol
) -> tuple[float, float] | tuple[None, None]:
    metric = parse_metric(name)
    if metric.statistic != "mean" or metric.family == "geometric_mean_rank":
        return None, None
    used = [np.isfinite(one) for one in values]
    counts = [int(one.sum()) for one in used]
    # with these weights the mean over all queries is the mean over folds
    weighted = [
        one[kept] * (sum(counts) / (len(counts) * count))
        for one, kept, count in zip(values, used, counts, strict=True)
    ]
    ends = bootstrap_interval(
        np.concatenate(weighted)[:, None],
        np.concatenate([one[kept] for one, kept in zip(groups, used, strict=True)]),
        method=protocol.interval,
        resamples=protocol.resamples,
        level=protocol.level,
        seed=protocol.seed,
    )
    low, high = (float(end) for end in ends[:, 0])
    return (low, high) if np.isfinite(low) else (None, None)


def _context(
    plan: Plan, found: list[Evaluation], protocol: Protocol, sizes: dict[str, int]
) -> dict[str, Any]:
    """Return the first round's context, made true of all rounds."""
    first = found[0].report.context
    facts = [one.report.context["protocol"] for one in found]
    warnings = sorted({line for one in facts for line in one["warnings"]})
    warnings += [
        f"{side}: {count} independent groups of queries over all folds, where an interval takes about "
        f"{SOUND}: the true ones are wider than any that is printed."
        for side, count in sizes.items()
        if protocol.resamples and count < SOUND
    ]
    sides = {
        side: {**facts[0][side], "n": sum(one[side]["n"] for one in facts), "n_groups": sizes[side]}
        | {key: sum(one[side][key] for one in facts) for key in ("without_positive", "tied_queries")}
        for side in ("forward", "backward")
    }
    settings = {
        **facts[0],
        **sides,
        "n_queries": sum(one["n_queries"] for one in facts),
        "resamples": protocol.resamples,
        "interval": f"{facts[0]['interval'].partition(' ')[0]} bootstrap over the groups of all folds "
        "together, each fold counting alike; the galleries are held fixed",
        "warnings": warnings,
    }
    return {
        **first,
        "queries": facts_of(plan.whole.source),
        "gallery": facts_of(plan.whole.target),
        "join": plan.whole.join(),
        "without_direction": _lost(plan, found),
        "protocol": settings,
        "folds": _figures(plan, found),
    }


def _lost(plan: Plan, found: list[Evaluation]) -> dict[str, int]:
    """Return how many rows of each side a map sent to the origin; texts that all rounds share count once."""
    counts = {}
    for side, rows in zip(("queries", "gallery"), plan.whole.sides, strict=True):
        per_round = [one.report.context["without_direction"][side] for one in found]
        ranked = sum(one.report.context[side]["rows"] for one in found)
        counts[side] = sum(per_round) if ranked == len(rows) else max(per_round)
    return counts


def _figures(plan: Plan, found: list[Evaluation]) -> dict[str, Any]:
    """Return the size and the values of every round, by its name."""
    return {
        one.name: {
            "queries": len(one.query_rows),
            "gallery": len(one.gallery_rows),
            **{
                side: {name: score.value for name, score in scores.items()}
                for side, scores in result.report.sections.items()
            },
        }
        for one, result in zip(plan.rounds, found, strict=True)
    }


def _mean(values: list[float]) -> float:
    return float(np.mean(np.sort(values)))
