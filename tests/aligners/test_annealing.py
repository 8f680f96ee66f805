import numpy as np
import pytest

from alignkit.aligners._annealing import annealed_rotation
from alignkit.aligners._row_signatures import signatures
from alignkit.aligners._unit import unit_rows

NONE = np.zeros((0, 2), np.int64)


def skewed(seed, *, n=300, d=8, noise=0.1):
    """Return two views of one cloud with heavy tails, rows of the second in another order, and the map."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) ** 3
    Q = np.linalg.qr(rng.normal(size=(d, d)))[0]
    order = rng.permutation(n)
    return unit_rows(X), unit_rows((X @ Q + noise * rng.normal(size=(n, d)))[order]), Q, np.argsort(order)


def nothing(X, Y):
    return np.zeros((len(X), 1), np.float32), np.zeros((len(Y), 1), np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_signatures_lead_to_the_planted_rotation(seed):
    X, Y, Q, _ = skewed(seed)
    rotation, agreement = annealed_rotation(X, Y, signatures(X, Y), NONE)
    assert np.linalg.norm(rotation - Q) < 0.1 * np.linalg.norm(Q)
    assert np.allclose(rotation @ rotation.T, np.eye(8), atol=1e-10)
    assert agreement > 0.8


def test_without_signatures_or_links_there_is_nothing_to_begin_with():
    """The must-fail half: equal shares for all give no direction."""
    X, Y, Q, _ = skewed(0)
    rotation, _ = annealed_rotation(X, Y, nothing(X, Y), NONE)
    assert np.linalg.norm(rotation - Q) > 0.5 * np.linalg.norm(Q)


def test_a_few_links_lead_there_without_signatures():
    X, Y, Q, partners = skewed(1)
    links = np.stack([np.arange(20), partners[:20]], axis=1)
    rotation, _ = annealed_rotation(X, Y, nothing(X, Y), links)
    assert np.linalg.norm(rotation - Q) < 0.1 * np.linalg.norm(Q)


def test_either_side_may_be_wider_or_have_more_rows():
    X, Y, _, _ = skewed(2)
    for source, target in ((X[:250, :6], Y), (X, Y[:250, :6])):
        rotation, _ = annealed_rotation(source, target, signatures(source, target), NONE)
        small = rotation @ rotation.T if source.shape[1] < target.shape[1] else rotation.T @ rotation
        assert np.allclose(small, np.eye(6), atol=1e-10)
