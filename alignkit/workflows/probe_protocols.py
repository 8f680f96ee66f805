"""Probe by a protocol that papers are known by: its columns, its folds, its sizes, and what differs."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from alignkit.errors import DataError, ParameterError
from alignkit.probes.cross_fit import Recipe
from alignkit.probes.events import Event
from alignkit.probes.resampling import Resampling
from alignkit.retrieval.protocols import PROTOCOLS
from alignkit.retrieval.protocols._card import Card
from alignkit.spaces import Embeddings
from alignkit.workflows._class_columns import column_of
from alignkit.workflows.probing import Columns, Method, Probed, probe
from alignkit.workflows.probing_frames import EventsProbed, FrameColumns, events_of, probe_frames

TRAINED = ("linear", "mlp")


def probe_as(  # noqa: PLR0913 - a protocol's data, the probe's own choices, and what may differ
    name: str,
    rows: Embeddings,
    *,
    events: pa.Table | Iterable[Event] | None = None,
    method: Method = "linear",
    group: str | None = None,
    any_size: bool = False,
    recipe: Recipe | None = None,
    resampling: Resampling | None = None,
) -> Probed | EventsProbed:
    """Return what a protocol's card asks of a trained probe, with the card's facts in ``named_protocol``.

    ``esc50-5fold`` and ``urbansound8k-10fold`` fit ``method`` to all folds but one, in turn; the figure that
    papers print is ``mean_fold_accuracy``. ``desed-events`` reads the annotated ``events`` from frames; its
    figure is ``macro_f1`` of the section ``event``. ``group`` is the column that names the recording of each
    row, drawn whole in the intervals. Zero-shot figures of the same data are `evaluate_as`.

    Raises
    ------
    UnknownNameError
        If no protocol has that name.
    ParameterError
        If the protocol asks no probe, or not this one.
    DataError
        If a column or the events are missing, or the data are not the protocol's and ``any_size`` is off.

    Examples
    --------
    >>> import numpy as np
    >>> items = pa.table({"label": ["dog", "cat"] * 10, "fold": np.repeat(range(5), 4)})
    >>> found = probe_as("esc50-5fold", Embeddings(np.eye(2)[[0, 1] * 10], items=items), any_size=True)
    >>> found.report.sections["probe"]["mean_fold_accuracy"].value
    1.0
    """
    card = PROTOCOLS.get(name).card
    if card.task == "detection":
        annotated, differs = _annotated(card, rows, events)
        _refuse(card, differs, any_size=any_size)
        columns = FrameColumns(group=group)
        heard = probe_frames(rows, annotated, columns=columns, recipe=recipe, resampling=resampling)
        heard.report.context["named_protocol"] = _about(card, differs, "event macro_f1")
        return heard
    if card.n_folds == 1 or not card.probe:
        known = [each for each in map(_card, PROTOCOLS.names()) if each.task == "detection" or _folded(each)]
        raise ParameterError(
            f"{card.name} asks no trained probe: score it with evaluate_as (alignkit eval --protocol); "
            f"probes have {', '.join(each.name for each in known)}."
        )
    if method not in TRAINED:
        raise ParameterError(
            f"{card.name} as {method} ranks class texts: call evaluate_as (alignkit eval), or choose "
            f"{' or '.join(TRAINED)}."
        )
    if events is not None:
        raise ParameterError(f"{card.name} classifies whole clips: leave the events out.")
    differs = _differences(card, rows)
    _refuse(card, differs, any_size=any_size)
    found = probe(rows, method, columns=Columns(group=group), recipe=recipe, resampling=resampling)
    found.report.context["named_protocol"] = _about(card, differs, "mean_fold_accuracy")
    return found


def _card(name: str) -> Card:
    return PROTOCOLS.get(name).card


def _folded(card: Card) -> bool:
    return bool(card.probe) and card.n_folds > 1


def _annotated(
    card: Card, rows: Embeddings, events: pa.Table | Iterable[Event] | None
) -> tuple[list[Event], list[str]]:
    """Return the events, and what of them is not the card's."""
    if events is None:
        raise DataError(
            f"{card.name} lacks its annotated events: give a table with the columns clip, onset, offset and "
            f"label beside the frames of {rows.name}."
        )
    annotated = events_of(events) if isinstance(events, pa.Table) else list(events)
    classes = len({event.label for event in annotated})
    if classes == card.gallery.rows:
        return annotated, []
    return annotated, [f"the events have {classes} classes where it has {card.gallery.rows}"]


def _differences(card: Card, rows: Embeddings) -> list[str]:
    folds = Counter(column_of(rows, "fold", "says which of the data set's folds each row is in"))
    labels = len(set(column_of(rows, "label", "names the class of each row")))
    found = []
    if len(rows) != card.queries.rows:
        found.append(f"{rows.name} has {len(rows):,} {card.queries.what} where it has {card.queries.rows:,}")
    if len(folds) != card.n_folds:
        found.append(f"the data have {len(folds)} folds where it has {card.n_folds}")
    if card.queries.in_fold is not None:
        uneven = [name for name, size in sorted(folds.items()) if size != card.queries.in_fold]
        found += [f"fold {name} has {folds[name]:,} rows, not {card.queries.in_fold:,}" for name in uneven]
    if labels != card.gallery.rows:
        found.append(f"the labels name {labels} classes where it has {card.gallery.rows}")
    return found


def _refuse(card: Card, differs: list[str], *, any_size: bool) -> None:
    if differs and not any_size:
        raise DataError(
            f"{card.name} is refused: {'; '.join(differs)}: give all of its data, or ask for any size "
            "(any_size, --any-size), and compare the figures with no published one."
        )


def _about(card: Card, differs: list[str], headline: str) -> dict[str, Any]:
    return {
        "name": card.name,
        "probe": card.probe,
        "headline": [headline],
        "comparable": not differs,
        "compared": "rows, classes and folds, by their number",
        "differs": differs,
        "warning": f"not comparable with published figures: {'; '.join(differs)}." if differs else None,
        "folds": card.folds,
    }
