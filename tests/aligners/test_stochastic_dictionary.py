import numpy as np
import pytest

from alignkit.aligners._rotation import rotation_of
from alignkit.aligners._stochastic_dictionary import Schedule, self_learn, with_pinned
from alignkit.aligners._unit import unit_rows
from alignkit.errors import DataError


def world(seed=0, n=150, d=6, noise=0.3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.linspace(1.5, 0.5, d)
    Q = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return unit_rows(X), unit_rows(X @ Q + noise * rng.normal(size=(n, d))), Q


def ranked(X, Y, rotation):
    """Return the whole criterion in either direction, from sorts."""
    S = X @ rotation @ Y.T
    r_source, r_target = (-np.sort(-M, axis=1)[:, :10].mean(axis=1) for M in (S, S.T))
    return S - r_target / 2, S.T - r_source / 2


def test_a_full_round_is_the_brute_force_dictionary_of_both_directions():
    X, Y, Q = world()
    there, back = (M.argmax(axis=1) for M in ranked(X, Y, Q))
    expected = {(i, int(j)) for i, j in enumerate(there)} | {(int(i), j) for j, i in enumerate(back)}
    rng = np.random.default_rng(0)
    _, history, links = self_learn(X, Y, Q, Schedule(1.0, 0, 1e-4, 1), rng)
    assert {tuple(link) for link in links.tolist()} == expected
    assert len(links) == 300  # a pair that both directions found counts twice
    best = [float(M.max(axis=1).mean()) for M in ranked(X, Y, Q)]
    assert history[0, 0] == pytest.approx(np.mean(best), abs=1e-6)


def test_the_rank_of_a_forgetful_match_is_geometric():
    X, Y, Q = world(n=400)
    order = np.argsort(-ranked(X, Y, Q)[0], axis=1)
    ranks = []
    for seed in range(5):
        _, _, links = self_learn(X, Y, Q, Schedule(0.3, 0, 1e-4, 1), np.random.default_rng(seed))
        forward = links[: np.flatnonzero(np.diff(links[:, 0]) < 0)[0] + 1]  # then come the backward ones
        ranks.append((order[forward[:, 0]] == forward[:, 1:]).argmax(axis=1))
    shares = np.bincount(np.concatenate(ranks), minlength=5)[:5] / len(np.concatenate(ranks))
    assert np.allclose(shares, 0.3 * 0.7 ** np.arange(5), atol=0.035)


def test_the_criterion_rises_to_rest_at_a_fixed_point():
    X, Y, Q = world()
    near = rotation_of(X, unit_rows(X @ Q), np.stack([np.arange(8)] * 2, axis=1))
    rotation, history, links = self_learn(X, Y, near, Schedule(1.0, 0, 1e-6, 100), np.random.default_rng(0))
    assert (np.diff(history[:-1, 0]) > 0).all()
    assert len(history) < 100
    assert np.allclose(rotation, rotation_of(X, Y, links), atol=0.2)


def test_pinned_rows_keep_their_partners_and_weights():
    links = np.array([[0, 1], [1, 1], [2, 2], [3, 0]])
    joined, weights = with_pinned(links, np.array([[1, 2]]), np.array([5.0]))
    assert joined.tolist() == [[0, 1], [3, 0], [1, 2]]
    assert weights.tolist() == [1.0, 1.0, 5.0]


def test_a_round_with_nothing_seen_is_named():
    X, Y, Q = world(n=3)
    with pytest.raises(DataError, match="round 1 found no pair to learn from: give more rows"):
        self_learn(X, Y, Q, Schedule(1e-9, 0, 1e-4, 3), np.random.default_rng(0))
