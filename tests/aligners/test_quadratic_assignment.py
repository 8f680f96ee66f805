from itertools import permutations

import numpy as np
import pytest

from alignkit.aligners._quadratic_assignment import match_graphs


def symmetric(rng, n):
    A = rng.normal(size=(n, n))
    return A + A.T


def value(A, B, linear, order):
    return float(np.sum(A * B[np.ix_(order, order)]) + linear[np.arange(len(A)), order].sum())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("linear", [False, True])
def test_it_finds_the_best_of_all_permutations_of_six(seed, linear):
    rng = np.random.default_rng(seed)
    A, B = symmetric(rng, 6), symmetric(rng, 6)
    L = rng.normal(size=(6, 6)) * linear
    order, found = match_graphs(A, B, L if linear else None, 20, rng)
    best = max(value(A, B, L, np.array(one)) for one in permutations(range(6)))
    assert found == pytest.approx(best)
    assert value(A, B, L, order) == pytest.approx(found)


def test_a_relabelled_graph_of_thirty_points_is_read():
    rng = np.random.default_rng(0)
    A, order = symmetric(rng, 30), rng.permutation(30)
    found, _ = match_graphs(A[np.ix_(order, order)], A, None, 30, rng)
    assert np.array_equal(found, order)


def test_no_exchange_of_two_points_would_gain():
    rng = np.random.default_rng(1)
    A, B, L = symmetric(rng, 12), symmetric(rng, 12), rng.normal(size=(12, 12))
    order, found = match_graphs(A, B, L, 1, rng)
    for i in range(12):
        for j in range(i):
            other = order.copy()
            other[[i, j]] = other[[j, i]]
            assert value(A, B, L, other) <= found + 1e-9


def test_a_linear_term_settles_what_the_graphs_leave_open():
    """The must-fail half: between equal weights every permutation is as good, so only the term decides."""
    rng = np.random.default_rng(2)
    flat, order = np.ones((8, 8)), rng.permutation(8)
    settled, _ = match_graphs(flat, flat, np.eye(8)[order], 4, rng)
    assert np.array_equal(settled, order)
    alone = [tuple(match_graphs(flat, flat, None, 1, np.random.default_rng(seed))[0]) for seed in range(6)]
    assert tuple(order) not in alone


def test_one_point_has_one_partner():
    assert match_graphs(np.ones((1, 1)), np.ones((1, 1)), None, 3, np.random.default_rng(0))[0].tolist() == [
        0
    ]
