import numpy as np
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression

from alignkit.aligners.least_squares import LeastSquares
from alignkit.testing import planted_shear


def test_it_equals_scikit_learn_with_and_without_weights_and_intercept():
    X, Y, _ = planted_shear()
    Y = Y + np.random.default_rng(0).normal(size=Y.shape)
    w = np.random.default_rng(1).uniform(0.1, 2, len(X))
    for normalize, intercept in (("none", False), ("center", True)):
        ours = LeastSquares(normalize=normalize).fit(X, Y, sample_weight=w)
        theirs = LinearRegression(fit_intercept=intercept).fit(X, Y, sample_weight=w)
        assert_allclose(ours.transform(X), theirs.predict(X), atol=1e-8)


def test_too_few_pairs_give_the_shortest_map_that_fits_them():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(5, 9)), rng.normal(size=(5, 4))
    fitted = LeastSquares(normalize="none").fit(X, Y)
    assert_allclose(fitted.matrix_, np.linalg.pinv(X) @ Y, atol=1e-8)
    assert_allclose(fitted.transform(X), Y, atol=1e-8)


def test_a_source_that_never_varies_is_answered_by_the_targets_mean():
    Y = np.random.default_rng(0).normal(size=(50, 3))
    lengths = np.random.default_rng(1).uniform(1, 9, (50, 1))  # divided by themselves: 1, but for rounding
    for normalize, X in (("unit-center", lengths), ("center", np.full((50, 2), 0.1))):
        fitted = LeastSquares(normalize=normalize).fit(X, Y)
        mean = fitted.target_frame_.mean * fitted.target_frame_.length
        assert_allclose(fitted.transform(X), np.tile(mean, (50, 1)))
