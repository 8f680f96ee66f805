"""Rates are scikit-learn's, ties are shared, and classes that never occur are left out of means."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from alignkit.probes.counting import ClassCounts, top_shares


def tables(seed, n=120, classes=6):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    return truth, np.where(rng.random(n) < 0.6, truth, rng.integers(0, classes, n))


@pytest.mark.parametrize("seed", range(4))
def test_rates_of_one_class_a_row_are_those_of_scikit_learn(seed):
    truth, called = tables(seed)
    weights = np.random.default_rng(seed + 100).integers(0, 4, (3, len(truth)))
    counts = ClassCounts.of(np.eye(6)[truth], np.eye(6)[called], np.arange(len(truth)))
    found = counts.rates(weights.astype(float))
    for row, own in enumerate(weights):
        options = {"sample_weight": own}
        assert_allclose(found["accuracy"][row], accuracy_score(truth, called, **options))
        assert_allclose(found["balanced_accuracy"][row], balanced_accuracy_score(truth, called, **options))
        assert_allclose(found["macro_f1"][row], f1_score(truth, called, average="macro", **options))
        assert_allclose(found["micro_f1"][row], f1_score(truth, called, average="micro", **options))


@pytest.mark.parametrize("seed", range(3))
def test_rates_of_several_classes_a_row_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    truth, called = rng.random((2, 90, 5)) < 0.3
    counts = ClassCounts.of(truth.astype(float), called.astype(float), np.arange(90))
    found = counts.rates(names=("macro_f1", "micro_f1"))
    assert_allclose(found["macro_f1"][0], f1_score(truth, called, average="macro"))
    assert_allclose(found["micro_f1"][0], f1_score(truth, called, average="micro"))


def test_a_class_that_never_occurs_spoils_no_mean_but_its_false_alarms_count():
    truth, called = np.array([[1, 0], [1, 0], [1, 0.0]]), np.array([[1, 0], [1, 0], [1, 1.0]])
    rates = ClassCounts.of(truth, called, np.arange(3)).rates()
    assert rates["macro_f1"] == rates["balanced_accuracy"] == 1.0
    assert_allclose(rates["micro_f1"], 6 / 7)


def test_a_class_that_is_never_called_has_f1_of_zero():
    truth = np.eye(2)[[0, 0, 1]]
    rates = ClassCounts.of(truth, np.eye(2)[[0, 0, 0]], np.arange(3)).rates()
    assert_allclose(rates["macro_f1"], 0.8 / 2)


def test_groups_change_no_value_but_how_it_is_drawn():
    truth, called = tables(0)
    groups = np.arange(len(truth)) // 4
    grouped = ClassCounts.of(np.eye(6)[truth], np.eye(6)[called], groups)
    single = ClassCounts.of(np.eye(6)[truth], np.eye(6)[called], np.arange(len(truth)))
    assert grouped.n_groups == 30
    weights = np.random.default_rng(0).integers(0, 3, (2, 30)).astype(float)
    for name, found in grouped.rates(weights).items():
        assert_allclose(found, single.rates(weights[:, groups])[name])


def test_tied_classes_share_a_call_so_that_no_order_of_classes_wins():
    scores = np.array([[0.5, 0.5, 0.1, 0.5], [0.0, 0.0, 0.0, 0.0]])
    assert_allclose(top_shares(scores), [[1 / 3, 1 / 3, 0, 1 / 3], [0.25] * 4])


def test_where_nothing_is_true_there_is_no_rate():
    counts = ClassCounts.of(np.zeros((2, 3)), np.ones((2, 3)), np.arange(2))
    assert all(np.isnan(value[0]) for value in counts.rates().values())
