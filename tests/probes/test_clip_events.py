"""Events find their clip and class, and what has no place is refused by name."""

import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.probes.clip_events import ClipEvents
from alignkit.probes.events import Event

TRUTH = [Event("b", 3.0, 4.0, "dog"), Event("a", 1.0, 2.0, "cat"), Event("b", 0.5, 1.0, "dog")]


def test_events_are_sorted_into_clips_and_classes_whatever_their_order():
    one = ClipEvents.of(TRUTH, [], {"b": 5.0, "a": 5.0})
    other = ClipEvents.of(TRUTH[::-1], [], {"a": 5.0, "b": 5.0})
    assert one.classes == ("cat", "dog")
    assert one.truth[("b", 1)].tolist() == other.truth[("b", 1)].tolist() == [[0.5, 1.0], [3.0, 4.0]]
    assert one.seconds == other.seconds


def test_counts_are_summed_by_source():
    clips = dict.fromkeys(["a", "b", "silent"], 5.0)
    events = ClipEvents.of(TRUTH, TRUTH[:1], clips, sources=dict.fromkeys(clips, 1))
    counts = events.counts(lambda truth, found, seconds: (0.0, float(len(truth)), float(len(found))))
    assert counts.actual.tolist() == [[1, 2]]
    assert counts.called.tolist() == [[0, 1]]
    assert ClipEvents.of(TRUTH, [], clips).groups.tolist() == [0, 1, 2]


def test_a_blind_detector_calls_every_class_from_start_to_end():
    everywhere = ClipEvents.of(TRUTH, [], {"a": 5.0, "b": 2.0}).everywhere()
    assert len(everywhere) == 4
    assert np.array_equal(everywhere[("b", 0)], [[0.0, 2.0]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"durations": {"a": 5.0}}, "reference event lies in clip 'b', which has no duration"),
        ({"detected": [Event("c", 0, 1, "cat")]}, "detected event lies in clip 'c'"),
        ({"detected": [Event("a", 2, 1, "cat")]}, "does not run forward"),
        ({"detected": [Event("a", -1, 1, "cat")]}, "does not run forward"),
        ({"detected": [Event("a", 0, float("nan"), "cat")]}, "does not run forward"),
        ({"detected": [Event("a", 0, 1, "owl")]}, "has class 'owl'"),
        ({"durations": {"a": 5.0, "b": 0.0}}, "clip 'b' lasts 0.0 s"),
        ({"sources": {"a": 1}}, "clip 'b' has no source"),
        ({"reference": []}, "no class or no clip"),
        ({"durations": {}}, "no class or no clip"),
    ],
)
def test_what_has_no_place_is_refused(changes, message):
    given = {"reference": TRUTH, "detected": [], "durations": {"a": 5.0, "b": 5.0}, **changes}
    with pytest.raises(DataError, match=message):
        ClipEvents.of(given["reference"], given["detected"], given["durations"], sources=given.get("sources"))
