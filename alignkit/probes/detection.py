"""Score detected sound events: by segments of a fixed length, and event by event (Mesaros et al. 2016)."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from alignkit.errors import ParameterError
from alignkit.probes.clip_events import ClipEvents, Count, Spans
from alignkit.probes.counting import ClassCounts
from alignkit.probes.events import ROUNDING, Event
from alignkit.probes.resampling import Resampling, score_all
from alignkit.reports import Score

NAMES = ("macro_f1", "micro_f1")


@dataclass(frozen=True, eq=False, slots=True)
class DetectionResult:
    """F1 of detected events.

    Parameters
    ----------
    scores
        ``macro_f1`` (mean over classes that occur in the reference) and ``micro_f1`` (all units together),
        with intervals over groups of clips. Chance is a detector that calls every class all the time.
    classes
        Names, in the order of the tables of ``counts``.
    counts
        Hits, reference and detected units by group and class.
    facts
        Counts and settings, ready for a report's context.
    """

    scores: dict[str, Score]
    classes: tuple[Hashable, ...]
    counts: ClassCounts
    facts: dict[str, Any] = field(default_factory=dict)

    def by_class(self) -> dict[Hashable, dict[str, float]]:
        """Return precision, recall, F1, reference and detected units of each class; NaN where undefined."""
        hits, actual, called = (table[0] for table in self.counts.totals())
        with np.errstate(invalid="ignore", divide="ignore"):
            columns = (
                hits / called,
                hits / actual,
                np.where(actual > 0, 2 * hits / (actual + called), np.nan),
            )
        names = ("precision", "recall", "f1", "reference", "detected")
        rows = zip(*columns, actual, called, strict=True)
        return {
            label: dict(zip(names, map(float, row), strict=True))
            for label, row in zip(self.classes, rows, strict=True)
        }


def segment_f1(
    reference: Iterable[Event],
    detected: Iterable[Event],
    durations: Mapping[Hashable, float],
    *,
    classes: Sequence[Hashable] | None = None,
    segment: float = 1.0,
    sources: Mapping[Hashable, Hashable] | None = None,
    resampling: Resampling | None = None,
) -> DetectionResult:
    """Return segment-based F1: in each segment of each clip, which classes sound, in truth and as detected.

    A class sounds in a segment that any of its events touches. ``durations`` name every clip that was
    listened to, silent ones too, with its seconds; what lies beyond is cut off. ``classes`` are those of the
    reference by default. ``sources`` say which clips stem from one recording: those are drawn together.

    As `sed_eval` with ``empty_system_output_handling="zero_score"``: a class that is never detected has F1 0,
    and a class that never occurs is left out of the macro mean. Borders are compared to a millionth of a
    segment, so an offset of 3.0000000000000004 s ends with its segment; there `sed_eval` opens another.

    Raises
    ------
    DataError
        If an event lies in a clip without duration, ends before it starts, or its class is unknown.
    ParameterError
        If ``segment`` is not positive.

    References
    ----------
    Mesaros, Heittola & Virtanen (2016), *Metrics for polyphonic sound event detection*, section 3.1.

    Examples
    --------
    >>> truth, found = [Event("a", 0.0, 4.0, "dog")], [Event("a", 0.5, 1.9, "dog")]
    >>> round(segment_f1(truth, found, {"a": 10.0}).scores["micro_f1"].value, 3)
    0.667
    """
    if not np.isfinite(segment) or segment <= 0:
        raise ParameterError(f"segment is {segment}: give its length in seconds.")

    def count(truth: Spans, found: Spans, seconds: float) -> tuple[float, float, float]:
        true, called = (_segments(spans, seconds, segment) for spans in (truth, found))
        return float((true & called).sum()), float(true.sum()), float(called.sum())

    events = ClipEvents.of(reference, detected, durations, classes=classes, sources=sources)
    return _scored(events, count, resampling, {"unit": "segment", "segment": segment})


def event_f1(
    reference: Iterable[Event],
    detected: Iterable[Event],
    durations: Mapping[Hashable, float],
    *,
    classes: Sequence[Hashable] | None = None,
    tolerance: "Tolerance | None" = None,
    sources: Mapping[Hashable, Hashable] | None = None,
    resampling: Resampling | None = None,
) -> DetectionResult:
    """Return event-based F1: how many events were found, onset and offset within tolerance.

    Within each clip and class, events are paired so that most match (one to one). By default an onset may be
    0.2 s off and an offset 0.2 s or 20 % of the reference event, whichever is more: the settings of DESED.
    Other arguments and conventions as for `segment_f1`; a difference of exactly the collar matches, rounding
    included. Chance is one event per class from the start of each clip to its end.

    Raises
    ------
    DataError
        If an event lies in a clip without duration, ends before it starts, or its class is unknown.

    References
    ----------
    Mesaros, Heittola & Virtanen (2016), *Metrics for polyphonic sound event detection*, section 3.2; Turpault
    et al. (2019) for the settings.

    Examples
    --------
    >>> truth = [Event("a", 1.0, 2.0, "dog"), Event("a", 5.0, 9.0, "cat")]
    >>> found = [Event("a", 1.1, 2.15, "dog"), Event("a", 5.3, 9.0, "cat")]  # the cat is 0.3 s late
    >>> event_f1(truth, found, {"a": 10.0}).scores["micro_f1"].value
    0.5
    """
    tolerance = tolerance or Tolerance()

    def count(truth: Spans, found: Spans, seconds: float) -> tuple[float, float, float]:  # noqa: ARG001
        return float(_matched(truth, found, tolerance)), float(len(truth)), float(len(found))

    events = ClipEvents.of(reference, detected, durations, classes=classes, sources=sources)
    settings = {
        "unit": "event",
        "onset": tolerance.onset,
        "offset": tolerance.offset,
        "share": tolerance.share,
    }
    return _scored(events, count, resampling, settings)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Say how far off an event may be: seconds of onset and of offset, or this share of its length if more.

    Without an offset (None), onsets alone are compared.
    """

    onset: float = 0.2
    offset: float | None = 0.2
    share: float = 0.2

    def __post_init__(self) -> None:
        if min(self.onset, self.offset or 0.0, self.share) < 0:
            raise ParameterError(f"{self}: tolerances are not negative.")


def _scored(
    events: ClipEvents, count: Count, resampling: Resampling | None, settings: dict[str, Any]
) -> DetectionResult:
    resampling = resampling or Resampling()
    counts = events.counts(count)
    blind = replace(events, found=events.everywhere()).counts(count)
    chance = {name: float(rate[0]) for name, rate in blind.rates(names=NAMES).items()}
    scores = score_all(
        lambda weights: counts.rates(weights, NAMES), counts.n_groups, chance=chance, resampling=resampling
    )
    facts = {
        **settings,
        "clips": len(events.seconds),
        "groups": counts.n_groups,
        "classes": len(events.classes),
        "classes_without_events": int((~counts.actual.any(axis=0)).sum()),
        "reference_events": sum(map(len, events.truth.values())),
        "detected_events": sum(map(len, events.found.values())),
        "chance": "every class called from the start of each clip to its end",
        "resamples": resampling.resamples,
        "level": resampling.level,
        "seed": resampling.seed,
    }
    return DetectionResult(scores, events.classes, counts, facts)


def _segments(spans: Spans, seconds: float, segment: float) -> np.ndarray:
    """Return which segments of a clip any of the spans touches."""
    on = np.zeros(int(np.ceil(_whole(seconds / segment))), dtype=bool)
    for onset, offset in _whole(spans / segment):
        on[int(np.floor(onset)) : int(np.ceil(offset))] = True
    return on


def _whole(times: Any) -> Any:
    """Return times, those that miss a whole number by rounding alone moved onto it."""
    near = np.round(times)
    return np.where(np.abs(times - near) < 1e-6, near, times)


def _matched(truth: Spans, found: Spans, tolerance: Tolerance) -> int:
    """Return the most events that can be paired one to one within tolerance."""
    if not len(truth) or not len(found):
        return 0
    fits = np.abs(truth[:, None, 0] - found[None, :, 0]) <= tolerance.onset + ROUNDING
    if tolerance.offset is not None:
        allowed = np.maximum(tolerance.offset, tolerance.share * (truth[:, 1] - truth[:, 0]))
        fits &= np.abs(truth[:, None, 1] - found[None, :, 1]) <= allowed[:, None] + ROUNDING
    return int((maximum_bipartite_matching(csr_array(fits), perm_type="column") >= 0).sum())
