"""Confusion is scikit-learn's, and a difference is judged on the same rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import confusion_matrix

from alignkit.errors import DataError
from alignkit.probes.confusion import confusion, confusion_difference
from alignkit.probes.resampling import Resampling
from alignkit.probes.targets import Targets
from alignkit.probes.zero_shot import zero_shot

QUICK = Resampling(resamples=300)


def tables(seed, n=200, classes=4, right=0.6):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    called = np.where(rng.random(n) < right, truth, rng.integers(0, classes, n))
    return Targets.of(truth, range(classes)), np.eye(classes)[called]


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_those_of_scikit_learn(seed):
    targets, scores = tables(seed)
    found = confusion(targets, scores, resampling=QUICK)
    peer = confusion_matrix(targets.codes, scores.argmax(axis=1), normalize="true")
    assert_allclose(found.value, peer)
    assert found.n.tolist() == np.bincount(targets.codes).tolist()


def test_a_cell_has_the_interval_of_a_share():
    truth = np.zeros(400, int)
    scores = np.eye(2)[(np.arange(400) < 100).astype(int)]
    found = confusion(Targets.of(truth, [0, 1]), scores, resampling=Resampling(5000))
    half = 1.96 * np.sqrt(0.25 * 0.75 / 400)
    assert_allclose([found.low[0, 1], found.high[0, 1]], [0.25 - half, 0.25 + half], atol=0.006)


def test_a_class_without_rows_has_no_share_and_one_of_one_recording_no_interval():
    targets = Targets.of(["a", "a", "b"], ["a", "b", "c"])
    found = confusion(targets, np.eye(3)[[0, 1, 1]], groups=np.array([0, 1, 2]), resampling=QUICK)
    assert np.isnan(found.value[2]).all()
    assert found.value[1].tolist() == [0, 1, 0]
    assert np.isnan(found.low[1]).all()
    assert np.isfinite(found.low[0]).all()
    assert found.groups.tolist() == [2, 1, 0]


def test_a_difference_is_one_table_less_the_other_and_turns_its_sign_with_their_order():
    targets, first = tables(0)
    second = tables(1)[1]
    found = confusion_difference(targets, first, second, resampling=QUICK)
    parts = [confusion(targets, scores, resampling=QUICK).value for scores in (first, second)]
    assert_allclose(found.value, parts[0] - parts[1])
    back = confusion_difference(targets, second, first, resampling=QUICK)
    assert_allclose(back.value, -found.value)
    # the groups are numbered by what rows show, so the draws differ and the ends agree within their noise
    assert_allclose(back.low, -found.high, atol=0.06)


def test_what_two_probes_share_cancels_out_of_the_interval():
    targets, first = tables(0, n=400)
    second = first.copy()
    changed = np.flatnonzero(targets.codes == 0)[:6]
    second[changed] = np.eye(4)[1]
    found = confusion_difference(targets, first, second, resampling=QUICK)
    alone = confusion(targets, first, resampling=QUICK)
    assert (found.high - found.low)[0, 0] < 0.6 * (alone.high - alone.low)[0, 0]
    assert (found.value[1:] == 0).all()
    assert (found.low[1:] == found.high[1:]).all()


def test_a_planted_confusion_is_found_and_leaves_zero_out():
    for seed in range(3):
        targets, first = tables(seed, n=400, right=0.9)
        second = first.copy()
        rows = np.flatnonzero(targets.codes == 2)
        second[rows[: len(rows) // 3]] = np.eye(4)[3]
        name, called, value, low, high = confusion_difference(targets, second, first).most_confused(1)[0]
        assert (name, called) == (2, 3)
        assert 0 < low < value < high


def test_clap_confuses_the_sounds_that_sound_alike(esc50, esc50_texts):
    texts, names, _ = esc50_texts
    result = zero_shot(esc50.rows, esc50.labels, texts, names, resampling=QUICK)
    found = confusion(result.targets, result.class_scores, groups=esc50.sources, resampling=QUICK)
    assert_allclose(np.diag(found.value).mean(), result.scores["balanced_accuracy"].value)
    pairs = found.most_confused(3)
    assert pairs[0][2] >= pairs[1][2] >= pairs[2][2] > 0.2
    assert all(true != called and low < value for true, called, value, low, _ in pairs)


def test_several_classes_a_row_and_foreign_tables_are_refused():
    with pytest.raises(DataError, match="one class per row"):
        confusion(Targets.of(np.eye(2), ["a", "b"]), np.eye(2))
    with pytest.raises(DataError, match="scores have shape"):
        confusion(Targets.of(["a", "b"]), np.eye(3))
