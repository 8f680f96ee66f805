import numpy as np

from alignkit.aligners._row_signatures import signatures, similarity_profiles
from alignkit.aligners._unit import unit_rows


def cloud(n=200, d=6, seed=0):
    return unit_rows(np.random.default_rng(seed).normal(size=(n, d)) ** 3)


def turned(X, seed=1):
    rng = np.random.default_rng(seed)
    return X @ np.linalg.qr(rng.normal(size=(X.shape[1],) * 2))[0]


def test_a_rotation_changes_no_profile_and_no_signature():
    X = cloud()
    assert np.allclose(similarity_profiles(X), similarity_profiles(turned(X)), atol=1e-4)
    first, second = signatures(X, turned(X))
    assert np.mean(np.einsum("nd,nd->n", first, second)) > 0.999


def test_profiles_are_the_sorted_square_root_of_the_products():
    X = cloud(40)
    values, vectors = np.linalg.eigh(X @ X.T)
    root = np.sort((vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T, axis=1)
    root /= np.linalg.norm(root, axis=1, keepdims=True)
    root -= root.mean(axis=0)
    assert np.allclose(similarity_profiles(X), root / np.linalg.norm(root, axis=1, keepdims=True), atol=1e-3)


def test_partners_are_told_from_strangers_under_noise_and_order():
    X = cloud(400)
    rng = np.random.default_rng(2)
    order = rng.permutation(400)
    Y = unit_rows(turned(X) + 0.03 * rng.normal(size=X.shape))[order]
    first, second = signatures(X, Y)
    scores = first @ second.T
    partners = scores[np.arange(400), np.argsort(order)]
    assert np.mean(scores > partners[:, None]) < 0.1  # mean rank of a partner; of a stranger 0.5


def test_rows_that_are_all_alike_say_nothing_of_their_order():
    """Rows of a simplex have one profile: were ties broken by position, row i would find row i."""
    first, second = signatures(np.eye(50), np.eye(50))
    scores = first @ second.T
    assert np.ptp(scores) < 1e-6


def test_sides_of_different_size_have_comparable_signatures():
    X = cloud(500)
    first, second = signatures(X, turned(X)[:400])
    scores = first[:400] @ second.T
    assert np.mean(scores > np.diag(scores)[:, None]) < 0.15
