import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.aligners.relative import Relative
from alignkit.errors import NotInvertibleError, ParameterError
from alignkit.testing import check_aligner, planted_rotation, planted_shear


def cosines(fitted, X, Y):
    P, Q = fitted.project_source(X), fitted.project_target(Y)
    P, Q = (V / np.linalg.norm(V, axis=1, keepdims=True) for V in (P, Q))
    return P @ Q.T


def found(fitted, X, Y):
    return float((cosines(fitted, X, Y).argmax(axis=1) == np.arange(len(X))).mean())


@pytest.mark.parametrize("coordinates", ["raw", "centered", "standardized"])
@pytest.mark.parametrize("n_anchors", [15, None])
def test_a_rotated_world_has_the_same_coordinates(coordinates, n_anchors):
    X, Y, _ = planted_rotation()
    fitted = Relative(n_anchors=n_anchors, coordinates=coordinates).fit(X[:100], Y[:100])
    assert_allclose(fitted.project_source(X), fitted.project_target(Y), atol=1e-10)
    shear = planted_shear()
    fitted = Relative(n_anchors=n_anchors, coordinates=coordinates).fit(shear[0][:100], shear[1][:100])
    assert not np.allclose(fitted.project_source(shear[0]), fitted.project_target(shear[1]), atol=0.1)


def test_the_coordinates_are_the_cosines_to_the_anchors():
    X, Y, _ = planted_rotation()
    fitted = Relative(n_anchors=10, coordinates="raw", normalize="none").fit(X, Y)
    assert np.abs(fitted.source_anchors_[:, None] - X).max(axis=2).min(axis=1).max() < 1e-12
    assert_allclose(fitted.project_source(3 * X), X @ fitted.source_anchors_.T, atol=1e-12)
    standard = Relative(n_anchors=10, coordinates="standardized", normalize="none").fit(X, Y)
    assert_allclose(standard.project_source(X).mean(axis=0), 0, atol=1e-10)
    assert_allclose(standard.project_source(X).std(axis=0), 1, atol=1e-10)


@pytest.mark.parametrize("coordinates", ["raw", "centered", "standardized"])
def test_turning_the_joint_frame_keeps_every_inner_product(coordinates):
    X, Y, _ = planted_rotation(noise=0.2)
    turned, plain = (Relative(coordinates=coordinates, compact=flag).fit(X, Y) for flag in (True, False))
    assert turned.project_source(X).shape[1] <= 24 < plain.project_source(X).shape[1] == 200
    assert_allclose(cosines(turned, X, Y), cosines(plain, X, Y), atol=1e-10)
    products = (fitted.project_source(X) @ fitted.project_source(X).T for fitted in (turned, plain))
    assert_allclose(*products, atol=1e-9)


def test_too_few_anchors_do_not_tell_rows_apart():
    for seed in range(5):
        X, Y, _ = planted_rotation(n=400, d=12, noise=0.02, seed=seed)
        few, enough = (Relative(n_anchors=m, seed=seed).fit(X[:200], Y[:200]) for m in (2, 24))
        assert found(few, X[200:], Y[200:]) < 0.3
        assert found(enough, X[200:], Y[200:]) > 0.95


def test_transform_takes_a_rotation_exactly_only_where_anchors_span_the_target():
    X, Y, _ = planted_rotation()
    enough, few = (Relative(n_anchors=m, regularization=0).fit(X, Y) for m in (30, 5))
    assert_allclose(enough.transform(X), Y, atol=1e-9)
    assert np.abs(few.transform(X) - Y).max() > 0.1
    moved = Relative(normalize="center", regularization=0).fit(X, 2 * Y + 3)
    assert_allclose(moved.transform(X), 2 * Y + 3, atol=1e-9)
    with pytest.raises(NotInvertibleError, match="no inverse"):
        enough.inverse_transform(Y)


@pytest.mark.parametrize("normalize", ["none", "center", "unit", "unit-center", "unit-center-unit"])
@pytest.mark.parametrize("coordinates", ["centered", "standardized"])
def test_the_contract_is_kept_in_every_frame(normalize, coordinates):
    check_aligner(Relative(normalize=normalize, coordinates=coordinates))


@pytest.mark.parametrize("choice", ["random", "farthest", "kmeans"])
@pytest.mark.parametrize("normalize", ["none", "unit", "unit-center", "unit-center-unit"])
def test_the_contract_is_kept_with_chosen_anchors(normalize, choice):
    check_aligner(Relative(normalize=normalize, n_anchors=40, choice=choice, regularization=0.01))


@pytest.mark.parametrize(
    "params",
    [{}, {"compact": False}, {"n_anchors": 9, "coordinates": "standardized"}, {"normalize": "center"}],
)
def test_state_comes_back_to_the_last_bit(params):
    X, Y, _ = planted_rotation(noise=0.1)
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    fitted = Relative(**params).fit(X, Y)
    assert fitted.source_anchors_.dtype == np.float32
    again = Relative.from_state(fitted.get_params(), fitted.arrays())
    assert sorted(again.arrays()) == sorted(fitted.arrays())
    for name, array in fitted.arrays().items():
        assert_array_equal(again.arrays()[name], array)
    for name, rows in (("transform", X), ("project_source", X), ("project_target", Y)):
        assert_array_equal(getattr(again, name)(rows), getattr(fitted, name)(rows))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"coordinates": "whitened"}, "coordinates is 'whitened'; choose one of raw, centered, standardized"),
        ({"compact": 1.5}, "compact is 1.5"),
        ({"regularization": -1}, "regularization is -1"),
    ],
)
def test_what_makes_no_sense_is_refused(params, words):
    X, Y, _ = planted_rotation()
    with pytest.raises(ParameterError, match=words):
        Relative(**params).fit(X, Y)
