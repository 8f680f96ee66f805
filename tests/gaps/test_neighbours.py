"""Lists of neighbours from which rows are taken, against lists made anew."""

import numpy as np
from numpy.testing import assert_allclose
from sklearn.neighbors import NearestNeighbors

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._neighbours import both_neighbours, neighbours_between, places_taken


def test_lists_are_those_of_scikit_learn_in_tiles_of_any_size(planted, monkeypatch):
    monkeypatch.setattr("alignkit.gaps._neighbours.TILE", 16)
    clouds = Clouds.paired(*planted(0, n=53))
    for lists, rows in zip(both_neighbours(clouds, 5, 1), (clouds.x, clouds.y), strict=True):
        distances, expected = NearestNeighbors(n_neighbors=20, metric="cosine").fit(rows).kneighbors()
        assert np.array_equal(lists.rows, expected)
        assert_allclose(lists.cosines, 1 - distances, atol=1e-12)


def test_leaving_rows_out_and_changing_their_order_are_what_they_would_be_made_anew(planted):
    clouds = Clouds.paired(*planted(1, n=80))
    kept = np.random.default_rng(0).random(80) > 0.1
    order = np.random.default_rng(1).permutation(80)
    whole = both_neighbours(clouds, 5, 0)
    part = both_neighbours(clouds.kept(kept, kept), 5, 0)
    turned = both_neighbours(Clouds.paired(clouds.x[order], clouds.y[order]), 5, 0)
    for all_rows, left, moved in zip(whole, part, turned, strict=True):
        assert np.array_equal(all_rows.without(kept, 5).rows, left.first(5).rows)
        assert np.array_equal(all_rows.reordered(order).rows, moved.rows)


def test_rows_whose_neighbours_all_left_have_none():
    lists, _ = both_neighbours(Clouds.paired(np.eye(3), np.eye(3)), 1, 0)
    left = lists.without(np.array([True, False, True]), 2)
    assert sorted(left.rows.ravel().tolist()) == [-1, -1, 0, 1]


def test_ties_share_the_last_places_and_places_add_up():
    values = np.array([[3.0, 1.0, 1.0, 1.0, 0.0], [2.0, 2.0, 2.0, 2.0, 2.0]])
    assert_allclose(places_taken(values, 2), [[1, 1 / 3, 1 / 3, 1 / 3, 0], [0.4] * 5])


def test_rows_of_another_side_are_found_and_left_out_alike():
    rng = np.random.default_rng(2)
    clouds = Clouds.unpaired(rng.normal(size=(40, 4)), rng.normal(size=(30, 4)))
    x, y = rng.random(40) > 0.2, rng.random(30) > 0.2
    whole = neighbours_between(clouds.x, clouds.y, 25, rng).without(x, 5, y)
    part = neighbours_between(clouds.x[x], clouds.y[y], 5, rng)
    assert np.array_equal(whole.rows, part.rows)
    assert_allclose(whole.cosines, part.cosines, rtol=1e-12)
