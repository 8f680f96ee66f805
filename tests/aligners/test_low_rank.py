import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.aligners.low_rank import LowRank
from alignkit.aligners.ridge import Ridge
from alignkit.errors import NotInvertibleError, ParameterError
from alignkit.moments import Moments
from alignkit.testing import check_aligner, planted_rotation


def rank_three_world(n=60, ds=40, dt=30, noise=1.0, seed=0):
    """Return n pairs to fit and 1,000 to test: three directions are shared, the rest is noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n + 1000, ds))
    W = rng.normal(size=(ds, 3)) @ rng.normal(size=(3, dt)) / np.sqrt(ds)
    Y = X @ W + noise * rng.normal(size=(n + 1000, dt))
    return X[:n], Y[:n], X[n:], (X @ W)[n:]


def missed(fitted, X, Y):
    """Return the mean squared error of new rows beside their variance."""
    return float(np.mean((fitted.transform(X) - Y) ** 2) / np.var(Y))


def test_three_directions_need_rank_three_and_one_must_fail():
    for seed in range(5):
        X, Y, X_new, Y_new = rank_three_world(seed=seed)
        right, one, full = (
            missed(LowRank(rank=rank, regularization=0.1, normalize="none").fit(X, Y), X_new, Y_new)
            for rank in (3, 1, None)
        )
        alpha = 0.1 * np.trace(X.T @ X) / 40
        ridge = missed(Ridge(alpha=alpha, normalize="none").fit(X, Y), X_new, Y_new)
        assert right < 0.75 * ridge
        assert one > 1.2 * right
        assert full == pytest.approx(ridge)


@pytest.mark.parametrize("normalize", ["none", "center", "unit-center-unit"])
def test_at_full_rank_it_is_ridge(normalize):
    X, Y, *_ = rank_three_world(n=25)
    ours = LowRank(regularization=0.3, normalize=normalize).fit(X, Y)
    theirs = Ridge(alpha=ours.alpha_, normalize=normalize).fit(X, Y)
    assert_allclose(ours.matrix_, theirs.matrix_, atol=1e-10)
    assert not np.allclose(LowRank(rank=2, normalize=normalize).fit(X, Y).matrix_, theirs.matrix_, atol=1e-3)


def test_no_matrix_of_the_rank_fits_better():
    """The penalised error is that of the answer, and grows with every step away from it."""
    X, Y, *_ = rank_three_world()
    fitted = LowRank(rank=3, regularization=0.5, normalize="none").fit(X, Y)
    assert np.linalg.matrix_rank(fitted.matrix_) == 3

    def loss(W):
        return np.sum((X @ W - Y) ** 2) + fitted.alpha_ * np.sum(W**2)

    U, s, Vt = np.linalg.svd(fitted.matrix_, full_matrices=False)
    A, B = U[:, :3] * s[:3], Vt[:3]
    rng = np.random.default_rng(0)
    for step in (1e-3, 1e-1, 1):
        for _ in range(50):
            near = (A + step * rng.normal(size=A.shape)) @ (B + step * rng.normal(size=B.shape))
            assert loss(near) > loss(fitted.matrix_)


def test_it_equals_least_squares_projected_on_the_leading_fitted_directions():
    X, Y, *_ = rank_three_world(n=200)
    W = np.linalg.lstsq(X, Y, rcond=None)[0]
    V = np.linalg.svd(X @ W)[2][:4].T
    fitted = LowRank(rank=4, regularization=0, normalize="none").fit(X, Y)
    assert_allclose(fitted.matrix_, W @ V @ V.T, atol=1e-9)


def test_streams_and_moments_give_the_same_map():
    X, Y, *_ = rank_three_world()
    whole = LowRank(rank=3, normalize="center").fit(X, Y)
    parts = LowRank(rank=3, normalize="center").partial_fit(X[:20], Y[:20]).partial_fit(X[20:], Y[20:])
    summed = Moments.from_arrays(X[:50], Y[:50]) + Moments.from_arrays(X[50:], Y[50:])
    moments = LowRank(rank=3, normalize="center").from_moments(summed)
    for other in (parts, moments):
        assert_allclose(other.matrix_, whole.matrix_, atol=1e-10)


@pytest.mark.parametrize("normalize", ["none", "center", "unit", "unit-center", "unit-center-unit"])
@pytest.mark.parametrize("params", [{}, {"rank": 11, "regularization": 0.01}])
def test_the_contract_is_kept_in_every_frame(normalize, params):
    check_aligner(LowRank(normalize=normalize, **params))


def test_it_cannot_be_taken_back():
    X, Y, _ = planted_rotation()
    with pytest.raises(NotInvertibleError, match="LowRank has no inverse"):
        LowRank(rank=3).fit(X, Y).inverse_transform(Y)


def test_state_comes_back_to_the_last_bit():
    X, Y, *_ = rank_three_world()
    for rank in (1, 3):
        fitted = LowRank(rank=rank).fit(X, Y)
        again = LowRank.from_state(fitted.get_params(), fitted.arrays())
        assert again.alpha_ == fitted.alpha_
        for name, rows in (("transform", X), ("project_source", X), ("project_target", Y)):
            assert_array_equal(getattr(again, name)(rows), getattr(fitted, name)(rows))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"rank": 13}, "rank is 13, but the smaller side has 12 dimensions"),
        ({"rank": 0}, "rank is 0"),
        ({"rank": 2.5}, "rank is 2.5"),
        ({"regularization": -1}, "regularization is -1"),
        ({"regularization": "cv"}, "regularization is 'cv'.*or 'auto'"),
    ],
)
def test_what_makes_no_sense_is_refused(params, words):
    X, Y, _ = planted_rotation()
    with pytest.raises(ParameterError, match=words):
        LowRank(**params).fit(X, Y)
