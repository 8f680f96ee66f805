"""F1 by segment and by event is sed_eval's, except where sed_eval decides by the last bit."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import ParameterError
from alignkit.probes.detection import Tolerance, event_f1, segment_f1
from alignkit.probes.events import Event
from alignkit.probes.resampling import Resampling

ANSWERS = json.loads(Path(__file__).with_name("sed_eval_answers.json").read_text())
QUICK = Resampling(resamples=300)
TEN = {"a": 10.0}


def case(seed):
    held = ANSWERS["cases"][str(seed)]
    truth, found = ([Event(*event) for event in held[side]] for side in ("truth", "found"))
    clips = {event.clip: ANSWERS["seconds"] for event in truth + found}
    return held, truth, found, clips


@pytest.mark.parametrize("measure", ["event", "segment"])
@pytest.mark.parametrize("seed", range(4))
def test_every_number_is_that_of_sed_eval(seed, measure):
    held, truth, found, clips = case(seed)
    classes = list(held["event"]["f1"])
    score = {"event": event_f1, "segment": segment_f1}[measure]
    result = score(truth, found, clips, classes=classes, resampling=QUICK)
    answer = held[measure]
    assert_allclose(result.scores["micro_f1"].value, answer["micro_f1"], atol=1e-12)
    assert_allclose(result.scores["macro_f1"].value, answer["macro_f1"], atol=1e-12)
    table = result.by_class()
    for name in classes:
        expected = math.nan if answer["f1"][name] is None else answer["f1"][name]
        assert_allclose(table[name]["f1"], expected, atol=1e-12)
        assert table[name]["reference"] == answer["reference"][name]
        assert table[name]["detected"] == answer["detected"][name]
    assert table["dishes"]["f1"] == 0  # never found
    assert np.isnan(table["dog"]["f1"])  # never true, yet found: false alarms of micro F1
    assert result.facts["classes_without_events"] == 1


def test_the_order_of_events_and_clips_changes_no_number():
    _, truth, found, clips = case(0)
    rng = np.random.default_rng(0)
    mixed = [[side[i] for i in rng.permutation(len(side))] for side in (truth, found)]
    back = dict(reversed(clips.items()))
    classes = sorted({event.label for event in truth + found})
    for score in (event_f1, segment_f1):
        one = score(truth, found, clips, classes=classes, resampling=QUICK)
        other = score(*mixed, back, classes=classes, resampling=QUICK)
        assert one.scores == other.scores


@pytest.mark.parametrize("score", [event_f1, segment_f1])
def test_the_truth_itself_scores_one_and_silence_zero(score):
    _, truth, _, clips = case(1)
    assert score(truth, truth, clips, resampling=QUICK).scores["macro_f1"].value == 1.0
    assert score(truth, [], clips, resampling=QUICK).scores["micro_f1"].value == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_as_many_events_are_paired_as_can_be(seed):
    """A greedy pairing would lose some: here every pairing is tried."""
    rng = np.random.default_rng(seed)
    truth, found = rng.uniform(0, 1, (4, 1)), rng.uniform(0, 1, (4, 1))
    fits = np.abs(truth - found.T) <= 0.2
    best = max(sum(fits[i, j] for i, j in enumerate(order)) for order in itertools.permutations(range(4)))
    as_events = [[Event("a", float(t), float(t) + 1, "x") for t in side[:, 0]] for side in (truth, found)]
    result = event_f1(*as_events, TEN, resampling=QUICK)
    assert result.counts.totals()[0].sum() == best


def test_one_detection_answers_one_event():
    truth = [Event("a", 1.0, 2.0, "x"), Event("a", 1.1, 2.1, "x")]
    result = event_f1(truth, truth[:1], TEN, resampling=QUICK)
    assert_allclose(result.scores["micro_f1"].value, 2 / 3)


@pytest.mark.parametrize(
    ("onset", "offset", "hit"),
    [
        (1.2, 2.0, True),  # 1.2 - 1.0 rounds below 0.2
        (1.21, 2.0, False),
        (1.0, 2.2, True),  # 2.2 - 2.0 rounds above 0.2: sed_eval misses it
        (1.0, 2.21, False),
        (0.8, 1.8, True),
        (0.79, 2.0, False),
    ],
)
def test_onset_and_offset_may_be_off_by_the_collar_rounding_included(onset, offset, hit):
    result = event_f1([Event("a", 1.0, 2.0, "x")], [Event("a", onset, offset, "x")], TEN, resampling=QUICK)
    assert result.scores["micro_f1"].value == float(hit)


def test_a_long_event_may_end_a_fifth_of_its_length_off():
    truth = [Event("a", 0.0, 5.0, "x")]
    for offset, hit in ((6.0, True), (4.0, True), (6.1, False)):
        assert event_f1(truth, [Event("a", 0.1, offset, "x")], TEN).scores["micro_f1"].value == float(hit)
    strict = Tolerance(share=0.0)
    assert event_f1(truth, [Event("a", 0.1, 6.0, "x")], TEN, tolerance=strict).scores["micro_f1"].value == 0
    onsets = Tolerance(offset=None)
    assert event_f1(truth, [Event("a", 0.1, 9.9, "x")], TEN, tolerance=onsets).scores["micro_f1"].value == 1


def test_segments_are_touched_from_floor_to_ceiling_and_end_with_the_clip():
    truth = [Event("a", 0.9, 2.1, "x"), Event("a", 9.5, 40.0, "x"), Event("a", 4.0, 5.0, "x")]
    result = segment_f1(truth, [], TEN, resampling=QUICK)
    assert result.counts.actual.sum() == 3 + 1 + 1
    half = segment_f1(truth, [], TEN, segment=0.5, resampling=QUICK)
    assert half.counts.actual.sum() == 4 + 1 + 2


def test_rounding_opens_no_segment():
    ends = 0.1 * 3 * 10  # 3.0000000000000004
    assert ends > 3
    assert segment_f1([Event("a", 0.0, ends, "x")], [], TEN).counts.actual.sum() == 3


def test_overlapping_events_of_one_class_fill_a_segment_once():
    twice = [Event("a", 0.0, 2.0, "x"), Event("a", 1.0, 3.0, "x")]
    assert segment_f1(twice, twice[:1], TEN).counts.totals()[1].sum() == 3


def test_chance_is_to_call_everything_all_the_time():
    truth = [Event("a", 0.0, 2.0, "x"), Event("b", 0.0, 9.9, "y")]
    clips = {"a": 10.0, "b": 10.0}
    segments = segment_f1(truth, [], clips, resampling=QUICK)
    assert_allclose(segments.scores["micro_f1"].chance, 2 * 12 / (12 + 40))
    events = event_f1(truth, [], clips, resampling=QUICK)
    assert_allclose(events.scores["micro_f1"].chance, 2 * 1 / (2 + 4))  # y lasts nearly all the clip
    everything = [Event(clip, 0.0, 10.0, label) for clip in clips for label in "xy"]
    assert segment_f1(truth, everything, clips).scores["micro_f1"].value == segments.scores["micro_f1"].chance


def test_clips_of_one_recording_are_drawn_together():
    rng = np.random.default_rng(0)
    truth = [Event(f"c{i}", 0.0, 3.0, "x") for i in range(60)]
    found = [event for event in truth if rng.random() < 0.6]
    copies = [
        [Event(f"{e.clip}-{j}", e.onset, e.offset, e.label) for e in side for j in range(5)]
        for side in (truth, found)
    ]
    clips = {f"c{i}-{j}": 10.0 for i in range(60) for j in range(5)}
    source = {clip: clip.partition("-")[0] for clip in clips}
    alone = event_f1(truth, found, {event.clip: 10.0 for event in truth}).scores["micro_f1"]
    together = event_f1(*copies, clips, sources=source).scores["micro_f1"]
    apart = event_f1(*copies, clips).scores["micro_f1"]
    assert_allclose(together.high - together.low, alone.high - alone.low, rtol=0.1)
    assert (apart.high - apart.low) < 0.6 * (alone.high - alone.low)
    assert (together.n, apart.n) == (60, 300)


def test_senseless_settings_are_refused():
    with pytest.raises(ParameterError, match="segment is 0"):
        segment_f1([Event("a", 0, 1, "x")], [], TEN, segment=0)
    with pytest.raises(ParameterError, match="not negative"):
        Tolerance(onset=-0.1)
