"""Average precision is scikit-learn's, with ties, weights and classes without a true row."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import average_precision_score

from alignkit.probes.precision import mean_average_precision


@pytest.mark.parametrize("digits", [1, 6])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_that_of_scikit_learn_for_every_weighting(seed, digits):
    rng = np.random.default_rng(seed)
    truth = rng.random((80, 4)) < 0.25
    scores = np.round(rng.normal(size=(80, 4)) + truth, digits)  # one digit: many ties
    weights = rng.integers(0, 3, (6, 80)).astype(float)
    peer = [
        np.mean([average_precision_score(truth[:, c], scores[:, c], sample_weight=own) for c in range(4)])
        for own in weights
    ]
    assert_allclose(mean_average_precision(truth, scores, weights), peer, atol=1e-12)
    assert_allclose(
        mean_average_precision(truth, scores)[0], average_precision_score(truth, scores, average="macro")
    )


def test_constant_scores_have_the_share_of_true_rows_whatever_their_order():
    truth = np.arange(50)[:, None] < 10
    assert_allclose(mean_average_precision(truth, np.zeros((50, 1))), 0.2)
    assert_allclose(mean_average_precision(truth[::-1], np.zeros((50, 1))), 0.2)


def test_a_perfect_ranking_has_one_and_the_worst_one_has_its_closed_form():
    truth = np.arange(10)[:, None] < 2
    falling = -np.arange(10.0)[:, None]
    assert mean_average_precision(truth, falling)[0] == 1.0
    assert_allclose(mean_average_precision(truth, -falling), (1 / 9 + 2 / 10) / 2)


def test_classes_without_a_true_row_are_left_out_in_the_whole_and_in_a_resample():
    truth = np.array([[True, False, False], [False, True, False], [False, False, False]])
    scores = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert_allclose(mean_average_precision(truth, scores), (1.0 + 1 / 3) / 2)  # tie of two behind one
    assert_allclose(mean_average_precision(truth, scores, np.array([[1.0, 0.0, 1.0]])), 1.0)
    assert np.isnan(mean_average_precision(truth, scores, np.array([[0.0, 0.0, 1.0]])))[0]


def test_more_than_one_score_of_rows_without_truth_between_positives_is_counted():
    truth = np.array([[True], [False], [False], [False], [True], [False]])
    scores = np.array([[6.0], [5.0], [4.0], [4.0], [3.0], [1.0]])
    assert_allclose(mean_average_precision(truth, scores), (1 + 2 / 5) / 2)
