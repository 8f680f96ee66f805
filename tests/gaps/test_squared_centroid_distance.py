import numpy as np
import pytest

from alignkit.gaps._clouds import Clouds
from alignkit.gaps.squared_centroid_distance import SquaredCentroidDistance, squared_centroid_distance


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def test_unpaired_it_is_the_plain_square_less_both_traces_over_rows():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 5)), rng.normal(size=(25, 5)) + 0.3
    first, second = unit(x), unit(y)
    plain = ((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum()
    noise = sum(np.trace(np.cov(side, rowvar=False)) / len(side) for side in (first, second))
    assert squared_centroid_distance(x, y) == pytest.approx(plain - noise)


def test_paired_it_takes_off_the_covariance_of_the_differences():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 5))
    y = x + 0.2 * rng.normal(size=x.shape)
    apart = unit(x) - unit(y)
    expected = (apart.mean(axis=0) ** 2).sum() - np.trace(np.cov(apart, rowvar=False)) / 40
    assert SquaredCentroidDistance().values_of(Clouds.paired(x, y))[""] == pytest.approx(expected)


@pytest.mark.parametrize("rows", [25, 100])
def test_it_is_unbiased_where_there_is_no_gap(rows):
    values = [
        squared_centroid_distance(*np.random.default_rng(seed).normal(size=(2, rows, 30)))
        for seed in range(200)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_its_interval_holds_zero_at_about_the_nominal_rate(coverage):
    assert 0.88 <= coverage("squared_centroid_distance").of_zero(seeds=150) <= 1.0
    assert 0.85 <= coverage("squared_centroid_distance").of_zero(seeds=150, paired=True) <= 1.0
