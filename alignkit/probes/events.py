"""Sound events: who sounds when, as lists of events and as frames, and the way from one to the other."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.probes.targets import class_codes
from alignkit.shapes import ClassScores, Labels, Membership

ROUNDING = 1e-9  # seconds: times that differ by less are one


@dataclass(frozen=True, slots=True)
class Event:
    """One event: the clip that it is heard in, onset and offset in seconds of that clip, and its class."""

    clip: Hashable
    onset: float
    offset: float
    label: Hashable


@dataclass(frozen=True, eq=False, slots=True)
class Frames:
    """Say which part of which clip each row of a matrix stands for.

    Parameters
    ----------
    clip
        The clip of each row.
    number
        Its place in the clip: frame i lasts from ``i * hop`` to ``(i + 1) * hop``.
    hop
        Seconds.
    source
        The recording that the clip was cut from, or None where every clip is one of its own.
    """

    clip: np.ndarray
    number: Labels
    hop: float
    source: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not np.isfinite(self.hop) or self.hop <= 0:
            raise ParameterError(f"hop is {self.hop}: give the seconds from one frame to the next.")
        columns = [self.clip, self.number] + ([] if self.source is None else [self.source])
        if len({np.shape(column) for column in columns}) > 1 or np.ndim(self.clip) != 1 or not len(self.clip):
            raise DataError(
                f"frames have columns of shapes {[np.shape(c) for c in columns]}: give one entry per row."
            )
        for clip, rows in self.by_clip():
            if not np.array_equal(np.asarray(self.number)[rows], np.arange(len(rows))):
                raise DataError(
                    f"the frames of clip {clip!r} are not 0, 1, 2, ...: one is missing or repeated."
                )

    def by_clip(self) -> list[tuple[Hashable, Labels]]:
        """Return each clip with its rows in the order of time, whatever order the rows have."""
        names, codes = np.unique(self.clip, return_inverse=True)
        order = np.lexsort((self.number, codes.ravel()))
        cuts = np.cumsum(np.bincount(codes.ravel()))[:-1]
        return list(zip(names.tolist(), np.split(order, cuts), strict=True))

    def durations(self) -> dict[Hashable, float]:
        """Return the seconds of each clip."""
        return {clip: len(rows) * self.hop for clip, rows in self.by_clip()}

    def sources(self) -> dict[Hashable, Hashable] | None:
        """Return the recording of each clip, or None where none is stated."""
        if self.source is None:
            return None
        names = np.asarray(self.source)
        return {clip: names[rows[0]].item() for clip, rows in self.by_clip()}


@dataclass(frozen=True, slots=True)
class Detector:
    """Say how probabilities become events, in this order.

    Parameters
    ----------
    threshold
        A frame is on from this probability on.
    median
        Odd number of frames of a median filter over on and off, mirrored at the ends of the clip; 1 is none.
    gap
        Events of one class with a pause of at most so many seconds between them become one.
    shortest
        Events of fewer seconds are dropped.
    """

    threshold: float = 0.5
    median: int = 7
    gap: float = 0.0
    shortest: float = 0.0

    def __post_init__(self) -> None:
        if self.median < 1 or self.median % 2 == 0:
            raise ParameterError(f"median is {self.median}: give an odd number of frames, 1 for no filter.")
        if self.gap < 0 or self.shortest < 0 or not 0 <= self.threshold <= 1:
            raise ParameterError(
                f"threshold {self.threshold}, gap {self.gap}, shortest {self.shortest}: a threshold lies in "
                "[0, 1], and seconds are not negative."
            )


def detect(
    probabilities: ClassScores, frames: Frames, classes: Sequence[Hashable], detector: Detector | None = None
) -> list[Event]:
    """Return the events that frame probabilities show, sorted by clip, class and onset.

    ``probabilities`` have a row per frame and a column per class. Order: threshold, median filter, merging,
    dropping; see `Detector`. The order of the rows is of no matter.

    Raises
    ------
    DataError
        If the table does not fit frames and classes.

    References
    ----------
    Turpault et al. (2019), *Sound event detection in domestic environments*: the DESED baseline filters so.

    Examples
    --------
    >>> frames = Frames(np.array(["a"] * 6), np.arange(6), hop=0.5)
    >>> on = np.array([[0.1], [0.9], [0.8], [0.2], [0.9], [0.1]])
    >>> [(e.onset, e.offset) for e in detect(on, frames, ["dog"], Detector(median=1, gap=0.5))]
    [(0.5, 2.5)]
    """
    detector = detector or Detector()
    if np.shape(probabilities) != (len(frames.clip), len(classes)):
        raise DataError(
            f"probabilities have shape {np.shape(probabilities)} for {len(frames.clip)} frames and "
            f"{len(classes)} classes: give one for each."
        )
    found = []
    for clip, rows in frames.by_clip():
        active = _filtered(probabilities[rows] >= detector.threshold, detector.median)
        for column, label in enumerate(classes):
            spans = _merged(_runs(active[:, column]) * frames.hop, detector.gap)
            found += [
                Event(clip, float(onset), float(offset), label)
                for onset, offset in spans
                if offset - onset >= detector.shortest - ROUNDING
            ]
    return found


def frame_truth(frames: Frames, events: Iterable[Event], classes: Sequence[Hashable]) -> Membership:
    """Return which classes sound in each frame: those whose event covers the middle of the frame.

    The frame in which an event's own middle lies is on too, so that no event is too short to be learnt.
    Events of clips without frames are left out.

    Examples
    --------
    >>> frames = Frames(np.array(["a"] * 4), np.arange(4), hop=1.0)
    >>> frame_truth(frames, [Event("a", 0.6, 2.5, "dog")], ["dog"]).ravel().tolist()
    [False, True, False, False]
    """
    events = list(events)
    codes = class_codes([event.label for event in events], classes) if events else []
    truth = np.zeros((len(frames.clip), len(classes)), dtype=bool)
    rows_of = dict(frames.by_clip())
    for event, code in zip(events, codes, strict=True):
        rows = rows_of.get(event.clip)
        if rows is None:
            continue
        middles = (np.arange(len(rows)) + 0.5) * frames.hop
        inside = (middles >= event.onset) & (middles < event.offset)
        own = int((event.onset + event.offset) / 2 // frames.hop)
        if 0 <= own < len(rows):
            inside[own] = True
        truth[rows[inside], code] = True
    return truth


def _filtered(active: Membership, width: int) -> Membership:
    from scipy.ndimage import median_filter

    if width == 1:
        return active
    return median_filter(active.astype(np.uint8), size=(width, 1), mode="reflect").astype(bool)


def _runs(active: np.ndarray) -> np.ndarray:
    """Return the first frame of each run of True and the first one after it."""
    edges = np.flatnonzero(np.diff(np.r_[False, active, False]))
    return edges.reshape(-1, 2)


def _merged(spans: np.ndarray, gap: float) -> np.ndarray:
    if len(spans) < 2:
        return spans
    apart = spans[1:, 0] - spans[:-1, 1] > gap + ROUNDING
    return np.stack([spans[np.r_[True, apart], 0], spans[np.r_[apart, True], 1]], axis=1)
