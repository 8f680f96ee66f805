import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge as Reference

from alignkit.aligners._folds import assign_folds, row_keys
from alignkit.aligners._reciprocal_rank import rank_and_cosine
from alignkit.aligners.ridge import GRID, Ridge
from alignkit.errors import DataError, ParameterError
from alignkit.moments import Moments
from alignkit.testing import planted_rotation, planted_shear


def noisy(n=120, d=40, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, X @ np.linalg.qr(rng.normal(size=(d, d)))[0] + noise * rng.normal(size=(n, d))


def test_a_given_alpha_equals_scikit_learn():
    X, Y, _ = planted_shear()
    w = np.random.default_rng(1).uniform(0.1, 2, len(X))
    for normalize, intercept in (("none", False), ("center", True)):
        theirs = Reference(alpha=3.0, fit_intercept=intercept).fit(X, Y, sample_weight=w)
        ours = Ridge(alpha=3.0, normalize=normalize).fit(X, Y, sample_weight=w)
        assert_allclose(ours.transform(X), theirs.predict(X), atol=1e-8)


def test_the_chosen_alpha_is_near_the_best_on_new_pairs():
    """Noise asks for shrinkage: the choice must beat least squares and come close to the best of the grid."""
    X, Y = noisy(n=1120)
    train, test = slice(0, 120), slice(120, None)

    def mrr(alpha):
        fitted = Ridge(alpha=alpha).fit(X[train], Y[train])
        P, Q = fitted.project_source(X[test]), fitted.project_target(Y[test])
        return rank_and_cosine(P, Q, np.ones(1000))[0]

    chosen = Ridge().fit(X[train], Y[train])
    best = max(mrr(float(alpha)) for alpha in GRID * 120 / 40)
    assert mrr(chosen.alpha_) > 0.9 * best
    assert mrr(chosen.alpha_) > mrr(0.0) + 0.02
    assert chosen.grid_scores_.shape == (len(GRID), 2)


def test_copies_and_groups_cannot_buy_a_smaller_penalty():
    """Each pair five times over: folds that separate copies would find no shrinkage useful."""
    X, Y = noisy()
    once = Ridge().fit(X, Y)
    copies = Ridge().fit(np.tile(X, (5, 1)), np.tile(Y, (5, 1)))
    assert copies.alpha_ == pytest.approx(5 * once.alpha_)
    jitter = np.random.default_rng(5).normal(size=(600, 40)) * 1e-6
    near = np.tile(X, (5, 1)) + jitter
    leaky = Ridge().fit(near, np.tile(Y, (5, 1)) + jitter)
    grouped = Ridge().fit(near, np.tile(Y, (5, 1)) + jitter, groups=np.tile(np.arange(120), 5))
    assert grouped.alpha_ > 5 * leaky.alpha_


def test_folds_follow_the_content_and_not_the_order():
    X, Y = noisy()
    order = np.random.default_rng(3).permutation(len(X))
    keys = row_keys(X), row_keys(Y)
    folds = assign_folds(*keys, None, 5)
    assert np.array_equal(assign_folds(keys[0][order], keys[1][order], None, 5), folds[order])
    assert np.bincount(folds).tolist() == [24] * 5
    groups = np.arange(120) // 4
    grouped = assign_folds(*keys, groups, 5).reshape(30, 4)
    assert (grouped == grouped[:, :1]).all()


def test_rank_by_expectation_scores_a_collapsed_map_at_chance():
    n = 50
    same = np.ones((n, 3))
    chance = np.mean(1 / np.arange(1, n + 1))
    assert rank_and_cosine(same, same, np.ones(n))[0] == pytest.approx(chance)
    assert rank_and_cosine(np.eye(n), np.eye(n), np.ones(n)) == (pytest.approx(1), pytest.approx(1))
    S = np.random.default_rng(0).normal(size=(n, 4)), np.random.default_rng(1).normal(size=(n, 4))
    unit = [V / np.linalg.norm(V, axis=1, keepdims=True) for V in S]
    cosines = unit[0] @ unit[1].T
    naive = [1 / (1 + (cosines[i] > cosines[i, i]).sum()) for i in range(n)]
    naive += [1 / (1 + (cosines[:, i] > cosines[i, i]).sum()) for i in range(n)]
    assert rank_and_cosine(*S, np.ones(n))[0] == pytest.approx(np.mean(naive))


def test_a_stream_chooses_as_an_array_does():
    X, Y = noisy()
    whole = Ridge().fit(X, Y)
    streamed = Ridge().fit_blocks(lambda: ((X[i : i + 7], Y[i : i + 7]) for i in range(0, 120, 7)))
    assert streamed.alpha_ == pytest.approx(whole.alpha_)
    assert_allclose(streamed.matrix_, whole.matrix_, atol=1e-10)


def test_what_cannot_be_chosen_is_refused():
    X, Y, _ = planted_rotation()
    for alpha in ("best", -1, True, np.nan, None):
        with pytest.raises(ParameterError, match=r"alpha is .*; give a number >= 0, or 'cv'"):
            Ridge(alpha=alpha).fit(X, Y)
    with pytest.raises(ParameterError, match="folds is 1"):
        Ridge(folds=1).fit(X, Y)
    with pytest.raises(ParameterError, match="share a row or a group"):
        Ridge().fit(X, Y, groups=np.zeros(len(X)))
    with pytest.raises(ParameterError, match="moments do not hold"):
        Ridge(normalize="none").from_moments(Moments.from_arrays(X, Y))


def test_groups_of_another_length_than_the_stream_are_refused():
    X, Y = noisy()
    with pytest.raises(DataError, match="9 group labels for 120 pairs"):
        Ridge().fit_blocks(lambda: [(X, Y)], groups=np.arange(9))
