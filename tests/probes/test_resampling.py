"""Intervals hold what they promise, count groups rather than rows, and repeat."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError, ParameterError
from alignkit.probes.counting import ClassCounts
from alignkit.probes.precision import mean_average_precision
from alignkit.probes.resampling import Resampling, group_codes, score_all, score_of


def mean_of(values):
    return lambda weights: {"mean": weights @ values / weights.sum(axis=1)}


def interval(values, groups=None, **settings):
    codes = group_codes(groups, (values,))
    sums, sizes = np.bincount(codes, weights=values), np.bincount(codes).astype(float)
    statistic = lambda weights: {"mean": weights @ sums / (weights @ sizes)}  # noqa: E731
    return score_all(statistic, len(sums), chance={}, resampling=Resampling(**settings))["mean"]


def test_a_share_has_the_normal_interval_of_a_share():
    values = np.repeat([0.0, 1.0], [300, 700])
    found = interval(values, resamples=20_000)
    half = 1.96 * np.sqrt(0.3 * 0.7 / 1000)
    assert_allclose([found.low, found.high], [0.7 - half, 0.7 + half], atol=0.003)


def test_rows_of_one_group_are_one_observation():
    rng = np.random.default_rng(0)
    values = (rng.random(100) < 0.6).astype(float)
    alone = interval(values)
    copies = interval(np.repeat(values, 5), np.repeat(np.arange(100), 5))
    apart = interval(np.repeat(values, 5))
    assert_allclose(copies.high - copies.low, alone.high - alone.low, rtol=0.1)
    assert (apart.high - apart.low) < 0.55 * (alone.high - alone.low)
    assert (copies.n, apart.n) == (100, 500)


def macro_f1_of(rng, n):
    truth = rng.integers(0, 5, n)
    called = np.where(rng.random(n) < 0.3 + 0.1 * truth, truth, rng.integers(0, 5, n))
    return np.eye(5)[truth], np.eye(5)[called]


def test_intervals_of_macro_f1_hold_the_value_of_the_population():
    whole = ClassCounts.of(*macro_f1_of(np.random.default_rng(99), 400_000), np.zeros(400_000, int))
    truth = whole.rates()["macro_f1"][0]
    held = []
    for seed in range(150):
        counts = ClassCounts.of(*macro_f1_of(np.random.default_rng(seed), 150), np.arange(150))
        found = score_all(
            counts.rates, 150, chance={}, resampling=Resampling(resamples=500, seed=seed)
        )["macro_f1"]  # fmt: skip
        held.append(found.low <= truth <= found.high)
    assert 0.90 <= np.mean(held) <= 0.995


def scored(rng, n):
    truth = rng.random((n, 3)) < [0.1, 0.2, 0.4]
    return truth, truth + rng.normal(size=(n, 3))


def test_intervals_of_mean_average_precision_hold_the_value_of_the_population():
    population = mean_average_precision(*scored(np.random.default_rng(99), 200_000))[0]
    held = []
    for seed in range(100):
        truth, scores = scored(np.random.default_rng(seed), 200)
        found = score_all(
            lambda weights: {"map": mean_average_precision(truth, scores, weights)},  # noqa: B023
            200, chance={}, resampling=Resampling(resamples=400, seed=seed),
        )["map"]  # fmt: skip
        held.append(found.low <= population <= found.high)
    assert 0.87 <= np.mean(held) <= 0.99


def test_the_same_seed_gives_the_same_interval_and_another_one_another():
    values = np.random.default_rng(0).random(50)
    assert interval(values, seed=3) == interval(values, seed=3)
    assert interval(values, seed=3) != interval(values, seed=4)


def test_permuting_rows_changes_no_interval_with_groups_or_without():
    rng = np.random.default_rng(0)
    values, groups = rng.integers(0, 2, 60).astype(float), rng.integers(0, 20, 60)
    order = rng.permutation(60)
    assert interval(values) == interval(values[order])
    assert interval(values, groups) == interval(values[order], groups[order])


def test_one_group_or_no_resample_has_no_interval():
    for found in (interval(np.ones(5), np.zeros(5)), interval(np.ones(5), resamples=0)):
        assert (found.value, found.low, found.high) == (1.0, None, None)


def test_resamples_without_a_value_do_not_count():
    replicates = np.array([0.4, np.nan, 0.6, np.nan, 0.5])
    found = score_of(0.5, replicates, Resampling(), n=5, chance=None)
    assert_allclose([found.low, found.high], np.quantile([0.4, 0.5, 0.6], [0.025, 0.975]))


def test_chunks_are_a_matter_of_memory_alone(monkeypatch):
    values = np.random.default_rng(0).random(40)
    whole = Resampling(resamples=200).replicates(mean_of(values), 40)["mean"]
    monkeypatch.setattr("alignkit.probes.resampling.BUDGET", 40 * 7)
    parts = Resampling(resamples=200).replicates(mean_of(values), 40)["mean"]
    assert_allclose(parts, whole, rtol=1e-12)


@pytest.mark.parametrize("settings", [{"resamples": -1}, {"level": 0.0}, {"level": 1.0}])
def test_senseless_settings_are_refused(settings):
    with pytest.raises(ParameterError, match="resamples at level"):
        Resampling(**settings)


def test_a_missing_group_label_is_refused():
    with pytest.raises(DataError, match="groups have shape"):
        group_codes(np.arange(4), (np.arange(5),))
