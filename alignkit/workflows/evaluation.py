"""Score retrieval in both directions, as the rows are or through an alignment."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from alignkit.alignment import Alignment
from alignkit.errors import DataError
from alignkit.pairs import Pairs
from alignkit.reports import Report, Score
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.vectors import Similarity
from alignkit.retrieval.protocol import Protocol
from alignkit.retrieval.scoring import RetrievalResult, score_retrieval
from alignkit.rows import Rows
from alignkit.shapes import Labels, Links
from alignkit.spaces import Embeddings
from alignkit.workflows._exclusions import excluded_links, exclusion_facts
from alignkit.workflows._facts import facts_of, versions

ROUNDING = 8 * np.finfo(np.float64).eps  # of the length of a centred unit row


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What `evaluate` returns: scores of both directions, and every query's ranks as Arrow tables.

    A table has one row per query: ``id``, ``group`` (equal for queries that are one observation), and the
    columns of `RetrievalResult`.
    """

    report: Report
    tables: dict[str, pa.Table] = field(default_factory=dict)


def evaluate(
    queries: Embeddings,
    gallery: Embeddings,
    *,
    pairs: Pairs | None = None,
    alignment: Alignment | None = None,
    metrics: Sequence[str] | None = None,
    protocol: Protocol | None = None,
    center: bool = False,
) -> Evaluation:
    """Score retrieval in both directions, through ``alignment`` in its joint frame or as the rows are.

    ``backward`` asks the other way round: each gallery item looks for its queries. With ``center`` each
    side's mean over these very rows is subtracted from its unit rows first (an optimistic protocol).
    ``metrics`` is short for a protocol that differs from the default in nothing else. Intervals
    resample connected components, so the captions of one picture count as one observation. The
    projected rows of both sides are held in memory. A row that the map or the centring sends to the
    origin has no direction left: it scores 0 with everything, and the context says how many there are.

    Raises
    ------
    DataError
        If dimensions differ and no alignment joins them, or rows are not finite or have no direction.
    SpaceMismatchError
        If the alignment joins other spaces.

    Examples
    --------
    >>> same = Embeddings(np.eye(5))
    >>> evaluate(same, same).report.sections["forward"]["mrr"].value
    1.0
    """
    protocol = protocol or Protocol()
    if metrics is not None:
        protocol = replace(protocol, metrics=tuple(metrics))
    if pairs is None:
        pairs = Pairs.by_id(queries, gallery)
    rows, lost = prepared_rows(queries, gallery, alignment, protocol.similarity, center=center)
    struck = excluded_links(queries, gallery, protocol.exclude)
    labels = pairs.components()
    result = _score(rows, pairs, labels, protocol, struck)
    if alignment is not None and queries.dim == gallery.dim:
        alone = replace(protocol, resamples=0)
        bare = _score((queries.vectors, gallery.vectors), pairs, labels, alone, struck)
        result = _with_baseline(result, bare)
    context = {
        "queries": facts_of(queries),
        "gallery": facts_of(gallery),
        "frame": ("own" if alignment is None else "joint")
        + (", centred by the evaluated rows" if center else ""),
        "without_direction": dict(zip(("queries", "gallery"), lost, strict=True)),
        "join": pairs.join(),
        "excluded": exclusion_facts(protocol.exclude, struck, pairs),
        "protocol": result.facts,
        "versions": versions(),
    }
    tables = {
        "forward": with_ids(result.forward_table, queries, pairs.links[:, 0], labels),
        "backward": with_ids(result.backward_table, gallery, pairs.links[:, 1], labels),
    }
    return Evaluation(
        Report("eval", {"forward": result.forward, "backward": result.backward}, context), tables
    )


def prepared_rows(
    queries: Embeddings,
    gallery: Embeddings,
    alignment: Alignment | None,
    similarity: Similarity,
    *,
    center: bool = False,
) -> tuple[tuple[Rows, ...], list[int]]:
    """Return the rows of both sides as `evaluate` ranks them, and how many of each lost their direction."""
    rows = scored_rows(queries, gallery, alignment, similarity)
    if center:
        rows = tuple(_centered(side) for side in rows)
    if similarity == "cosine" and (center or alignment is not None):
        return with_directions(*rows)
    return rows, [0, 0]


def scored_rows(
    queries: Embeddings, gallery: Embeddings, alignment: Alignment | None, similarity: Similarity
) -> tuple[Rows, ...]:
    """Return the rows of both sides in the frame in which they are scored, checked as `evaluate` says."""
    for side in (queries, gallery):
        side.check(direction=similarity == "cosine" or alignment is not None)
    if alignment is not None:
        alignment.source.check_meets(queries.space, f"the source of this {alignment.method} alignment")
        alignment.target.check_meets(gallery.space, f"the target of this {alignment.method} alignment")
        return alignment.project_source(queries), alignment.project_target(gallery)
    if queries.dim != gallery.dim:
        raise DataError(
            f"{queries.name} has {queries.dim} dimensions and {gallery.name} {gallery.dim}: fit a map with "
            "`alignkit fit` and pass it with --alignment."
        )
    queries.space.check_meets(gallery.space, f"{queries.name}, scored without an alignment,")
    return queries.vectors, gallery.vectors


def _centered(rows: Rows) -> np.ndarray:
    unit = np.asarray(rows[:], dtype=np.float64)
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    unit -= unit.mean(axis=0)
    unit[np.linalg.norm(unit, axis=1) <= ROUNDING] = 0
    return unit.astype(np.float32)


def with_directions(queries: Rows, gallery: Rows) -> tuple[tuple[Rows, ...], list[int]]:
    """Turn rows of zeros to an axis of their side alone, where their cosine with all others is 0."""
    rows = [np.asarray(side[:]) for side in (queries, gallery)]
    zero = [np.logical_not(side.any(axis=1)) for side in rows]
    lost = [int(side.sum()) for side in zero]
    if not any(lost):
        return (queries, gallery), lost
    axes = np.eye(2, dtype=rows[0].dtype)
    widened = [
        np.hstack([side, flat[:, None] * axis.astype(side.dtype)])
        for side, flat, axis in zip(rows, zero, axes, strict=True)
    ]
    return tuple(widened), lost


def _score(
    rows: tuple[Rows, ...], pairs: Pairs, labels: Labels, protocol: Protocol, struck: Links | None
) -> RetrievalResult:
    queries, gallery = rows
    sizes = len(queries), len(gallery)
    positives = Positives.from_links(pairs.links, *sizes)
    if struck is not None:
        positives = positives.excluding(struck)
    return score_retrieval(
        queries,
        gallery,
        positives,
        protocol=protocol,
        groups=[row_groups(linked, labels, n) for linked, n in zip(pairs.links.T, sizes, strict=True)],
        ids=[side.ids.to_pylist() if side.has_ids else None for side in pairs.sides],
    )


def row_groups(rows: np.ndarray, labels: Labels, n: int) -> Labels:
    """Return the component of every row; a row without a link is one of its own."""
    groups = np.arange(n) + (int(labels.max(initial=-1)) + 1)
    groups[rows] = labels
    return groups


def _with_baseline(result: RetrievalResult, bare: RetrievalResult) -> RetrievalResult:
    def joined(scores: dict[str, Score], base: dict[str, Score]) -> dict[str, Score]:
        return {name: replace(score, unaligned=base[name].value) for name, score in scores.items()}

    return replace(
        result, forward=joined(result.forward, bare.forward), backward=joined(result.backward, bare.backward)
    )


def with_ids(table: pa.Table, asked: Embeddings, linked: np.ndarray, labels: Labels) -> pa.Table:
    """Return the table with the id of every query, and the number of those that are one observation."""
    rows: Any = table["query"]
    groups = row_groups(linked, labels, len(asked))[rows.to_numpy()]
    table = table.add_column(0, "id", asked.ids.take(rows.combine_chunks()))
    return table.add_column(1, "group", pa.array(groups))
