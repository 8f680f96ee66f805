import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from alignkit.aligners._canonical import EXPONENTS, SHARES
from alignkit.aligners._folds import assign_folds, row_keys
from alignkit.aligners._reciprocal_rank import rank_and_cosine
from alignkit.aligners.cca import CanonicalCorrelation
from alignkit.aligners.cca_cv import CrossValidatedCorrelation
from alignkit.errors import AlignkitError, ParameterError
from alignkit.moments import Moments
from alignkit.testing import planted_rotation


def distorted(n=900, d=24, seed=0):
    """Return two views whose axes were scaled apart: whitening takes that back, and pairs are many."""
    rng = np.random.default_rng(seed)
    Z, Q = rng.normal(size=(n, d)), np.linalg.qr(rng.normal(size=(d, d)))[0]
    X, Y = (Z * np.geomspace(1, 0.02, d)[:: 1 if side else -1] for side in (0, 1))
    return X + 0.002 * rng.normal(size=Z.shape), (Y + 0.002 * rng.normal(size=Z.shape)) @ Q


def drowned(n=900, d=60, seed=0):
    """Return two views that share their few large directions only: whitening blows the noise up."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, 8)) @ np.linalg.qr(rng.normal(size=(d, 8)))[0].T
    X, Y = (Z + 0.12 * rng.normal(size=(n, d)) for _ in "xy")
    return X, Y @ np.linalg.qr(rng.normal(size=(d, d)))[0]


def mrr(aligner, X, Y):
    return rank_and_cosine(aligner.project_source(X), aligner.project_target(Y), np.ones(len(X)))[0]


@pytest.mark.parametrize("seed", range(3))
def test_each_world_gets_the_whitening_that_it_needs_and_not_the_other_ones(seed):
    shares, scores = {}, {}
    for world, pairs in ((distorted, 300), (drowned, 70)):
        X, Y = world(seed=seed)
        fitted = CrossValidatedCorrelation().fit(X[:pairs], Y[:pairs])
        shares[world], scores[world] = fitted.regularization_, mrr(fitted, X[pairs:], Y[pairs:])
        wrong = 100.0 if world is distorted else 0.01
        other = CanonicalCorrelation(regularization=wrong, exponent=fitted.exponent_).fit(
            X[:pairs], Y[:pairs]
        )
        assert mrr(other, X[pairs:], Y[pairs:]) < scores[world] - 0.1
    assert shares[distorted] <= 0.1
    assert shares[drowned] >= 1


def test_the_choice_comes_close_to_the_best_of_the_grid_on_new_pairs():
    X, Y = drowned(seed=5)
    best = max(
        mrr(CanonicalCorrelation(regularization=share, exponent=power).fit(X[:70], Y[:70]), X[70:], Y[70:])
        for share in SHARES
        for power in EXPONENTS
    )
    assert mrr(CrossValidatedCorrelation().fit(X[:70], Y[:70]), X[70:], Y[70:]) > 0.93 * best


def test_every_score_is_that_of_cca_fitted_without_the_fold():
    X, Y = drowned(n=60, d=10)
    fitted = CrossValidatedCorrelation(normalize="none", folds=3).fit(X, Y)
    folds = assign_folds(row_keys(X), row_keys(Y), None, 3)
    for place in ((0, 4), (4, 2), (7, 0)):
        found = []
        for fold in range(3):
            inside = folds != fold
            params = {"regularization": SHARES[place[0]], "exponent": EXPONENTS[place[1]]}
            other = CanonicalCorrelation(**params, normalize="none").fit(X[inside], Y[inside])
            found.append(mrr(other, X[~inside], Y[~inside]))
        assert fitted.grid_scores_[*place, 0] == pytest.approx(np.mean(found), abs=1e-9)
    chosen = fitted.grid_scores_[SHARES.index(fitted.regularization_), EXPONENTS.index(fitted.exponent_), 0]
    assert chosen >= fitted.grid_scores_[..., 0].max() - 1e-6


def test_numbers_that_are_given_are_kept_and_make_it_cca():
    X, Y, _ = planted_rotation(noise=0.2)
    ours = CrossValidatedCorrelation(regularization=0.3, exponent=2.0).fit(X, Y)
    theirs = CanonicalCorrelation(regularization=0.3, exponent=2.0).fit(X, Y)
    assert np.array_equal(ours.source_projection_, theirs.source_projection_)
    factor = np.linalg.norm(ours.matrix_) / np.linalg.norm(theirs.matrix_)
    assert_allclose(ours.matrix_, factor * theirs.matrix_, atol=1e-12)
    assert factor > 1.1  # what regularisation takes from the lengths
    half = CrossValidatedCorrelation(exponent=0.7).fit(X, Y)
    assert half.exponent_ == 0.7
    assert half.grid_scores_.shape == (len(SHARES), 1, 2)


def test_near_copies_that_are_declared_cannot_buy_a_smaller_regularisation():
    X, Y = drowned()
    X, Y = X[:70], Y[:70]
    jitter = 1e-6 * np.random.default_rng(1).normal(size=(350, 60))
    near, partners = np.tile(X, (5, 1)) + jitter, np.tile(Y, (5, 1)) + jitter
    leaky = CrossValidatedCorrelation().fit(near, partners)
    declared = CrossValidatedCorrelation().fit(near, partners, groups=np.tile(np.arange(70), 5))
    assert leaky.regularization_ < declared.regularization_


def test_a_stream_chooses_as_an_array_does():
    X, Y = drowned(n=80)
    whole = CrossValidatedCorrelation().fit(X, Y)
    streamed = CrossValidatedCorrelation().fit_blocks(
        lambda: ((X[i : i + 9], Y[i : i + 9]) for i in range(0, 80, 9))
    )
    assert (streamed.regularization_, streamed.exponent_) == (whole.regularization_, whole.exponent_)
    assert_allclose(streamed.matrix_, whole.matrix_, atol=1e-10)


def test_what_cannot_be_chosen_is_refused():
    X, Y, _ = planted_rotation()
    for params in ({"regularization": "auto"}, {"exponent": -1}, {"exponent": None}):
        with pytest.raises(ParameterError, match="give a number >= 0, or 'cv'"):
            CrossValidatedCorrelation(**params).fit(X, Y)
    with pytest.raises(ParameterError, match=r"exponent='cv' must hold out .* share a row or a group"):
        CrossValidatedCorrelation(regularization=1).fit(X, Y, groups=np.zeros(len(X)))
    raw = Moments.from_arrays(X, Y)
    with pytest.raises(ParameterError, match="moments do not hold"):
        CrossValidatedCorrelation(normalize="none").from_moments(raw)
    numbers = CrossValidatedCorrelation(normalize="none", regularization=1, exponent=1)
    matrix = numbers.from_moments(raw).matrix_
    assert_allclose(matrix, numbers.fit(X, Y).matrix_, atol=1e-10)


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(2, 20),
    ds=st.integers(1, 9),
    dt=st.integers(1, 9),
    rank=st.integers(0, 4),
    seed=st.integers(0, 99),
)
def test_shapes_of_every_kind_give_a_finite_map_or_a_sentence(n, ds, dt, rank, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, ds)) + 1  # rank 0: one row, copied
    Y = rng.normal(size=(n, dt))
    Y[:, 0] = 2.0
    Y[n // 2 :] = Y[0]
    try:
        fitted = CrossValidatedCorrelation(folds=3).fit(X, Y)
    except AlignkitError:
        return
    assert np.isfinite(fitted.transform(X)).all()
    assert np.isfinite(fitted.project_target(Y)).all()
