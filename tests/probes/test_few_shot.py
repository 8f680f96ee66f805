"""Curves rise, their examples are what they say, and their intervals hold the luck of the draw."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError, ParameterError
from alignkit.probes.few_shot import Shots, draw_examples, few_shot_curve
from alignkit.probes.resampling import Resampling

QUICK = Resampling(resamples=200)


def test_clap_on_esc50_needs_few_examples(esc50):
    curve = few_shot_curve(
        esc50.rows,
        esc50.labels,
        esc50.folds,
        groups=esc50.sources,
        resampling=QUICK,
        shots=Shots((1, 4, 16), draws=2),
    )
    values = [point.scores["accuracy"].value for point in curve.points]
    assert values == sorted(values)
    assert 0.8 < values[0] < 0.92
    assert 0.94 < values[2] < 0.9775  # a probe on all 32 reaches .974
    assert all(point.scores["accuracy"].low < point.scores["accuracy"].value for point in curve.points)
    assert all(len(set(point.by_seed["accuracy"])) > 1 for point in curve.points)
    assert curve.facts["groups"] == curve.points[0].scores["map"].n == 1524


@pytest.mark.parametrize("seed", range(3))
def test_each_class_gives_k_examples_of_different_recordings_and_larger_sets_hold_smaller_ones(seed):
    rng = np.random.default_rng(seed)
    codes, groups = rng.integers(0, 3, 200), rng.integers(0, 40, 200)
    candidates = np.flatnonzero(rng.random(200) < 0.7)
    chosen = draw_examples(candidates, codes, groups, 6, rng)
    assert set(chosen) <= set(candidates)
    assert len(set(chosen)) == 18
    for k in range(1, 7):
        few = chosen[: 3 * k]
        assert np.bincount(codes[few]).tolist() == [k] * 3
        for code in range(3):
            assert len(set(groups[few[codes[few] == code]])) == k


def test_a_class_of_few_recordings_gives_all_of_them_before_a_second_take():
    codes, groups = np.zeros(9, int), np.repeat([0, 1, 2], 3)
    chosen = draw_examples(np.arange(9), codes, groups, 5, np.random.default_rng(0))
    assert sorted(groups[chosen[:3]]) == [0, 1, 2]
    assert len(set(chosen)) == 5


def test_every_row_is_as_likely_to_be_an_example():
    drawn = np.concatenate(
        [
            draw_examples(np.arange(20), np.arange(20) % 2, None, 2, np.random.default_rng(s))
            for s in range(1000)
        ]
    )
    assert_allclose(np.bincount(drawn, minlength=20) / 1000, 0.2, atol=0.06)


def test_the_interval_holds_what_further_draws_and_rows_give(planted):
    """Twenty worlds of one kind: the mean over many is inside most intervals."""
    settings = {"shots": Shots((2,), draws=6), "resampling": Resampling(resamples=300)}
    corners, found = np.random.default_rng(99).normal(size=(4, 10)), []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        codes = np.arange(120) % 4
        rows = corners[codes] + 2.0 * rng.normal(size=(120, 10))
        found.append(
            few_shot_curve(rows, codes, np.arange(120) // 4 % 5, **settings).points[0].scores["accuracy"]
        )
    centre = np.mean([score.value for score in found])
    assert np.mean([score.low <= centre <= score.high for score in found]) >= 0.85


def test_permuting_rows_changes_no_value(planted):
    clips = planted(0, n=80)
    order = np.random.default_rng(1).permutation(80)
    labels = np.array(clips.labels)
    settings = {"shots": Shots((1, 3), draws=2), "resampling": QUICK}
    one = few_shot_curve(clips.rows, labels, clips.folds, **settings)
    other = few_shot_curve(clips.rows[order], labels[order], clips.folds[order], **settings)
    for mine, theirs in zip(one.points, other.points, strict=True):
        assert mine.by_seed == theirs.by_seed
        assert mine.scores == theirs.scores


def test_rows_without_meaning_stay_at_chance_however_many_examples(planted):
    clips = planted(0, n=200)
    noise = np.random.default_rng(5).normal(size=(200, 10))
    curve = few_shot_curve(noise, clips.labels, clips.folds, shots=Shots((1, 16), draws=4), resampling=QUICK)
    for point in curve.points:
        assert abs(point.scores["accuracy"].value - 0.25) < 0.08
        assert point.scores["accuracy"].chance == pytest.approx(0.25)


def test_more_examples_than_there_are_and_several_classes_a_row_are_refused(planted):
    clips = planted(0, n=40)
    with pytest.raises(DataError, match="has 8 rows beside one of the folds, and 9 examples"):
        few_shot_curve(clips.rows, np.arange(40) % 4, np.arange(40) // 4 % 5, shots=Shots((9,)))
    with pytest.raises(DataError, match="each row needs one class"):
        few_shot_curve(clips.rows, np.eye(40), clips.folds)
    for settings in ({"counts": ()}, {"counts": (0,)}, {"counts": (1, 1)}, {"draws": 0}):
        with pytest.raises(ParameterError, match="name different counts"):
            Shots(**settings)
