"""A table of scores is scored with what is needed to judge it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError
from alignkit.probes.resampling import Resampling
from alignkit.probes.scoring import ProbeResult, blind_calls, chance_levels, check_rows, score_table
from alignkit.probes.targets import Targets


def test_a_predictor_that_sees_nothing_scores_its_own_chance_level():
    targets = Targets.of(["a"] * 60 + ["b"] * 30 + ["c"] * 10)
    blind = np.tile([1.0, 0.0, 0.0], (100, 1))
    scores, facts = score_table(
        np.tile([0.6, 0.3, 0.1], (100, 1)), targets, blind, groups=None, resampling=Resampling(200)
    )
    assert_allclose([s.value for s in scores.values()], [s.chance for s in scores.values()])
    assert scores["accuracy"].chance == 0.6
    assert_allclose(scores["balanced_accuracy"].chance, 1 / 3)
    assert_allclose(scores["map"].chance, 1 / 3)
    assert (facts["rows"], facts["groups"], facts["classes"]) == (100, 100, 3)


def test_where_classes_are_no_rivals_chance_is_to_call_them_all():
    targets = Targets.of(np.arange(20)[:, None] < [5, 10], ["a", "b"])
    found = chance_levels(targets, np.ones((20, 2)), ("macro_f1", "micro_f1"))
    assert_allclose(found["micro_f1"], 2 * 15 / (15 + 40))
    assert_allclose(found["macro_f1"], (2 * 5 / 25 + 2 * 10 / 30) / 2)
    assert_allclose(found["map"], (0.25 + 0.5) / 2)


def test_calls_are_the_best_class_or_every_class_from_one_half_on():
    table = np.array([[0.5, 0.6], [0.4, 0.1]])
    one = ProbeResult({}, Targets.of(["a", "b"]), table)
    several = ProbeResult({}, Targets.of(np.eye(2), ["a", "b"]), table)
    assert one.calls.tolist() == [[0, 1], [1, 0]]
    assert several.calls.tolist() == [[1, 1], [0, 0]]


def test_rows_that_do_not_fit_are_refused():
    targets = Targets.of(["a", "b"])
    with pytest.raises(DataError, match="give one label per row"):
        check_rows(np.eye(3), targets)
    with pytest.raises(DataError, match="row 1 holds NaN"):
        check_rows(np.array([[1.0], [np.nan]]), targets)


def test_a_blind_predictor_calls_what_is_frequent_or_everything():
    assert blind_calls(Targets.of(["a", "b", "b", "c", "c"])).tolist() == [[0, 0.5, 0.5]] * 5
    assert blind_calls(Targets.of(np.eye(3), list("abc"))).tolist() == [[1, 1, 1]] * 3


def test_no_constant_call_has_a_better_f1_than_calling_everything():
    targets = Targets.of(np.random.default_rng(0).random((30, 3)) < 0.3, list("abc"))
    best = chance_levels(targets, blind_calls(targets), ("macro_f1",))["macro_f1"]
    for share in np.linspace(0, 1, 11):
        assert chance_levels(targets, np.full((30, 3), share), ("macro_f1",))["macro_f1"] <= best
