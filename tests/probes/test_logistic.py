"""Fits along a path lie at the minimum, however many dimensions, and from wherever they started."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression

from alignkit.probes import _logistic
from alignkit.probes._logistic import TOLERANCE, planes

PENALTIES = (1.0, 0.1, 0.01)


def world(seed: int, n: int, d: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % classes
    return rng.normal(size=(classes, d))[codes] + 2 * rng.normal(size=(n, d)) + 3, codes


def gradient(rows, truth, penalty, plane, *, exclusive):
    """Return the mean gradient, written down afresh."""
    logits = rows @ plane.weights + plane.biases
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    found = odds / odds.sum(axis=1, keepdims=True) if exclusive else 1 / (1 + np.exp(-logits))
    inside = (rows - rows.mean(axis=0)).T @ (found - truth) + penalty * plane.weights
    return np.concatenate([inside, (found - truth).sum(axis=0)[None]]) / len(rows)


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize(("n", "d"), [(60, 8), (12, 40), (6, 6)])
def test_every_fit_lies_where_nothing_pulls(n, d, exclusive):
    rows, codes = world(n, n, d, 3)
    truth = np.eye(3)[codes]
    found = list(planes(rows, truth, PENALTIES, exclusive=exclusive))
    for penalty, plane in zip(PENALTIES, found, strict=True):
        assert plane.converged
        pull = gradient(rows, truth, penalty, plane, exclusive=exclusive)
        assert np.abs(pull).max() < 10 * TOLERANCE  # the largest of rotated coordinates may be larger here
        other = gradient(rows, truth, 3 * penalty, plane, exclusive=exclusive)
        assert np.abs(other).max() > 10 * TOLERANCE  # and it is the minimum of this penalty alone


@pytest.mark.parametrize(("n", "d"), [(90, 6), (15, 50)])
def test_probabilities_are_those_of_scikit_learn(n, d):
    rows, codes = world(1, n, d, 3)
    for penalty, plane in zip(
        PENALTIES, planes(rows, np.eye(3)[codes], PENALTIES, exclusive=True), strict=True
    ):
        peer = LogisticRegression(C=1 / penalty, max_iter=20_000, tol=1e-10).fit(rows, codes)
        logits = rows @ plane.weights + plane.biases
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        assert_allclose(odds / odds.sum(axis=1, keepdims=True), peer.predict_proba(rows), atol=5e-4)


def test_many_dimensions_cost_no_more_than_the_rows_span(monkeypatch):
    sizes = []
    minimize = _logistic.minimize
    monkeypatch.setattr(
        _logistic, "minimize", lambda f, x, **more: sizes.append(x.size) or minimize(f, x, **more)
    )
    rows, codes = world(2, 10, 500, 2)
    wide = next(planes(rows, np.eye(2)[codes], (1.0,), exclusive=True))
    assert sizes == [(10 + 1) * 2]
    assert wide.weights.shape == (500, 2)


def test_a_path_in_any_order_and_with_repeats_ends_at_the_same_minima():
    rows, codes = world(3, 40, 5, 2)
    truth = np.eye(2)[codes]
    order = (0.1, 0.1, 10.0, 1.0)
    for penalty, plane in zip(order, planes(rows, truth, order, exclusive=True), strict=True):
        alone = next(planes(rows, truth, (penalty,), exclusive=True))
        assert_allclose(plane.weights, alone.weights, atol=2e-4)
