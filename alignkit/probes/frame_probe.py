"""Frame-level probes: sound events read from frozen frame embeddings, scored by segment and by event."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alignkit.errors import DataError
from alignkit.probes.cross_fit import Recipe, cross_fit
from alignkit.probes.detection import DetectionResult, event_f1, segment_f1
from alignkit.probes.events import Detector, Event, Frames, detect, frame_truth
from alignkit.probes.linear import logistic_path
from alignkit.probes.resampling import Resampling
from alignkit.probes.scoring import check_rows
from alignkit.probes.targets import Targets, sorted_names
from alignkit.shapes import ClassScores, Vectors


@dataclass(frozen=True, eq=False, slots=True)
class FrameProbeResult:
    """What a frame probe found: events, their scores by segment and by event, and frame probabilities."""

    segment: DetectionResult
    event: DetectionResult
    detected: list[Event]
    probabilities: ClassScores
    facts: dict[str, Any] = field(default_factory=dict)


def frame_probe(
    rows: Vectors,
    frames: Frames,
    reference: Iterable[Event],
    folds: np.ndarray,
    *,
    detector: Detector | None = None,
    recipe: Recipe | None = None,
    resampling: Resampling | None = None,
) -> FrameProbeResult:
    """Return how well a linear classifier of single frames finds sound events in clips it was not fitted to.

    ``rows`` are frame embeddings and ``frames`` says of which part of which clip; ``folds`` holds one label
    per row, equal within a clip. Order: events to frames (`frame_truth`); a sigmoid per class, fitted
    without the fold (`cross_fit`); frames to events (`detect`); segments of 1 s and events with the
    tolerances of DESED (`segment_f1`, `event_f1`, which take other settings on ``detected``). Clips that
    share ``frames.source`` are drawn together in the intervals.

    A linear classifier of single frames has no memory: its events are only as good as the encoder's context.

    Raises
    ------
    DataError
        If a clip lies in several folds, or rows, frames, events and folds do not fit.

    Examples
    --------
    >>> clips, numbers = np.repeat(["a", "b", "c", "d"], 40), np.tile(np.arange(40), 4)
    >>> events = [Event(clip, 1.0, 2.5, "dog") for clip in "abcd"]
    >>> frames = Frames(clips, numbers, hop=0.1)
    >>> on = frame_truth(frames, events, ["dog"])
    >>> rows = np.hstack([on, ~on]) + 0.1 * np.random.default_rng(0).normal(size=(160, 2))
    >>> result = frame_probe(rows, frames, events, np.repeat([0, 0, 1, 1], 40))
    >>> result.event.scores["macro_f1"].value
    1.0
    """
    recipe, detector = recipe or Recipe(), detector or Detector()
    reference = list(reference)
    if not reference:
        raise DataError("there are no reference events: a probe needs some to learn from.")
    classes = tuple(sorted_names([event.label for event in reference]))
    targets = Targets(classes, frame_truth(frames, reference, classes), exclusive=False)
    check_rows(rows, targets)
    _check_folds(frames, folds)
    groups = frames.clip if frames.source is None else frames.source
    fitted = cross_fit(rows, targets, folds, logistic_path, recipe, groups=groups)
    detected = detect(fitted.probabilities, frames, classes, detector)
    options = {"classes": classes, "sources": frames.sources(), "resampling": resampling}
    durations = frames.durations()
    facts = {
        **fitted.facts,
        "probe": "frame",
        "rows": len(rows),
        "hop": frames.hop,
        "threshold": detector.threshold,
        "median": detector.median,
        "gap": detector.gap,
        "shortest": detector.shortest,
    }
    return FrameProbeResult(
        segment_f1(reference, detected, durations, **options),
        event_f1(reference, detected, durations, **options),
        detected,
        fitted.probabilities,
        facts,
    )


def _check_folds(frames: Frames, folds: np.ndarray) -> None:
    if np.shape(folds) != np.shape(frames.clip):
        raise DataError(
            f"folds have shape {np.shape(folds)} for {len(frames.clip)} frames: give one per frame."
        )
    for clip, rows in frames.by_clip():
        if len(np.unique(np.asarray(folds)[rows])) > 1:
            raise DataError(f"clip {clip!r} lies in several folds: its frames must be held out together.")
