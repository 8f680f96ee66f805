import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import orthogonal_procrustes

from alignkit.aligners.identity import Identity
from alignkit.aligners.procrustes import Procrustes
from alignkit.errors import NotInvertibleError, ParameterError
from alignkit.testing import planted_map, planted_rotation


def test_it_equals_scipy():
    X, Y, _ = planted_rotation(noise=0.3)
    R, scale = orthogonal_procrustes(X, Y)
    assert_allclose(Procrustes(normalize="none").fit(X, Y).matrix_, R, atol=1e-12)
    scaled = Procrustes(normalize="none", scale=True).fit(X, Y)
    assert_allclose(scaled.matrix_, R * scale / np.sum(X * X), atol=1e-12)


def test_a_scaled_shifted_rotation_is_found_exactly():
    X, Y, Q = planted_rotation()
    fitted = Procrustes(normalize="center", scale=True).fit(X, 3 * Y + 7)
    assert_allclose(fitted.matrix_, 3 * Q, atol=1e-10)
    assert fitted.scale_ == pytest.approx(3)
    assert_allclose(fitted.transform(X), 3 * Y + 7, atol=1e-10)


def test_only_a_rotation_is_found_where_the_truth_is_a_reflection():
    X, Y, Q = planted_rotation()
    if np.linalg.det(Q) > 0:
        Y = Y * np.array([-1] + [1] * 11)
    free, proper = (Procrustes(normalize="none", rotation_only=only).fit(X, Y) for only in (False, True))
    assert np.linalg.det(free.matrix_) == pytest.approx(-1)
    assert np.linalg.det(proper.matrix_) == pytest.approx(1)
    assert_allclose(proper.matrix_ @ proper.matrix_.T, np.eye(12), atol=1e-12)
    assert np.linalg.norm(X @ free.matrix_ - Y) < 1e-10 < np.linalg.norm(X @ proper.matrix_ - Y)


def test_unequal_dimensions_give_a_semi_orthogonal_map():
    up, down = (Procrustes().fit(*planted_map(*dims)) for dims in ((8, 12), (12, 8)))
    assert_allclose(up.matrix_ @ up.matrix_.T, np.eye(8), atol=1e-12)
    assert_allclose(down.matrix_.T @ down.matrix_, np.eye(8), atol=1e-12)
    X, Y = planted_map(8, 12)
    assert up.score(X, Y) > 0.99
    with pytest.raises(NotInvertibleError, match="12 dimensions to 8"):
        down.inverse_transform(X)
    with pytest.raises(ParameterError, match="rotation_only needs equal dimensions, got 8 and 12"):
        Procrustes(rotation_only=True).fit(X, Y)


def test_options_that_are_no_switch_are_refused():
    X, Y, _ = planted_rotation()
    with pytest.raises(ParameterError, match="scale is 3; it is a switch"):
        Procrustes(scale=3).fit(X, Y)


def hits(P, Q):
    P, Q = (V / np.linalg.norm(V, axis=1, keepdims=True) for V in (P.astype(float), Q.astype(float)))
    S = P @ Q.T
    ranks = 1 + np.greater(S, np.diag(S)[:, None]).sum(axis=1)
    return np.array([(ranks == 1).mean(), (ranks <= 5).mean(), (1 / ranks).mean()])


def held_out(aligner, X, Y, seeds=5):
    scores = []
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(X))
        train, test = np.split(order, [round(0.7 * len(X))])
        fitted = aligner.fit(X[train], Y[train])
        scores.append(hits(fitted.project_source(X[test]), fitted.project_target(Y[test])))
    return np.mean(scores, axis=0)


def test_real_text_and_images_meet_as_published(data):
    """The figures of the data's README: 70/30 splits, gallery of the held-out targets."""
    folder = data / "clip_lvis_text"
    rn50, text, image = (
        np.load(folder / f"lvis_{name}.npy").astype(np.float32)
        for name in ("rn50_text", "vitb32_text", "vitb32_image_exemplars_avg5")
    )
    sampling = 0.02
    unit = held_out(Procrustes(normalize="unit"), rn50, image, seeds=2)
    assert_allclose(unit, [0.489, 0.712, 0.595], atol=2 * sampling)
    assert_allclose(held_out(Procrustes(), rn50, image), [0.681, 0.910, 0.781], atol=sampling)
    assert_allclose(held_out(Procrustes(), text, rn50, seeds=1), [0.999, 1, 0.999], atol=0.005)
    assert_allclose(held_out(Identity(), text, image, seeds=3), [0.787, 0.944, 0.856], atol=0.03)
