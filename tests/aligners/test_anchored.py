import numpy as np
import pytest
from numpy.testing import assert_array_equal

from alignkit.aligners._anchored import directions, distinct_pairs, farthest_points, nearest_to_means
from alignkit.aligners.relative import Relative
from alignkit.errors import ParameterError
from alignkit.testing import planted_rotation


def clusters(per=30, d=6, seed=0):
    """Return rows around six axes; the row in the middle of every cluster is its first."""
    rng = np.random.default_rng(seed)
    spread = 0.1 * rng.normal(size=(d, per, d))
    spread[:, 0] = spread[:, 1:].mean(axis=1)
    return (np.eye(d)[:, None] + spread).reshape(d * per, d)


def test_copies_of_a_pair_are_one_anchor_and_order_changes_nothing():
    X, Y, _ = planted_rotation(n=40)
    twice = [np.concatenate([side, side[::-1]]) for side in (X, Y)]
    once, doubled = distinct_pairs(X, Y, None, "unit"), distinct_pairs(*twice, None, "unit")
    assert_array_equal(twice[0][doubled], X[once])
    one_partner_more = np.concatenate([Y, Y[1:2]])
    assert len(distinct_pairs(np.concatenate([X, X[:1]]), one_partner_more, None, "unit")) == 41
    weight = np.ones(40)
    weight[:10] = 0
    assert sorted(distinct_pairs(X, Y, weight, "unit")) == list(range(10, 40))


@pytest.mark.parametrize("choice", ["random", "farthest", "kmeans"])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_anchors_follow_the_content_and_the_seed(choice, seed):
    X, Y, _ = planted_rotation(noise=0.1)
    order = np.random.default_rng(3).permutation(len(X))
    one, other = (
        Relative(n_anchors=20, choice=choice, seed=seed).fit(X[rows], Y[rows])
        for rows in (np.arange(len(X)), order)
    )
    np.testing.assert_allclose(one.source_anchors_, other.source_anchors_, atol=1e-12)
    again = Relative(n_anchors=20, choice=choice, seed=seed + 7).fit(X, Y)
    assert not np.allclose(one.source_anchors_, again.source_anchors_), "the seed is ignored"


@pytest.mark.parametrize("seed", range(5))
def test_chosen_anchors_cover_every_cluster_and_drawn_ones_may_not(seed):
    V = clusters()
    rng = np.random.default_rng(seed)
    assert len(set(farthest_points(V, 6, rng) // 30)) == 6
    assert sorted(nearest_to_means(V, 6, rng)) == [0, 30, 60, 90, 120, 150]
    assert len(set(rng.choice(180, 6, replace=False) // 30)) < 6


def test_no_row_is_chosen_twice_even_where_all_are_equal():
    V, rng = np.ones((8, 3)), np.random.default_rng(0)
    assert sorted(farthest_points(V, 8, rng)) == sorted(nearest_to_means(V, 8, rng)) == list(range(8))


def test_directions_of_rows_of_any_size():
    V = np.array([[3e30, 4e30], [3e-30, 4e-30], [0, 0]], dtype=np.float32)
    np.testing.assert_allclose(directions(V), [[0.6, 0.8], [0.6, 0.8], [0, 0]], rtol=1e-6)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"n_anchors": 201}, "n_anchors is 201, but there are 200 distinct pairs"),
        ({"n_anchors": 0}, "n_anchors is 0"),
        ({"n_anchors": 2.5}, "n_anchors is 2.5"),
        ({"choice": "best"}, "choice is 'best'; choose one of random, farthest, kmeans"),
        ({"seed": -1}, "seed is -1"),
        ({"normalize": "whitened"}, "normalize is 'whitened'"),
    ],
)
def test_what_makes_no_sense_is_refused(params, words):
    X, Y, _ = planted_rotation()
    with pytest.raises(ParameterError, match=words):
        Relative(**params).fit(X, Y)
