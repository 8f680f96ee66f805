import numpy as np
from numpy.testing import assert_allclose
from scipy.special import stdtrit

from alignkit.gaps import _bootstrap
from alignkit.gaps._bootstrap import item_draws, percentile_interval, sums_by_item
from alignkit.gaps._clouds import Clouds


def test_every_resample_draws_as_many_items_as_there_are_and_partners_together(monkeypatch):
    monkeypatch.setattr(_bootstrap, "CHUNK", 70)  # several chunks, the last one shorter
    rows = np.random.default_rng(0).normal(size=(20, 3))
    drawn = list(item_draws(Clouds.paired(rows, rows), 10, seed=1))
    assert len(drawn) > 1
    assert all(x is y for x, y in drawn)
    counts = np.concatenate([x for x, _ in drawn])
    assert counts.shape == (10, 20)
    assert np.array_equal(counts.sum(axis=1), np.full(10, 20))


def test_unpaired_sides_are_drawn_apart():
    rng = np.random.default_rng(0)
    ((x, y),) = item_draws(Clouds.unpaired(rng.normal(size=(30, 2)), rng.normal(size=(20, 2))), 400, seed=1)
    assert x.shape == (400, 30)
    assert y.shape == (400, 20)
    assert abs(np.corrcoef(x[:, 0], y[:, 0])[0, 1]) < 0.2


def test_sums_by_item_add_the_rows_of_each():
    values, items = np.arange(10.0).reshape(5, 2), np.array([1, 0, 1, 2, 0])
    expected = [values[items == item].sum(axis=0) for item in range(3)]
    assert_allclose(sums_by_item(values, items, 3), expected)


def test_the_interval_holds_its_value_and_stays_within_the_limits():
    replicates = np.random.default_rng(0).normal(0.95, 0.1, 2000)
    low, high = percentile_interval(replicates, 0.9, (0.0, 1.0), 1_000_000)
    assert low < 0.9 < high
    assert high == 1.0
    assert_allclose(low, 0.9 - 1.96 * 0.1, atol=0.02)


def test_the_interval_of_few_items_is_as_wide_as_students():
    rows = np.random.default_rng(3).normal(size=12)
    draws = np.random.default_rng(4).integers(0, 12, size=(200_000, 12))
    low, high = percentile_interval(rows[draws].mean(axis=1), rows.mean(), (-9.0, 9.0), 12)
    half = stdtrit(11, 0.975) * rows.std(ddof=1) / np.sqrt(12)
    assert_allclose((high - low) / 2, half, rtol=0.06)  # the plain percentiles are 15 % shorter
