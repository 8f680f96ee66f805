"""Measure how far two modalities lie apart, before and after a map."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from alignkit.alignment import Alignment
from alignkit.errors import DataError
from alignkit.gaps import MEASURES
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._curve import sample_size_curve
from alignkit.gaps._measure_all import asked_names, gap_facts, measure_clouds
from alignkit.pairs import Pairs
from alignkit.reports import Report
from alignkit.rows import Rows
from alignkit.spaces import Embeddings
from alignkit.workflows._facts import facts_of, versions
from alignkit.workflows._gap_stream import is_large, stream_gap
from alignkit.workflows._gap_warnings import check_two_modalities, gap_warnings


def measure_gap(  # noqa: PLR0913 - the whole choice of a report
    source: Embeddings | Rows,
    target: Embeddings | Rows,
    *,
    pairs: Pairs | bool = False,
    alignment: Alignment | None = None,
    measures: Sequence[str] | str | None = None,
    labels: Sequence[str] = (),
    most: int | None = None,
    curve: bool = False,
    seed: int = 0,
) -> Report:
    """Measure how far two modalities lie apart; without ``pairs``, only what needs none.

    Sides are embeddings, or arrays of rows. ``pairs`` says which rows belong together; True pairs equal ids
    (in arrays, row i with row i). With pairs, the rows that have a partner are measured, each once.
    ``measures`` are names, or "all" (without, those that are taken by default), ``labels`` columns of
    the source's metadata for the measures that compare labels, and ``most`` the rows a side beyond which
    measures that compare every row with every other take a seeded sample. What cannot be measured stands
    with its reason in ``context["protocol"]["not_measured"]``, and with ``curve`` the values at smaller
    samples in ``context["curve"]``.

    Sides of more than 100 million numbers stream by: what adds up over rows is taken from all of them in
    memory that their number does not change, with a jackknife over blocks of chunks in place of bootstraps;
    the other measures are taken on a sample, as ``context["protocol"]["sampled"]`` says.

    With an alignment, section ``measures`` is the gap that remains after it, in the target's own frame,
    and ``before`` (where dimensions allow) the gap of the rows as they came.

    Raises
    ------
    DataError
        If dimensions differ and no alignment joins them, rows are not finite or have no direction, one
        modality is given twice, a measure that was asked for cannot be taken, or none can.
    UnknownNameError
        If no measure has that name.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> one, other = (rng.normal(size=(50, 8)) + shift for shift in (0, 9))
    >>> report = measure_gap(one, other, measures=["centroid_distance"])
    >>> report.sections["measures"]["centroid_distance"].value > 0.7
    True
    """
    asked = asked_names(measures)
    chosen = _chosen(asked)
    left, right = (_embeddings(side) for side in (source, target))
    links = Pairs.by_id(left, right) if pairs is True else pairs or None
    _check(left, right, alignment)
    mapped = left if alignment is None else alignment.apply(left)
    mapped.space.check_meets(right.space, f"{left.name}, measured against {right.name},")
    sides = {"measures": mapped}
    if alignment is not None and left.dim == right.dim:
        sides["before"] = left
    sections, protocol, curves = {}, {}, {}
    for section, side in sides.items():
        if not labels and is_large(side, right, links):
            found = stream_gap(side, right, links, chosen, most=most, seed=seed)
            sections[section], protocol[section] = found
            continue
        clouds = _clouds(side, right, links, labels)
        protocol[section] = gap_facts(clouds, chosen, most=most)
        _check_measured(protocol[section], asked)
        sections[section] = measure_clouds(clouds, chosen, seed=seed, most=most)
        if curve:
            curves[section] = sample_size_curve(clouds, chosen, seed=seed)
    protocol["measures"]["warnings"] = gap_warnings(left, right)
    context: dict[str, Any] = {
        "source": facts_of(left),
        "target": facts_of(right),
        "frame": "own" if alignment is None else "target",
        "join": None if links is None else links.join(),
        "protocol": protocol["measures"],
        "seed": seed,
        "versions": versions(),
    }
    if curves:
        context["curve"] = curves
    return Report("gap", sections, context)


def _chosen(asked: list[str]) -> list[str] | None:
    if not asked:
        return None
    return MEASURES.names() if asked == ["all"] else [MEASURES.check(name) for name in asked]


def _check_measured(facts: dict[str, Any], asked: list[str]) -> None:
    """Raise DataError where what was asked for by name cannot be measured, or nothing can."""
    refused, by_name = facts["not_measured"], asked not in ([], ["all"])
    if refused and (by_name or not facts["interval"]):
        name, reason = next(iter(refused.items()))
        more = f", nor can {len(refused) - 1} more" if len(refused) > 1 else ""
        raise DataError(
            f"{name} cannot be measured{more}: {reason}; add what is missing, or choose other measures."
        )


def _embeddings(side: Embeddings | Rows) -> Embeddings:
    return side if isinstance(side, Embeddings) else Embeddings(np.asarray(side))


def _check(left: Embeddings, right: Embeddings, alignment: Alignment | None) -> None:
    for side in (left, right):
        side.check(direction=True)
    check_two_modalities(left, right)
    if alignment is None and left.dim != right.dim:
        raise DataError(
            f"{left.name} has {left.dim} dimensions and {right.name} {right.dim}: a gap is measured "
            "in one space; fit a map with `alignkit fit` and pass it with --alignment."
        )


def _clouds(left: Embeddings, right: Embeddings, pairs: Pairs | None, labels: Sequence[str]) -> Clouds:
    """Return unit rows of both sides: all of them, or each row once that has a partner."""
    if pairs is None:
        clouds, rows = Clouds.unpaired(left.array(), right.array()), left
    else:
        linked = Pairs(left, right, pairs.links, pairs.groups).restricted()
        rows = linked.source
        clouds = Clouds.paired(rows.array(), linked.target.array(), linked.links, linked.components())
    columns = [_column(rows, name) for name in labels]
    return replace(clouds, labels=tuple(columns)) if columns else clouds


def _column(rows: Embeddings, name: str) -> np.ndarray:
    values = rows.column(name, "of labels").to_pylist()
    return np.unique([str(value) for value in values], return_inverse=True)[1].astype(np.int64)
