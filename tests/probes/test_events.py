"""Frames become events and events frames, in the order and with the settings that are stated."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError, ParameterError
from alignkit.probes.events import Detector, Event, Frames, detect, frame_truth


def frames_of(clips, per_clip, hop=0.1):
    return Frames(np.repeat(clips, per_clip), np.tile(np.arange(per_clip), len(clips)), hop)


def spans(on, detector, hop=1.0):
    on = np.array(on, dtype=float)[:, None]
    found = detect(on, Frames(np.zeros(len(on), int), np.arange(len(on)), hop), ["x"], detector)
    return [(event.onset, event.offset) for event in found]


@pytest.mark.parametrize("seed", range(4))
def test_events_on_the_grid_survive_the_way_to_frames_and_back(seed):
    rng = np.random.default_rng(seed)
    frames = frames_of(["a", "b"], 80)
    events = []
    for clip in "ab":
        for label in ("cat", "dog"):
            cuts = np.sort(rng.choice(80, 6, replace=False)).reshape(-1, 2)
            keep = np.r_[True, cuts[1:, 0] > cuts[:-1, 1]]
            events += [Event(clip, on * 0.1, off * 0.1, label) for on, off in cuts[keep]]
    truth = frame_truth(frames, events, ["cat", "dog"]).astype(float)
    found = detect(truth, frames, ["cat", "dog"], Detector(median=1))
    assert [(e.clip, e.label) for e in found] == [(e.clip, e.label) for e in events]
    assert_allclose([(e.onset, e.offset) for e in found], [(e.onset, e.offset) for e in events], atol=1e-9)


def test_the_order_of_frames_is_of_no_matter():
    rng = np.random.default_rng(0)
    frames, probabilities = frames_of(["b", "a"], 50), rng.random((100, 3))
    order = rng.permutation(100)
    mixed = Frames(frames.clip[order], frames.number[order], frames.hop)
    assert detect(probabilities[order], mixed, ["x", "y", "z"]) == detect(
        probabilities, frames, ["x", "y", "z"]
    )


def test_a_median_filter_is_a_majority_of_neighbours_mirrored_at_the_ends():
    rng = np.random.default_rng(0)
    on = (rng.random(60) < 0.5).astype(float)
    mirrored = np.r_[on[2::-1], on, on[:-4:-1]]
    majority = np.array([mirrored[i : i + 7].sum() > 3 for i in range(60)])
    assert spans(on, Detector(median=7)) == spans(majority, Detector(median=1))
    assert spans(on, Detector(median=7)) != spans(on, Detector(median=1))


def test_a_filter_never_reaches_into_the_next_clip():
    on = np.r_[np.zeros(10), np.ones(10)][:, None]
    found = detect(on, frames_of(["a", "b"], 10), ["x"], Detector(median=9))
    assert [(e.clip, e.onset, e.offset) for e in found] == [("b", 0.0, 1.0)]


def test_pauses_are_closed_before_short_events_are_dropped():
    on = [1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1]
    assert spans(on, Detector(median=1)) == [(0, 1), (2, 3), (5, 6), (9, 11)]
    assert spans(on, Detector(median=1, gap=1)) == [(0, 3), (5, 6), (9, 11)]
    assert spans(on, Detector(median=1, gap=1, shortest=2)) == [(0, 3), (9, 11)]
    assert spans(on, Detector(median=1, gap=3)) == [(0, 11)]


def test_a_pause_or_length_of_exactly_the_limit_counts_whatever_its_rounding():
    on = [1, 1, 1, 0, 0, 0, 1, 1, 1]  # 0.3 s each, with 0.1 * 3 = 0.30000000000000004
    assert spans(on, Detector(median=1, gap=0.3), hop=0.1) == [(0.0, 0.9)]
    assert len(spans(on, Detector(median=1, shortest=0.3), hop=0.1)) == 2


def test_a_frame_is_on_from_the_threshold_on():
    assert spans([0.5, 0.49], Detector(median=1)) == [(0, 1)]


def test_an_event_shorter_than_a_frame_is_on_in_the_frame_of_its_middle():
    frames = Frames(np.array(["a"] * 5), np.arange(5), hop=1.0)
    events = [Event("a", 2.6, 2.7, "x"), Event("a", 4.0, 4.2, "x"), Event("unheard", 0.0, 1.0, "x")]
    assert frame_truth(frames, events, ["x"]).ravel().tolist() == [False, False, True, False, True]


def test_durations_and_sources_are_those_of_the_clips():
    frames = Frames(np.array(["a", "b", "a"]), np.array([1, 0, 0]), 0.5, source=np.array([7, 8, 7]))
    assert frames.durations() == {"a": 1.0, "b": 0.5}
    assert frames.sources() == {"a": 7, "b": 8}
    assert frames_of(["a"], 2).sources() is None


def test_frames_that_are_missing_or_repeated_are_refused():
    with pytest.raises(DataError, match="clip 'a' are not 0, 1, 2"):
        Frames(np.array(["a", "a"]), np.array([0, 2]), 0.1)
    with pytest.raises(DataError, match="clip 'a' are not 0, 1, 2"):
        Frames(np.array(["a", "a"]), np.array([0, 0]), 0.1)
    with pytest.raises(DataError, match="one entry per row"):
        Frames(np.array(["a", "a"]), np.array([0]), 0.1)
    with pytest.raises(ParameterError, match="hop is 0"):
        Frames(np.array(["a"]), np.array([0]), 0)


@pytest.mark.parametrize(
    "settings", [{"median": 4}, {"median": 0}, {"gap": -1}, {"shortest": -1}, {"threshold": 2}]
)
def test_senseless_detectors_are_refused(settings):
    with pytest.raises(ParameterError):
        Detector(**settings)


def test_a_foreign_table_or_class_is_refused():
    with pytest.raises(DataError, match="probabilities have shape"):
        detect(np.zeros((3, 2)), frames_of(["a"], 3), ["x"])
    with pytest.raises(DataError, match="has class 'y'"):
        frame_truth(frames_of(["a"], 3), [Event("a", 0, 0.1, "y")], ["x"])
