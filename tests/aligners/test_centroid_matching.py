import numpy as np
import pytest

from alignkit.aligners._centroid_matching import match_centroids
from alignkit.aligners._vocabulary import Vocabulary
from alignkit.errors import DataError

NO_LINKS = np.zeros((0, 2), np.int64)


def islands(seed, links=0):
    """Return far-off clusters seen twice, under a rotation and in another order."""
    rng = np.random.default_rng(seed)
    centres = 10 * rng.normal(size=(8, 5))
    X = centres[rng.permutation(np.repeat(np.arange(8), 20))] + 0.1 * rng.normal(size=(160, 5))
    Q, order = np.linalg.qr(rng.normal(size=(5, 5)))[0], rng.permutation(160)
    known = np.stack([np.arange(links), np.argsort(order)[:links]], axis=1)
    return Vocabulary(X - X.mean(axis=0), (X @ Q - (X @ Q).mean(axis=0))[order], known, np.ones(links)), Q


@pytest.mark.parametrize("seed", range(4))
def test_matched_centroids_of_a_turned_cloud_are_each_others_images(seed):
    known, Q = islands(seed)
    found = max(
        (match_centroids(known, 8, np.random.default_rng(one)) for one in range(6)), key=lambda m: m.cka
    )
    assert found.cka > 0.99
    assert np.linalg.norm(found.source @ Q - found.target) < 0.05 * np.linalg.norm(found.target)
    U, _, Vt = np.linalg.svd(found.product)
    assert np.allclose(U @ Vt, Q, atol=0.05)
    assert np.linalg.norm(found.product) == pytest.approx(1)


def test_links_decide_where_the_cloud_mirrors_onto_itself():
    """The corners of a square can be laid onto themselves in eight ways; three links leave one."""
    corners = np.repeat(np.array([[1.0, 1], [1, -1], [-1, -1], [-1, 1]]), 10, axis=0)
    turned = corners @ np.array([[0.0, 1], [-1, 0]])
    links = np.array([[0, 0], [10, 10], [20, 20]])
    right = []
    for seed in range(8):
        with_links, without = (
            match_centroids(
                Vocabulary(corners, turned, some, np.ones(len(some))), 4, np.random.default_rng(seed)
            )
            for some in (links, NO_LINKS)
        )
        expected = with_links.source @ np.array([[0.0, 1], [-1, 0]])
        assert np.allclose(with_links.target, expected)
        right.append(np.allclose(without.target, without.source @ np.array([[0.0, 1], [-1, 0]])))
    assert not all(right)


def test_there_are_at_least_five_rows_a_cluster_and_two_clusters():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(50, 3)), rng.normal(size=(22, 3))
    assert len(match_centroids(Vocabulary(X, Y, NO_LINKS, np.ones(0)), 30, rng).source) == 4
    assert len(match_centroids(Vocabulary(X[:4], Y[:4], NO_LINKS, np.ones(0)), 30, rng).source) == 2


def test_a_side_of_one_row_repeated_is_refused():
    with pytest.raises(DataError, match="all rows of one side are equal"):
        match_centroids(
            Vocabulary(np.ones((9, 2)), np.eye(2), NO_LINKS, np.ones(0)), 3, np.random.default_rng(0)
        )
