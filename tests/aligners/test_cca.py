import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import cross_decomposition

from alignkit.aligners._reciprocal_rank import rank_and_cosine
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


@pytest.mark.parametrize("n", [60, 1500])
def test_the_automatic_regularisation_comes_close_to_the_best_with_few_pairs_and_with_many(n):
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(2100, 16))
    X, Y = (
        shared @ rng.normal(size=(16, 48)) * np.geomspace(1, 0.1, 48) + rng.normal(size=(2100, 48))
        for _ in "xy"
    )

    def mrr(regularization):
        fitted = CanonicalCorrelation(regularization=regularization, normalize="center").fit(X[:n], Y[:n])
        P, Q = fitted.project_source(X[1500:]), fitted.project_target(Y[1500:])
        return rank_and_cosine(P, Q, np.ones(600))[0]

    grid = [mrr(amount) for amount in (0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)]
    assert mrr("auto") > 0.9 * max(grid)
    assert min(grid) < 0.8 * max(grid), "the world does not care, so it proves nothing"


def test_the_automatic_regularisation_is_dimensions_per_pair_and_at_most_one():
    X, Y = half_shared(n=70)
    named, auto = (CanonicalCorrelation(regularization=r, normalize="center") for r in (0.1, "auto"))
    Y = np.hstack([Y, Y[:, :2] ** 2])  # 7 dimensions a side
    assert_allclose(auto.fit(X, Y).correlations_, named.fit(X, Y).correlations_)
    few, one = (CanonicalCorrelation(regularization=r).fit(X[:5], Y[:5]) for r in ("auto", 1.0))
    assert_allclose(few.matrix_, one.matrix_)
    with pytest.raises(ParameterError, match="regularization is 'much'; give a number >= 0, or 'auto'"):
        CanonicalCorrelation(regularization="much").fit(X, Y)
