"""True and detected events, sorted into clips and classes, ready to be counted."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from alignkit.errors import DataError
from alignkit.probes.counting import ClassCounts
from alignkit.probes.events import Event
from alignkit.probes.targets import class_codes, plain_names, sorted_names
from alignkit.shapes import Labels

Spans: TypeAlias = np.ndarray
"""Onset and offset of each event, in seconds: one row per event, sorted."""

Count: TypeAlias = Callable[[Spans, Spans, float], tuple[float, float, float]]
"""Takes true and found spans of one clip and class and the clip's seconds; returns hits, true and called."""

Place: TypeAlias = tuple[Hashable, int]  # clip, and column of the class


@dataclass(frozen=True, eq=False, slots=True)
class ClipEvents:
    """Hold ``truth`` and ``found`` spans by clip and class; build it with `of`.

    ``seconds`` are the lengths of all clips, ``groups`` the number of the recording that each stems from.
    """

    classes: tuple[Hashable, ...]
    seconds: dict[Hashable, float]
    groups: Labels
    truth: dict[Place, Spans]
    found: dict[Place, Spans]

    @classmethod
    def of(
        cls,
        reference: Iterable[Event],
        detected: Iterable[Event],
        durations: Mapping[Hashable, float],
        *,
        classes: Sequence[Hashable] | None = None,
        sources: Mapping[Hashable, Hashable] | None = None,
    ) -> "ClipEvents":
        """Sort events; classes are those of the reference by default.

        Raises
        ------
        DataError
            If there is no class or clip, an event lies in a clip without duration, ends before it starts or
            has an unknown class, or a clip has no source.
        """
        reference, detected = list(reference), list(detected)
        if classes is None:
            classes = sorted_names([event.label for event in reference])
        if not classes or not durations:
            raise DataError(
                "there is no class or no clip: give reference events and the seconds of each clip."
            )
        for clip, seconds in durations.items():
            if not 0 < seconds < np.inf:
                raise DataError(f"clip {clip!r} lasts {seconds} s: give its length.")
        clips = sorted(durations, key=str)
        return cls(
            tuple(classes),
            {clip: float(durations[clip]) for clip in clips},
            _clip_groups(clips, sources),
            _spans(reference, classes, durations, "reference"),
            _spans(detected, classes, durations, "detected"),
        )

    def counts(self, count: Count) -> ClassCounts:
        """Return what ``count`` finds in each clip and class, summed by group."""
        tables = np.zeros((3, int(self.groups.max()) + 1, len(self.classes)))
        none = np.empty((0, 2))
        for (clip, seconds), group in zip(self.seconds.items(), self.groups, strict=True):
            for code in range(len(self.classes)):
                truth, found = self.truth.get((clip, code), none), self.found.get((clip, code), none)
                if len(truth) or len(found):
                    tables[:, group, code] += count(truth, found, seconds)
        return ClassCounts(*tables)

    def everywhere(self) -> dict[Place, Spans]:
        """Return what a detector finds that hears nothing: every class in every clip, from start to end."""
        return {
            (clip, code): np.array([[0.0, seconds]])
            for clip, seconds in self.seconds.items()
            for code in range(len(self.classes))
        }


def _spans(
    events: list[Event], classes: Sequence[Hashable], durations: Mapping[Hashable, float], side: str
) -> dict[Place, Spans]:
    held: dict[Place, list[tuple[float, float]]] = {}
    codes = class_codes([event.label for event in events], classes) if events else []
    for event, code in zip(events, codes, strict=True):
        if event.clip not in durations:
            raise DataError(f"a {side} event lies in clip {event.clip!r}, which has no duration: add it.")
        if not 0 <= event.onset <= event.offset < np.inf:
            raise DataError(f"{side} {event} does not run forward from 0 s on: mend its times.")
        held.setdefault((event.clip, int(code)), []).append((event.onset, event.offset))
    return {place: np.array(sorted(spans)) for place, spans in held.items()}


def _clip_groups(clips: list[Hashable], sources: Mapping[Hashable, Hashable] | None) -> Labels:
    missing = [clip for clip in clips if sources is not None and clip not in sources]
    if missing:
        raise DataError(f"clip {missing[0]!r} has no source while others have: state it for all or for none.")
    names = [clip if sources is None else sources[clip] for clip in clips]
    return np.unique(np.array(plain_names(names)), return_inverse=True)[1].ravel()
