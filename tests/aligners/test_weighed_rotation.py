import numpy as np
import pytest

from alignkit.aligners._weighed_rotation import WeighedRotation

PRODUCT = np.random.default_rng(0).normal(size=(5, 7))
LEFT, RIGHT = np.random.default_rng(1).normal(size=(9, 5)), np.random.default_rng(2).normal(size=(8, 7))


def inner(power):
    P, Q = WeighedRotation.of(PRODUCT).project(LEFT, RIGHT, power)
    return P @ Q.T


def test_full_weights_give_the_products_and_none_the_rotation():
    U, s, Vt = np.linalg.svd(PRODUCT, full_matrices=False)
    assert np.allclose(inner(1.0), LEFT @ PRODUCT @ RIGHT.T / s[0])
    assert np.allclose(inner(0.0), LEFT @ U @ Vt @ RIGHT.T)
    found = WeighedRotation.of(PRODUCT)
    assert np.allclose(found.matrix, U @ Vt)
    assert found.total == pytest.approx(s.sum())


@pytest.mark.parametrize("power", [0.25, 0.5, 1.5])
def test_both_sides_carry_half_of_the_weight(power):
    left, right = WeighedRotation.of(PRODUCT).projections(power)
    assert np.allclose(np.linalg.norm(left, axis=0), np.linalg.norm(right, axis=0))
    assert np.allclose(left.T @ left, np.diag(WeighedRotation.of(PRODUCT).values ** power))


def test_directions_without_agreement_go_unless_all_do():
    thin = WeighedRotation.of(np.outer(np.arange(1.0, 6), np.ones(7)))
    assert [side.shape[1] for side in thin.projections(0.5)] == [1, 1]
    assert [side.shape[1] for side in thin.projections(0.0)] == [5, 5]
    nothing = WeighedRotation.of(np.zeros((5, 7)))
    assert [side.shape[1] for side in nothing.projections(0.5)] == [5, 5]
