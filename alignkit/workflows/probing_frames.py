"""Ask frame embeddings for sound events: a linear probe of frames, scored by segment and by event."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from alignkit.errors import DataError
from alignkit.probes.cross_fit import Recipe
from alignkit.probes.events import Detector, Event, Frames
from alignkit.probes.frame_probe import FrameProbeResult, frame_probe
from alignkit.probes.resampling import Resampling
from alignkit.reports import Report
from alignkit.spaces import Embeddings
from alignkit.workflows._class_columns import column_of
from alignkit.workflows._facts import facts_of
from alignkit.workflows.probing import report_of

# what each column of a table of events is called: here, or in DESED's own files
CLIP, LABEL = ("clip", "filename"), ("label", "event_label")
TIMES = ("onset", "offset")
DRIFT = 0.1  # of a hop: how far rounding may move a frame's onset from a multiple of the hop


@dataclass(frozen=True, slots=True)
class FrameColumns:
    """Say which metadata columns of frames hold what a probe needs.

    ``clip`` names each frame's clip and ``onset`` the seconds at which it starts there; ``fold`` is equal
    within a clip; ``group`` names the recording of a clip, None where every clip is one of its own.
    """

    clip: str = "clip"
    onset: str = "onset"
    fold: str = "fold"
    group: str | None = None


@dataclass(frozen=True, eq=False, slots=True)
class EventsProbed:
    """What a probe of frames found: a report with the sections ``event`` and ``segment``, and the events."""

    report: Report
    result: FrameProbeResult = field(repr=False)

    def table(self) -> pa.Table:
        """Return the detected events: clip, onset, offset, label."""
        rows = [(e.clip, e.onset, e.offset, e.label) for e in self.result.detected]
        names = (CLIP[0], *TIMES, LABEL[0])
        columns = zip(*rows, strict=True) if rows else ((),) * len(names)
        return pa.table(dict(zip(names, map(list, columns), strict=True)))


def probe_frames(
    rows: Embeddings,
    events: pa.Table | Iterable[Event],
    *,
    columns: FrameColumns | None = None,
    detector: Detector | None = None,
    recipe: Recipe | None = None,
    resampling: Resampling | None = None,
) -> EventsProbed:
    """Return how well a linear classifier of single frames finds annotated events in clips it has not seen.

    ``events`` is a table (see `events_of`) or events. The hop is what onsets of one clip are apart. The rest
    is `frame_probe`: a sigmoid per class on all folds but one, a median filter, segments of 1 s, and
    event-based F1 with the tolerances of DESED.

    Raises
    ------
    DataError
        If a column is missing, onsets are no multiples of one hop, a clip lies in several folds, or an event
        lies in a clip without frames.

    Examples
    --------
    >>> clips, onsets = ["a"] * 40 + ["b"] * 40, [i / 10 for i in range(40)] * 2
    >>> items = pa.table({"clip": clips, "onset": onsets, "fold": [1] * 40 + [2] * 40})
    >>> events = [Event(clip, 1.0, 2.5, "dog") for clip in "ab"]
    >>> on = np.tile((np.arange(40) >= 10) & (np.arange(40) < 25), 2)
    >>> frames = Embeddings(np.stack([on, ~on], axis=1).astype(float), items=items)
    >>> probe_frames(frames, events).report.sections["event"]["macro_f1"].value
    1.0
    """
    columns = columns or FrameColumns()
    rows.check()
    frames = frames_of(rows, columns)
    folds = np.array(column_of(rows, columns.fold, "says which fold each frame's clip is in"))
    annotated = events_of(events) if isinstance(events, pa.Table) else list(events)
    _check_heard(annotated, frames, rows.name)
    found = frame_probe(
        rows.array(),
        frames,
        annotated,
        folds,
        detector=detector,
        recipe=recipe,
        resampling=resampling,
    )
    facts = {**found.segment.facts, **found.facts, "tolerance": _tolerance(found)}
    del facts["unit"]
    context = {
        "rows": facts_of(rows),
        "columns": {name: getattr(columns, name) for name in ("clip", "onset", "fold", "group")},
        "by_class": {
            unit: {str(name): numbers for name, numbers in _finite(one.by_class()).items()}
            for unit, one in (("event", found.event), ("segment", found.segment))
        },
    }
    sections = {"event": found.event.scores, "segment": found.segment.scores}
    return EventsProbed(report_of(sections, context, facts), found)


def frames_of(rows: Embeddings, columns: FrameColumns) -> Frames:
    """Return which part of which clip each row stands for.

    Raises DataError where the onsets of a clip are no multiples of one hop from 0 on.
    """
    clips = np.array(column_of(rows, columns.clip, "names the clip of each frame"))
    texts = column_of(rows, columns.onset, "says at which second of its clip each frame starts")
    try:
        onsets = np.array(texts, dtype=np.float64)
    except ValueError as error:
        raise DataError(f"{rows.name}, column {columns.onset} holds no seconds: {error}.") from error
    names, codes = np.unique(clips, return_inverse=True)
    latest, counts = np.zeros(len(names)), np.bincount(codes.ravel())
    np.maximum.at(latest, codes.ravel(), onsets)
    longest = int(np.argmax(counts))
    if counts[longest] < len(("first", "next")):
        raise DataError(f"{rows.name}: no clip has two frames, so nothing says how long one lasts.")
    hop = float(latest[longest] / (counts[longest] - 1))
    number = np.rint(onsets / hop) if hop > 0 else np.full(len(onsets), np.inf)
    off = np.flatnonzero(~(np.abs(onsets - number * hop) <= DRIFT * hop))
    if len(off):
        row = int(off[0])
        raise DataError(
            f"{rows.name}: the frame of row {row} (clip {str(clips[row])!r}) starts at {onsets[row]:g} s, "
            f"which is no multiple of the {hop:g} s from one frame to the next: give all frames of a clip, "
            "evenly spaced from 0 s on."
        )
    source = None
    if columns.group is not None:
        source = np.array(column_of(rows, columns.group, "says which recording each clip was cut from"))
    return Frames(clips, number.astype(np.int64), hop, source)


def events_of(table: pa.Table, name: str = "the table of events") -> list[Event]:
    """Return the events of a table with the columns clip, onset, offset, label, as DESED or we call them.

    A row without a label names a clip in which nothing sounds, and is no event.

    Raises
    ------
    DataError
        If a column is missing or holds no seconds.

    Examples
    --------
    >>> events_of(pa.table({"filename": ["a"], "onset": [0.5], "offset": [2.0], "event_label": ["Dog"]}))
    [Event(clip='a', onset=0.5, offset=2.0, label='Dog')]
    """
    clip, label = (_named(table, choices, name) for choices in (CLIP, LABEL))
    onset, offset = (_named(table, (time,), name) for time in TIMES)
    found = []
    for row, one in enumerate(table.select([clip, onset, offset, label]).to_pylist()):
        if one[label] in (None, ""):
            continue
        try:
            times = float(one[onset]), float(one[offset])
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{name}, row {row}: onset {one[onset]!r} and offset {one[offset]!r} are no seconds: mend it."
            ) from error
        found.append(Event(str(one[clip]), *times, str(one[label])))
    return found


def _named(table: pa.Table, choices: Sequence[str], name: str) -> str:
    for choice in choices:
        if choice in table.column_names:
            return choice
    raise DataError(
        f"{name} has no column {' or '.join(map(repr, choices))}: events are a table with the columns clip, "
        f"onset, offset and label; it has: {', '.join(table.column_names) or 'none'}."
    )


def _check_heard(events: list[Event], frames: Frames, name: str) -> None:
    silent = sorted({str(event.clip) for event in events} - {str(clip) for clip in np.unique(frames.clip)})
    if silent:
        raise DataError(
            f"{name} has no frames of clip {silent[0]!r}, in which events are annotated ({len(silent)} clips "
            "are so): embed them, or leave their events out."
        )


def _tolerance(found: FrameProbeResult) -> dict[str, float]:
    return {key: found.event.facts[key] for key in ("onset", "offset", "share")}


def _finite(by_class: dict) -> dict:
    """Return the figures of each class, None where there are none."""
    return {
        label: {name: value if np.isfinite(value) else None for name, value in numbers.items()}
        for label, numbers in by_class.items()
    }
