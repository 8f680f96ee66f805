import numpy as np
import pytest

from alignkit.aligners._trust import Trust, trust_of, unbiased_cka
from alignkit.aligners._unit import unit_rows


def world(seed, *, n=500, d=12, noise=0.2):
    """Return two noisy views of one cloud of topics, unit rows, and the rotation between them."""
    rng = np.random.default_rng(seed)
    topics = rng.normal(size=(40, d))[rng.choice(40, n, p=np.arange(40, 0, -1) / 820)]
    Z = (0.6 * topics + 0.8 * rng.normal(size=(n, d))) * np.linspace(1.5, 0.6, d)
    Q = np.linalg.qr(rng.normal(size=(d, d)))[0]
    X, Y = (Z + noise * rng.normal(size=(n, d)) for _ in range(2))
    return unit_rows(X), unit_rows(Y @ Q), Q


@pytest.mark.parametrize("seed", range(4))
def test_the_planted_rotation_is_trusted_and_no_other_one(seed):
    X, Y, Q = world(seed)
    right = trust_of(X, Y, X @ Q)
    assert not right.failed
    axes = [np.linalg.svd(side, full_matrices=False)[2] for side in (X, Y)]
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], 12)
    for wrong in (np.eye(12), np.linalg.qr(np.random.default_rng(seed).normal(size=(12, 12)))[0]):
        assert trust_of(X, Y, X @ wrong).failed
    # principal axes in the right order, some of them mirrored: the covariances agree, the rows do not
    mirrored = trust_of(X, Y, X @ ((axes[0].T * signs) @ axes[1]))
    assert mirrored.probability < right.probability - 0.3


@pytest.mark.parametrize("seed", range(3))
def test_a_map_fitted_to_strangers_is_not_trusted_however_often_it_matches_itself(seed):
    X, _, _ = world(seed)
    _, strangers, _ = world(seed + 50)
    rotation = np.eye(12)
    for _ in range(10):
        nearest = (X @ rotation @ strangers.T).argmax(axis=1)
        U, _, Vt = np.linalg.svd(X.T @ strangers[nearest])
        rotation = U @ Vt
    assert trust_of(X, strangers, X @ rotation).failed


def test_neither_the_order_of_the_rows_nor_their_lengths_count():
    X, Y, Q = world(0)
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(500), rng.permutation(500)
    plain = trust_of(X, Y, X @ Q)
    moved = trust_of(X[rows], Y[columns], X[rows] @ Q * rng.uniform(0.5, 2, (500, 1)))
    assert moved.array() == pytest.approx(plain.array(), rel=0.2, abs=0.05)


def test_a_cut_looks_at_the_first_rows_and_a_sample_at_any():
    X, Y, Q = world(1)
    images = X @ Q
    images[200:] = np.random.default_rng(0).normal(size=(300, 12))  # only the first rows are mapped rightly
    assert not trust_of(X, Y, images, ordered=True, most=200).failed
    assert (
        trust_of(X, Y, images, ordered=False, most=200).cycle
        < trust_of(X, Y, images, ordered=True, most=200).cycle
    )


def test_the_same_seed_gives_the_same_numbers_and_arrays_hold_them():
    X, Y, Q = world(2)
    trust = trust_of(X, Y, X @ Q, most=300)
    assert trust == trust_of(X, Y, X @ Q, most=300)
    assert Trust.from_array(trust.array()) == trust
    assert trust != trust_of(X, Y, X @ Q, most=300, seed=1)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_handful_of_rows_is_judged_without_an_error(n):
    rng = np.random.default_rng(n)
    X, Y = rng.normal(size=(n, 3)), rng.normal(size=(n + 1, 4))
    for images in (X @ np.eye(3, 4), np.zeros((n, 4))):
        assert 0 <= trust_of(X, Y, images).probability <= 1


def test_the_sentence_says_the_verdict_the_numbers_and_the_mend():
    failed, sound = Trust(0.9, 0.01, 0.0, 0.08), Trust(2.5, 0.4, 0.1, 0.97)
    assert failed.failed
    assert "probability of 8%" in failed.sentence()
    assert "0.90 times" in failed.sentence()
    assert "give some pairs that are known" in failed.sentence()
    assert not sound.failed
    assert "give some pairs" not in sound.sentence()
    assert Trust(1, 0, 0, np.nan).failed  # what cannot be judged is not trusted


def test_unbiased_cka_agrees_with_whole_kernels():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(30, 4)), rng.normal(size=(30, 6))
    Y[:, :4] += X

    def hsic(K, L):
        K, L = (M - np.diag(np.diag(M)) for M in (K, L))
        n, one = len(K), np.ones(len(K))
        parts = np.trace(K @ L) + one @ K @ one * (one @ L @ one) / (n - 1) / (n - 2)
        return (parts - 2 / (n - 2) * (one @ K @ L @ one)) / n / (n - 3)

    K, L = X @ X.T, Y @ Y.T
    assert unbiased_cka(X, Y) == pytest.approx(hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L)), abs=1e-12)
    strangers = [unbiased_cka(X, rng.normal(size=(30, 6))) for _ in range(200)]
    assert abs(np.mean(strangers)) < 0.02  # what "unbiased" means
