"""A linear probe is scikit-learn's regression, sees what is linear, and knows no more than it was shown."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from alignkit.errors import DataError
from alignkit.probes.cross_fit import Recipe
from alignkit.probes.linear import linear_probe, logistic_path
from alignkit.probes.resampling import Resampling

QUICK = Resampling(resamples=200)


def test_yamnet_on_esc10_reaches_what_a_correct_probe_reaches(esc10):
    result = linear_probe(
        esc10.rows,
        esc10.labels,
        esc10.folds,
        groups=esc10.sources,
        recipe=Recipe((0.1, 0.01)),
        resampling=QUICK,
    )
    score = result.scores["accuracy"]
    assert abs(score.value - 0.9825) <= 0.01
    assert 0.95 < score.low < score.value < score.high < 1
    assert (score.chance, result.facts["folds"], result.facts["classes"]) == (pytest.approx(0.1), 5, 10)
    assert result.facts["groups_across_folds"] == 0
    assert result.facts["converged"]


def test_clap_on_esc50_beats_its_own_zero_shot_and_four_recordings_straddle_folds(esc50):
    result = linear_probe(
        esc50.rows, esc50.labels, esc50.folds, groups=esc50.sources, recipe=Recipe((0.01,)), resampling=QUICK
    )
    assert abs(result.scores["accuracy"].value - 0.9735) <= 0.002
    assert result.scores["accuracy"].low > 0.93  # zero-shot ends at .929
    assert result.facts["groups_across_folds"] == 4


@pytest.mark.parametrize("classes", [2, 5])
def test_fits_along_a_path_are_those_of_scikit_learn_started_afresh(planted, classes):
    clips = planted(0, classes=classes)
    codes = np.unique(clips.labels, return_inverse=True)[1]
    penalties = (10.0, 1.0, 0.1)
    fits = logistic_path(clips.rows, np.eye(classes, dtype=bool)[codes], True, penalties)
    for penalty, fit in zip(penalties, list(fits), strict=True):  # later refits leave earlier fits alone
        peer = LogisticRegression(C=1 / penalty, max_iter=5000, tol=1e-8).fit(clips.rows, codes)
        assert_allclose(fit.probabilities(clips.rows), peer.predict_proba(clips.rows), atol=2e-3)


def test_several_classes_a_row_are_one_regression_each(planted):
    rows = planted(0).rows
    truth = rows @ np.random.default_rng(0).normal(size=(10, 3)) > 1
    peer = OneVsRestClassifier(LogisticRegression(max_iter=5000, tol=1e-8)).fit(rows, truth)
    fit = next(iter(logistic_path(rows, truth, False, (1.0,))))
    assert_allclose(fit.probabilities(rows), peer.predict_proba(rows), atol=2e-3)


def test_a_class_that_the_training_rows_never_or_always_have_is_taken_as_it_is():
    rows, truth = np.eye(4), np.array([[0, 1, 1], [0, 1, 0], [0, 1, 1], [0, 1, 0]], dtype=bool)
    found = next(iter(logistic_path(rows, truth, False, (1.0,)))).probabilities(rows)
    assert (found[:, 0] == 0).all()
    assert (found[:, 1] == 1).all()
    exclusive = np.eye(3, dtype=bool)[[0, 2, 0, 2]]
    assert (next(iter(logistic_path(rows, exclusive, True, (1.0,)))).probabilities(rows)[:, 1] == 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_rows_without_meaning_score_at_chance(seed, planted):
    clips = planted(seed, n=300)
    noise = np.random.default_rng(seed).normal(size=(300, 20))
    scores = linear_probe(noise, clips.labels, clips.folds, resampling=QUICK).scores
    assert scores["balanced_accuracy"].chance == 0.25
    assert abs(scores["balanced_accuracy"].value - 0.25) < 0.1
    assert (
        linear_probe(clips.rows, clips.labels, clips.folds, resampling=QUICK).scores["accuracy"].value > 0.8
    )


def test_what_no_plane_divides_is_not_read():
    corners = np.random.default_rng(0).integers(0, 2, (400, 2))
    rows = corners - 0.5 + 0.05 * np.random.default_rng(1).normal(size=(400, 2))
    result = linear_probe(
        rows, corners[:, 0] ^ corners[:, 1], np.arange(400) % 5, recipe=Recipe(scale="none"), resampling=QUICK
    )
    assert result.scores["accuracy"].value < 0.62  # and the MLP probe reads it: see its tests


def test_planted_tags_are_read_and_scored_against_calling_them_all():
    rng = np.random.default_rng(0)
    truth = rng.random((300, 3)) < [0.2, 0.4, 0.1]
    rows = truth @ rng.normal(size=(3, 12)) + 0.3 * rng.normal(size=(300, 12))
    result = linear_probe(
        rows, truth.astype(int), np.arange(300) % 5, classes=["a", "b", "c"],
        recipe=Recipe(scale="standard"), resampling=QUICK,
    )  # fmt: skip
    assert set(result.scores) == {"macro_f1", "micro_f1", "map"}
    for score in result.scores.values():
        assert score.value > 0.9 > score.chance
        assert score.low <= score.value <= score.high
    assert not result.facts["one_class_per_row"]


def test_recordings_split_over_folds_flatter_and_are_counted(planted):
    """Takes of one recording are nearly copies: held out apart, a probe knows them by heart."""
    rng = np.random.default_rng(0)
    takes = np.repeat(rng.normal(size=(60, 30)), 4, axis=0) + 0.05 * rng.normal(size=(240, 30))
    labels, source = np.repeat(rng.integers(0, 3, 60), 4), np.repeat(np.arange(60), 4)
    options = {"groups": source, "recipe": Recipe((0.01,)), "resampling": QUICK}
    torn = linear_probe(takes, labels, np.arange(240) % 4, **options)
    whole = linear_probe(takes, labels, source % 4, **options)
    assert torn.scores["accuracy"].value > 0.95
    assert whole.scores["accuracy"].value < 0.55
    assert (torn.facts["groups_across_folds"], whole.facts["groups_across_folds"]) == (60, 0)


def test_what_does_not_fit_is_refused(planted):
    clips = planted(0, n=20)
    with pytest.raises(DataError, match="give one label per row"):
        linear_probe(clips.rows[:19], clips.labels, clips.folds)
    with pytest.raises(DataError, match="folds have shape"):
        linear_probe(clips.rows, clips.labels, clips.folds[:19])
