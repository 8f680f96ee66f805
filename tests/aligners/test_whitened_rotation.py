import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.aligners._reciprocal_rank import rank_and_cosine
from alignkit.aligners.procrustes import Procrustes
from alignkit.aligners.whitened_rotation import WhitenedRotation
from alignkit.errors import ParameterError
from alignkit.testing import planted_rotation


def four_steps(X, Z, p, q):
    """The paper's steps on the rows themselves, from singular value decompositions of the rows."""

    def whitening(M):
        _, s, Vt = np.linalg.svd(M, full_matrices=False)
        return Vt.T @ np.diag(1 / s) @ Vt

    wx, wz = whitening(X), whitening(Z)
    x, z = X @ wx, Z @ wz  # step 1
    U, s, Vt = np.linalg.svd(x.T @ z)
    x, z = x @ U * s**p, z @ Vt.T * s**q  # steps 2 and 3
    return x @ U.T @ np.linalg.inv(wx) @ U, z @ Vt @ np.linalg.inv(wz) @ Vt.T  # step 4


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.0, 1.0), (0.0, 0.0)])
def test_it_equals_the_four_steps_on_the_rows(p, q):
    X, Y, _ = planted_rotation(noise=0.3)
    fitted = WhitenedRotation(source_power=p, target_power=q, normalize="none").fit(X, Y)
    expected_x, expected_y = four_steps(X, Y, p, q)
    ours_x, ours_y = fitted.project_source(X), fitted.project_target(Y)
    signs = np.sign(np.sum(expected_x * ours_x, axis=0))  # of the third space's axes, common to both sides
    assert_allclose(ours_x * signs, expected_x, atol=1e-9)
    assert_allclose(ours_y * signs, expected_y, atol=1e-9)


def test_without_its_options_it_is_procrustes():
    X, Y, _ = planted_rotation(noise=0.3)
    bare = WhitenedRotation(whiten=False, dewhiten=False, source_power=0, target_power=0).fit(X, Y)
    assert_allclose(bare.matrix_, Procrustes().fit(X, Y).matrix_, atol=1e-10)


def test_fewer_pairs_than_dimensions_leave_out_what_no_pair_spans():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(6, 10)), rng.normal(size=(6, 10))
    fitted = WhitenedRotation(normalize="center").fit(X, Y)
    assert fitted.singular_values_.shape == (5,)
    assert np.isfinite(fitted.transform(X)).all()


def test_components_are_the_strongest_and_too_many_are_refused():
    X, Y, _ = planted_rotation(noise=0.3)
    few, all_ = (WhitenedRotation(n_components=k).fit(X, Y).project_source(X) for k in (4, None))
    assert_allclose(few, all_[:, :4])
    with pytest.raises(ParameterError, match="n_components is 13"):
        WhitenedRotation(n_components=13).fit(X, Y)
    with pytest.raises(ParameterError, match="source_power is -1"):
        WhitenedRotation(source_power=-1).fit(X, Y)
    with pytest.raises(ParameterError, match="whiten is 'yes'"):
        WhitenedRotation(whiten="yes").fit(X, Y)


@pytest.mark.parametrize("seed", range(3))
def test_answers_find_their_partners_in_the_targets_own_frame_where_pairs_are_few(seed):
    """De-whitening leaves a target projection that is badly conditioned: it must not be turned back alone."""
    rng = np.random.default_rng(seed)
    X, noise = rng.normal(size=(2, 360, 40))
    Y = X @ np.linalg.qr(rng.normal(size=(40, 40)))[0] + noise

    def mrr(method):
        fitted = method(normalize="center").fit(X[:60], Y[:60])
        return rank_and_cosine(fitted.transform(X[60:]), Y[60:], np.ones(300))[0]

    assert mrr(WhitenedRotation) > 0.95 * mrr(Procrustes)
