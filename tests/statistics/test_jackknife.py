"""Closed forms equal deleting, group by group."""

import numpy as np
import pytest
from scipy.stats import skew

from alignkit.statistics.jackknife import acceleration, means_without, medians_without
from alignkit.statistics.resampling import group_totals


def world(seed: int, largest: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two columns with ties, and labels of groups of 1 to ``largest`` rows in random order."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(23), rng.integers(1, largest + 1, 23)))
    return np.stack([1 / rng.integers(1, 9, len(labels)), rng.integers(0, 5, len(labels))], axis=1), labels


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("largest", [1, 2, 7])
def test_leaving_out_by_formula_is_leaving_out(seed: int, largest: int):
    values, labels = world(seed, largest)
    kept = [values[labels != group] for group in range(23)]
    np.testing.assert_allclose(
        means_without(*group_totals(values, labels)), [rows.mean(axis=0) for rows in kept], rtol=1e-12
    )
    assert np.array_equal(medians_without(values, labels), [np.median(rows, axis=0) for rows in kept])


@pytest.mark.parametrize("seed", range(3))
def test_the_acceleration_of_a_mean_is_a_sixth_of_its_skewness_over_root_n(seed: int):
    values = np.random.default_rng(seed).exponential(size=(70, 2))
    without = means_without(np.ones(70, int), values)
    np.testing.assert_allclose(acceleration(without), skew(values, axis=0) / (6 * np.sqrt(70)), rtol=1e-9)
    np.testing.assert_allclose(
        acceleration(means_without(np.ones(70, int), -values)), -acceleration(without), rtol=1e-9
    )


def test_nothing_accelerates_where_nothing_varies():
    assert acceleration(np.full((9, 2), 0.5)).tolist() == [0.0, 0.0]
