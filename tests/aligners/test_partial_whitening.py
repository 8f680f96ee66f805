import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import sqrtm

from alignkit.aligners.cca import CanonicalCorrelation
from alignkit.aligners.partial_whitening import PartialWhitening
from alignkit.aligners.procrustes import Procrustes
from alignkit.errors import ParameterError
from alignkit.moments import Moments
from alignkit.testing import check_aligner, planted_map, planted_rotation, planted_shear


def netrep(X, Y, alpha):
    """Whiten as netrep's LinearMetric does, alpha I + (1 - alpha) (X'X)^(-1/2), then rotate."""
    sides = []
    for M in (X, Y):
        root = np.real(sqrtm(np.linalg.inv(M.T @ M)))
        sides.append(M @ (alpha * np.eye(M.shape[1]) + (1 - alpha) * root))
    U, s, Vt = np.linalg.svd(sides[0].T @ sides[1])
    return sides[0] @ U @ Vt, sides[1], s, np.arccos(s.sum() / np.prod([np.linalg.norm(M) for M in sides]))


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.7, 1.0])
def test_it_equals_netreps_closed_form(alpha):
    X, Y, _ = planted_rotation(noise=0.3)
    X, Y = (V - V.mean(axis=0) for V in (X, Y))
    X, Y = (V / np.sqrt(np.trace(V.T @ V) / 12) for V in (X, Y))  # there our unit and netrep's agree
    fitted = PartialWhitening(alpha=alpha, regularization=0, normalize="none").fit(X, Y)
    P, Q, s, angle = netrep(X, Y, alpha)
    assert_allclose(fitted.project_source(X), P, atol=1e-9)
    assert_allclose(fitted.project_target(Y), Q, atol=1e-9)
    assert_allclose(fitted.singular_values_, s, atol=1e-9)
    assert fitted.distance_ == pytest.approx(angle)


@pytest.mark.parametrize("dims", [(12, 12), (8, 12), (12, 8)])
def test_one_is_procrustes(dims):
    X, Y = planted_map(*dims)
    Y = Y + 0.3 * np.random.default_rng(0).normal(size=Y.shape)
    ours, theirs = PartialWhitening(alpha=1).fit(X, Y), Procrustes().fit(X, Y)
    assert_allclose(ours.matrix_, theirs.matrix_, atol=1e-12)
    assert_allclose(ours.project_source(X), theirs.project_source(X), atol=1e-12)
    assert_allclose(ours.project_target(Y), theirs.project_target(Y), atol=1e-12)
    other = PartialWhitening(alpha=0.9).fit(X, Y)
    assert not np.allclose(other.matrix_, theirs.matrix_, atol=1e-3)


def test_zero_is_cca():
    X, Y, _ = planted_rotation(noise=0.3)
    ours = PartialWhitening(alpha=0, regularization=0).fit(X, Y)
    theirs = CanonicalCorrelation(regularization=0, exponent=0).fit(X, Y)
    assert_allclose(ours.singular_values_, theirs.correlations_, atol=1e-10)
    products = (fitted.project_source(X) @ fitted.project_target(Y).T for fitted in (ours, theirs))
    one, other = (S / np.linalg.norm(S) for S in products)
    assert_allclose(one, other, atol=1e-10)
    between = PartialWhitening(alpha=0.5, regularization=0).fit(X, Y)
    assert np.abs(between.singular_values_ - theirs.correlations_).max() > 0.01


def test_a_shear_is_no_distance_when_whitened_and_one_when_not():
    X, Y, _ = planted_shear()
    angles = [
        PartialWhitening(alpha=a, regularization=0, normalize="center").fit(X, Y).distance_
        for a in (0, 0.5, 1)
    ]
    assert angles[0] == pytest.approx(0, abs=1e-6)
    assert angles[0] < angles[1] < angles[2]
    assert angles[2] > 0.3


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_the_number_of_pairs_and_the_scale_leave_alpha_its_meaning(alpha):
    X, Y, _ = planted_rotation(noise=0.3)
    once = PartialWhitening(alpha=alpha, regularization=0.1, normalize="center").fit(X, Y)
    more = PartialWhitening(alpha=alpha, regularization=0.1, normalize="center").fit(
        np.tile(X, (9, 1)), np.tile(Y, (9, 1)) * 5
    )
    assert_allclose(more.singular_values_, once.singular_values_, atol=1e-9)
    assert_allclose(more.source_projection_, once.source_projection_, atol=1e-9)


def test_fewer_pairs_than_dimensions_leave_a_finite_map():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(6, 10)), rng.normal(size=(6, 10))
    for alpha in (0, 0.5, 1):
        fitted = PartialWhitening(alpha=alpha, normalize="center").fit(X, Y)
        assert np.isfinite(fitted.transform(X)).all()
    assert_allclose(
        PartialWhitening(alpha=0, normalize="center").fit(X, Y).transform(X).mean(axis=0), Y.mean(axis=0)
    )


def test_regularisation_keeps_whitening_from_blowing_noise_up():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(160, 40)) * np.geomspace(3, 0.1, 40)
        Y = X @ np.linalg.qr(rng.normal(size=(40, 40)))[0] + 0.3 * rng.normal(size=(160, 40))
        mild, bare = (
            PartialWhitening(alpha=0.5, regularization=share).fit(X[:60], Y[:60]).score(X[60:], Y[60:])
            for share in ("auto", 0)
        )
        assert mild > bare + 0.05


def test_streams_and_moments_give_the_same_map():
    X, Y, _ = planted_rotation(noise=0.3)
    whole = PartialWhitening(alpha=0.4, normalize="center").fit(X, Y)
    parts = (
        PartialWhitening(alpha=0.4, normalize="center").partial_fit(X[:9], Y[:9]).partial_fit(X[9:], Y[9:])
    )
    moments = PartialWhitening(alpha=0.4, normalize="center").from_moments(Moments.from_arrays(X, Y))
    for other in (parts, moments):
        assert_allclose(other.matrix_, whole.matrix_, atol=1e-10)


@pytest.mark.parametrize("normalize", ["none", "center", "unit", "unit-center", "unit-center-unit"])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_the_contract_is_kept_in_every_frame(normalize, alpha):
    check_aligner(PartialWhitening(normalize=normalize, alpha=alpha))


def test_state_comes_back_to_the_last_bit():
    X, Y, _ = planted_rotation(noise=0.1)
    fitted = PartialWhitening(alpha=0.2).fit(X, Y)
    again = PartialWhitening.from_state(fitted.get_params(), fitted.arrays())
    assert again.distance_ == fitted.distance_
    for name, rows in (("transform", X), ("project_source", X), ("project_target", Y)):
        assert_array_equal(getattr(again, name)(rows), getattr(fitted, name)(rows))


def test_a_regularization_that_makes_no_sense_is_refused():
    X, Y, _ = planted_rotation()
    with pytest.raises(ParameterError, match=r"regularization is 'cv'.*or 'auto'"):
        PartialWhitening(regularization="cv").fit(X, Y)


@pytest.mark.parametrize("alpha", [-0.1, 1.5, np.nan, "half", None, True])
def test_what_makes_no_sense_is_refused(alpha):
    X, Y, _ = planted_rotation()
    with pytest.raises(ParameterError, match="alpha is "):
        PartialWhitening(alpha=alpha).fit(X, Y)
