import numpy as np
import pytest
import scipy.linalg
from numpy.testing import assert_allclose

from alignkit.aligners._chain import Meeting
from alignkit.aligners.cca import CanonicalCorrelation
from alignkit.errors import DataError, ParameterError
from alignkit.joint.gcca import GeneralizedCCA


def unit(V):
    return V / np.linalg.norm(V, axis=1, keepdims=True)


@pytest.mark.parametrize("regularization", ["auto", 0.0, 0.3])
@pytest.mark.parametrize("exponent", [0.0, 1.0])
@pytest.mark.parametrize("dims", [(8, 8), (7, 11)])
def test_two_spaces_are_our_cca_with_the_same_options(regularization, exponent, dims, views):
    X, Y = views(dims, latent=7, noise=0.5)
    options = {"regularization": regularization, "exponent": exponent}
    joint, pairwise = GeneralizedCCA(**options).fit([X, Y]), CanonicalCorrelation(**options).fit(X, Y)
    assert_allclose(joint.correlations_, pairwise.correlations_, atol=1e-8)
    ours = unit(joint.project(0, X)) @ unit(joint.project(1, Y)).T
    theirs = unit(pairwise.project_source(X)) @ unit(pairwise.project_target(Y)).T
    assert_allclose(ours, theirs, atol=1e-6)
    assert_allclose(Meeting(*joint.maps_).transform(X), pairwise.transform(X), atol=1e-6)


def test_the_variates_are_those_of_the_definition_by_projectors(views):
    """Kettenring's MAXVAR written with n x n projectors: an independent road to the same variates."""
    sides = [side - side.mean(axis=0) for side in views((4, 5, 3), n=60, latent=3, noise=0.8)]
    fitted = GeneralizedCCA(n_components=3, regularization=0, exponent=0, normalize="none").fit(sides)
    projectors = [scipy.linalg.orth(side) for side in sides]
    values, G = np.linalg.eigh(sum(Q @ Q.T for Q in projectors))
    values, G = values[::-1][:3], G[:, ::-1][:, :3]
    assert_allclose(fitted.correlations_, (values - 1) / 2, atol=1e-8)  # (k mu - 1) / (k - 1)
    for i, side in enumerate(sides):
        theirs = projectors[i] @ (projectors[i].T @ G)  # what the side can say of each variate
        ours = fitted.project(i, side)
        for r in range(3):
            assert abs(np.corrcoef(theirs[:, r], ours[:, r])[0, 1]) == pytest.approx(1, abs=1e-8)


def test_missing_rows_are_left_out_of_the_definition_and_not_made_up(views):
    """Missing-row MAXVAR with presence matrices, as van de Velden and Takane write it."""
    sides = views((4, 5, 3), n=60, latent=3, noise=0.8)
    held = np.random.default_rng(3).random((60, 3)) < 0.8
    held[held.sum(axis=1) < 2] = True
    rows = np.where(held, np.arange(60)[:, None], -1)
    shown = [np.where(own[:, None], side, 0) for own, side in zip(held.T, sides, strict=True)]
    fitted = GeneralizedCCA(n_components=3, regularization=0, exponent=0, normalize="none").fit(sides, rows)
    root = 1 / np.sqrt(held.sum(axis=1))
    total = sum(root[:, None] * (X @ np.linalg.pinv(X)) * root for X in shown)
    G = np.linalg.eigh(total)[1][:, ::-1][:, :3] * root[:, None]
    for i, X in enumerate(shown):
        theirs, ours = np.linalg.pinv(X) @ G, fitted.maps_[i].matrix_
        for r in range(3):
            cosine = theirs[:, r] @ ours[:, r] / np.linalg.norm(theirs[:, r]) / np.linalg.norm(ours[:, r])
            assert abs(cosine) == pytest.approx(1, abs=1e-8)


def test_a_stranger_gets_no_weight_in_what_the_others_share(views):
    sides = views((8, 8), n=2000, latent=6, noise=0.3)
    stranger = np.random.default_rng(1).normal(size=(2000, 8))
    fitted = GeneralizedCCA(n_components=6).fit([*sides, stranger])
    weights = [np.linalg.norm(fitted.project(i, rows)) for i, rows in enumerate((*sides, stranger))]
    assert weights[2] < 0.25 * min(weights[:2])


def test_perfect_correlations_in_noise_are_kept_down_by_regularisation():
    rng = np.random.default_rng(0)
    sides = [rng.normal(size=(60, 40)) for _ in range(3)]
    classical, regular = (GeneralizedCCA(regularization=r).fit(sides) for r in (0, "auto"))
    assert classical.correlations_[0] > 0.9
    assert regular.correlations_[0] < 0.7


def test_options_that_make_no_sense_are_refused(views):
    sides = views((4, 5, 3), n=20, latent=3)
    for params, words in (
        ({"n_components": 13}, "all spaces together have 12 dimensions"),
        ({"n_components": 0}, "n_components is 0"),
        ({"regularization": -1}, "regularization is -1"),
        ({"exponent": "much"}, "exponent is 'much'"),
    ):
        with pytest.raises(ParameterError, match=words):
            GeneralizedCCA(**params).fit(sides)
    with pytest.raises(DataError, match="no direction of any space correlates"):
        GeneralizedCCA(normalize="center").fit([np.ones((9, 3)), np.ones((9, 2))])
