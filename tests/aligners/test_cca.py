import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import cross_decomposition

from alignkit.aligners.cca import CanonicalCorrelation
from alignkit.aligners.least_squares import LeastSquares
from alignkit.errors import ParameterError
from alignkit.testing import planted_rotation


def half_shared(n=400, seed=0):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, 3)) * [3, 2, 1]
    return [np.hstack([shared + 0.5 * rng.normal(size=(n, 3)), rng.normal(size=(n, d))]) for d in (4, 2)]


def test_correlations_equal_scikit_learn():
    X, Y = half_shared()
    ours = CanonicalCorrelation(regularization=0, exponent=0, normalize="center").fit(X, Y)
    theirs = cross_decomposition.CCA(n_components=3, tol=1e-10, max_iter=5000).fit(X, Y)
    P, Q = theirs.transform(X, Y)
    expected = [np.corrcoef(P[:, k], Q[:, k])[0, 1] for k in range(3)]
    assert_allclose(ours.correlations_[:3], expected, atol=1e-6)
    A, B = ours.project_source(X), ours.project_target(Y)
    assert_allclose([np.corrcoef(A[:, k], B[:, k])[0, 1] for k in range(5)], ours.correlations_, atol=1e-10)
    assert_allclose(A.T @ A, np.eye(5), atol=1e-9)  # variates are uncorrelated and of one length


def test_any_invertible_change_of_a_side_leaves_the_correlations_alone():
    X, Y = half_shared()
    change = np.random.default_rng(1).normal(size=(7, 7))
    plain, changed = (
        CanonicalCorrelation(regularization=0, normalize="center").fit(rows, Y) for rows in (X, X @ change)
    )
    assert_allclose(plain.correlations_, changed.correlations_, atol=1e-8)


def test_all_components_predict_as_least_squares():
    X, Y = half_shared()
    ours = CanonicalCorrelation(regularization=0, normalize="center").fit(X, Y)
    assert_allclose(ours.matrix_, LeastSquares(normalize="center").fit(X, Y).matrix_, atol=1e-8)


def test_regularisation_unmasks_correlations_that_noise_only_feigns():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(2, 20, 15))
    assert CanonicalCorrelation(regularization=0, normalize="center").fit(X, Y).correlations_[0] > 0.999
    assert CanonicalCorrelation(regularization=1, normalize="center").fit(X, Y).correlations_[0] < 0.9


def test_components_are_cut_and_too_many_are_refused():
    X, Y = half_shared()
    assert CanonicalCorrelation(n_components=2).fit(X, Y).project_source(X).shape == (400, 2)
    with pytest.raises(ParameterError, match="n_components is 6, but the smaller side has 5"):
        CanonicalCorrelation(n_components=6).fit(X, Y)
    with pytest.raises(ParameterError, match="n_components is 0"):
        CanonicalCorrelation(n_components=0).fit(X, Y)


def test_signs_are_fixed():
    X, Y, _ = planted_rotation(noise=0.1)
    one, other = (CanonicalCorrelation().fit(rows, -Y) for rows in (X, X[::-1][::-1]))
    assert np.array_equal(one.source_projection_, other.source_projection_)
