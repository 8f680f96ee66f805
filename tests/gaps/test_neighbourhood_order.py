from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import kendalltau

from alignkit.errors import DataError
from alignkit.gaps import neighbourhood_order as module
from alignkit.gaps._clouds import Clouds, unit_rows
from alignkit.gaps.neighbourhood_order import (
    NeighbourhoodOrder,
    kendall_distance,
    kendall_distance_as_published,
    neighbourhood_order,
)


def test_the_published_distance_is_what_the_peer_answers(peers):
    for x, y, outputs in peers:
        expected = outputs["kendall_tau_distance(x[:10]@x0, y[:10]@y0)"]
        assert_allclose(kendall_distance_as_published(x[:10] @ x[0], y[:10] @ y[0]), expected, atol=1e-12)


def test_a_distance_of_rankings_does_not_depend_on_how_classes_are_numbered():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 12))
    orders = [rng.permutation(12) for _ in range(5)]
    repaired, published = (
        {of(first[order], second[order]) for order in orders}
        for of in (kendall_distance, kendall_distance_as_published)
    )
    assert len(repaired) == 1
    assert len(published) > 1


def test_the_distance_is_that_of_scipy_and_a_tie_counts_half():
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 15))
    assert_allclose(
        kendall_distance(first, second), (1 - kendalltau(first, second).statistic) / 2, rtol=1e-12
    )
    assert kendall_distance(first, np.zeros(15)) == 0.5
    assert kendall_distance(first, -first) == 1


def test_it_averages_over_classes_the_distance_of_their_mean_cosines(planted):
    x, y = planted(0, n=70)
    labels = np.random.default_rng(2).integers(0, 6, 70)
    distances = []
    for one in range(6):
        others = [label for label in range(6) if label != one]
        means = [
            [(rows[labels == one] @ rows[labels == label].T).mean() for label in others]
            for rows in (unit_rows(x), unit_rows(y))
        ]
        distances.append((1 - kendalltau(*means).statistic) / 2)
    assert_allclose(neighbourhood_order(x, y, labels), np.mean(distances), rtol=1e-10)


def test_classes_that_keep_their_order_are_told_from_mixed_partners():
    rng = np.random.default_rng(3)
    labels = np.arange(300) % 20
    x = rng.normal(size=(20, 8))[labels] + 0.3 * rng.normal(size=(300, 8))
    y = x + 0.3 * rng.normal(size=(300, 8)) + 2
    score = NeighbourhoodOrder().score(replace(Clouds.paired(x, y), labels=(labels,)))
    assert score.high < score.chance_low < 0.5 < score.chance_high
    mixed = replace(Clouds.paired(x, rng.permutation(y)), labels=(labels,))
    unrelated = NeighbourhoodOrder().score(mixed)
    assert unrelated.chance_low <= unrelated.value <= unrelated.chance_high


def test_many_classes_are_sampled_and_equal_sides_stay_equal(planted, monkeypatch):
    monkeypatch.setattr(module, "MOST_CLASSES", 5)
    x, y = planted(1)
    labels = np.arange(60) % 12
    assert neighbourhood_order(x, x, labels) == 0
    clouds = replace(Clouds.paired(x, y), labels=(labels,))
    first, again = (NeighbourhoodOrder().score(clouds, seed=0) for _ in range(2))
    assert first == again
    assert first.value == neighbourhood_order(x, y, labels)
    assert first.n == 25  # the pairs of five classes


def test_two_classes_leave_nothing_to_rank(planted):
    with pytest.raises(DataError, match="three classes to rank two others, and there are 2"):
        neighbourhood_order(*planted(0), np.arange(60) % 2)
