import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.gaps._clouds import Clouds, unit_rows
from alignkit.gaps.centroid_distance import CentroidDistance


def test_it_equals_the_authors_own_function(peers):
    for x, y, outputs in peers:
        assert_allclose(CentroidDistance().measure(x, y), outputs["l2m"], rtol=1e-12)
        n = len(x) // 5
        assert_allclose(
            CentroidDistance().measure(x[:n], y[: 5 * n]), outputs["l2m_coco_5captions"], rtol=1e-12
        )


@pytest.mark.parametrize(
    ("name", "expected"),
    [("clip", 0.8514), ("convirt", 0.8231), ("videoclip", 1.067), ("clip_random", 1.136)],
)
def test_stored_features_give_the_known_figures_far_above_the_null_level(stored, name, expected):
    score = CentroidDistance().score(Clouds.paired(*stored(name)))
    assert_allclose(score.value, expected, atol=5e-4)
    assert score.low <= score.value <= score.high
    assert score.chance < 0.2 < score.low


def test_centring_each_side_of_clip_closes_it(stored):
    x, y = (side.astype(np.float64) for side in stored("clip"))
    assert_allclose(CentroidDistance().measure(x - x.mean(axis=0), y - y.mean(axis=0)), 0.028, atol=1e-3)


def test_opposite_points_are_two_apart_and_equal_ones_zero():
    one = np.ones((30, 4))
    assert_allclose(CentroidDistance().measure(one, -3 * one), 2.0)
    assert_allclose(CentroidDistance().measure(one, 3 * one), 0.0, atol=1e-12)


def test_the_closed_null_level_is_that_of_random_splits(planted):
    x, y = planted(1, n=50, gap=1.0)
    chance = CentroidDistance().score(Clouds.unpaired(x, y)).chance
    pooled, rng = unit_rows(np.concatenate([x, y])), np.random.default_rng(0)
    orders = [rng.permutation(100) for _ in range(4000)]
    squares = [((pooled[o[:50]].mean(axis=0) - pooled[o[50:]].mean(axis=0)) ** 2).sum() for o in orders]
    assert_allclose(chance, np.sqrt(np.mean(squares)), rtol=0.02)


def test_where_there_is_no_gap_the_interval_covers_the_null_level(coverage):
    assert coverage("centroid_distance").of_null(paired=False) >= 0.85


def test_the_interval_covers_the_distance_of_the_whole_population(coverage, planted):
    assert coverage("centroid_distance").of_population(*planted(0, n=20_000, gap=0.6)) >= 0.85


def test_more_rows_give_a_narrower_interval(planted):
    narrow, wide = (CentroidDistance().score(Clouds.paired(*planted(2, n=n))) for n in (2000, 50))
    assert narrow.high - narrow.low < 0.3 * (wide.high - wide.low)
