"""A frame probe finds planted events in clips that it was not fitted to, and nothing in noise."""

import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.probes.cross_fit import Recipe
from alignkit.probes.events import Detector, Event, Frames, frame_truth
from alignkit.probes.frame_probe import frame_probe
from alignkit.probes.resampling import Resampling

QUICK = Resampling(resamples=200)
HOP, LONG = 0.1, 100


def scene(seed, clips=24, noise=0.8):
    """Return frame rows of clips with one event of each of two classes, long enough for a median filter."""
    rng = np.random.default_rng(seed)
    names = np.array([f"clip{i:02d}" for i in range(clips)])
    frames = Frames(
        np.repeat(names, LONG),
        np.tile(np.arange(LONG), clips),
        HOP,
        source=np.repeat(np.arange(clips) // 2, LONG),
    )
    events = []
    for name in names:
        for label in ("alarm", "dog"):
            onset = round(float(rng.uniform(0, 6)), 1)
            events.append(Event(str(name), onset, round(onset + float(rng.uniform(1, 3)), 1), label))
    on = frame_truth(frames, events, ["alarm", "dog"])
    rows = on @ (3 * rng.normal(size=(2, 12))) + noise * rng.normal(size=(len(on), 12))
    folds = np.repeat(np.arange(clips) // 2 % 3, LONG)
    return rows, frames, events, folds


@pytest.mark.parametrize("seed", range(3))
def test_planted_events_are_found_far_above_a_detector_that_hears_nothing(seed):
    result = frame_probe(*scene(seed), recipe=Recipe(scale="standard"), resampling=QUICK)
    for found in (result.segment.scores["macro_f1"], result.event.scores["macro_f1"]):
        assert found.value > 0.9
        assert found.low > found.chance + 0.2
        assert found.n == 12  # recordings, two clips each
    assert result.facts["groups_across_folds"] == 0


def test_a_median_filter_saves_events_from_single_frames():
    """Segments hardly notice the crumbs that noise breaks an event into; events do."""
    filtered, raw = (
        frame_probe(
            *scene(0, noise=2.5),
            detector=Detector(median=width),
            recipe=Recipe((10.0,), scale="standard"),
            resampling=QUICK,
        )
        for width in (9, 1)
    )
    assert filtered.event.scores["micro_f1"].value > raw.event.scores["micro_f1"].value + 0.2
    assert len(filtered.detected) < len(raw.detected) / 2


def test_noise_finds_nothing_worth_the_name():
    rows, frames, events, folds = scene(0)
    noise = np.random.default_rng(1).normal(size=rows.shape)
    result = frame_probe(noise, frames, events, folds, resampling=QUICK)
    assert result.event.scores["micro_f1"].value < 0.05
    assert result.segment.scores["micro_f1"].value < result.segment.scores["micro_f1"].chance


def test_the_order_of_frames_changes_no_number():
    rows, frames, events, folds = scene(0, clips=6)
    order = np.random.default_rng(0).permutation(len(rows))
    mixed = Frames(frames.clip[order], frames.number[order], frames.hop, frames.source[order])
    one = frame_probe(rows, frames, events, folds, resampling=QUICK)
    other = frame_probe(rows[order], mixed, events[::-1], folds[order], resampling=QUICK)
    assert one.detected == other.detected
    assert one.event.scores == other.event.scores


def test_frames_of_one_clip_in_several_folds_are_refused():
    rows, frames, events, folds = scene(0, clips=6)
    folds = folds.copy()
    folds[0] = 2
    with pytest.raises(DataError, match="clip 'clip00' lies in several folds"):
        frame_probe(rows, frames, events, folds)
    with pytest.raises(DataError, match="no reference events"):
        frame_probe(rows, frames, [], folds)
    with pytest.raises(DataError, match="folds have shape"):
        frame_probe(rows, frames, events, folds[1:])
