import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from alignkit.aligners._assignment import Cloud, alternate, assigned
from alignkit.errors import DataError


def clouds(seed, *, n=120, d=6):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.linspace(1.6, 0.4, d)
    Q = np.linalg.qr(rng.normal(size=(d, d)))[0]
    order = rng.permutation(n)
    return X, (X @ Q)[order], Q, np.argsort(order)


@pytest.mark.parametrize("shape", [(40, 40), (40, 25), (25, 40)])
def test_one_block_is_the_optimal_assignment(shape):
    rng = np.random.default_rng(0)
    P, Q = rng.normal(size=(shape[0], 4)), rng.normal(size=(shape[1], 4))
    links = assigned(P, Q, 1000, rng)
    i, j = linear_sum_assignment(-(P @ Q.T))
    assert (P @ Q.T)[links[:, 0], links[:, 1]].sum() == pytest.approx((P @ Q.T)[i, j].sum())
    assert len(links) == min(shape)


@pytest.mark.parametrize("shape", [(203, 203), (203, 90), (90, 203)])
def test_blocks_use_no_row_twice_and_partners_share_one(shape):
    X, Y, Q, where = clouds(1, n=203)
    links = assigned((X @ Q)[: shape[0]], Y[: shape[1]], 40, np.random.default_rng(0))
    assert len(np.unique(links[:, 0])) == len(np.unique(links[:, 1])) == len(links)
    assert len(links) >= min(shape) - 6  # a piece may hold one row less on one side
    if shape == (203, 203):
        assert (where[links[:, 0]] == links[:, 1]).mean() == 1  # the slices cut both sides alike
        strange = assigned(X[:, ::-1], Y, 40, np.random.default_rng(0))
        assert (where[strange[:, 0]] == strange[:, 1]).mean() < 0.2  # under a wrong map they do not


@pytest.mark.parametrize("seed", range(3))
def test_a_rough_start_ends_at_the_planted_rotation(seed):
    X, Y, Q, _ = clouds(seed)
    start = X[:12].T @ (X[:12] @ Q)
    end = alternate(Cloud(X, Y, np.zeros((6, 6))), start, 12, 1000, np.random.default_rng(0))
    assert np.allclose(end.product, X.T @ X @ Q)
    assert end.history[-1, 1] == pytest.approx(1)
    assert end.agreement == pytest.approx(np.linalg.norm(end.product, "nuc") / len(X))


def test_weights_fade_from_the_middle_on_and_settled_rounds_repeat():
    X, Y, Q, _ = clouds(4)
    history = alternate(Cloud(X, Y, np.zeros((6, 6))), Q, 8, 1000, np.random.default_rng(0)).history
    assert history[:, 0].tolist() == [1, 1, 1, 1, 0.75, 0.5, 0.25, 0]
    assert np.array_equal(history[2], history[3])


def test_without_free_rows_the_links_stand_alone():
    known = np.arange(6.0).reshape(2, 3)
    end = alternate(Cloud(np.zeros((0, 2)), np.ones((4, 3)), known), known, 5, 10, np.random.default_rng(0))
    assert np.array_equal(end.product, known)
    assert len(end.history) == 0


def test_the_round_that_leaves_the_numbers_is_named():
    X = np.random.default_rng(0).normal(size=(30, 3)) * 1e160
    with pytest.raises(DataError, match="round 1: the products of the rows leave the range"):
        alternate(Cloud(X, X, np.zeros((3, 3))), np.eye(3), 3, 1000, np.random.default_rng(0))
