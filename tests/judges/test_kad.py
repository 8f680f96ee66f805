import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist

from alignkit.judges import kad as module
from alignkit.judges._base import Samples
from alignkit.judges.kad import Kad, kad, median_distance


def by_hand(x, y):
    width = median_distance(x)
    kxx, kyy, kxy = (np.exp(-(cdist(a, b) ** 2) / (2 * width**2)) for a, b in ((x, x), (y, y), (x, y)))
    n, m = len(x), len(y)
    return 100 * ((kxx.sum() - n) / (n * (n - 1)) + (kyy.sum() - m) / (m * (m - 1)) - 2 * kxy.mean())


@pytest.mark.parametrize("block", [7, 1024])
def test_it_is_the_definition_in_blocks_of_any_size_and_far_from_the_origin(rng, block, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", block)
    x, y = rng.normal(size=(30, 5)), rng.normal(size=(20, 5)) + 0.5
    assert_allclose(kad(x, y), by_hand(x, y), rtol=1e-9)
    assert_allclose(kad(x + 1e4, y + 1e4), by_hand(x, y), rtol=1e-5)
    assert_allclose(Kad().judge(Samples(x, y)).value, by_hand(x, y), rtol=1e-9)
    assert_allclose(kad(4 * x, 4 * y), by_hand(x, y), rtol=1e-9)  # the bandwidth follows the scale


def test_it_is_unbiased_over_200_seeds_where_fad_is_not():
    values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        values.append(kad(rng.normal(size=(12, 3)), rng.normal(size=(10, 3)), bandwidth=2.0))
    error = np.std(values, ddof=1) / np.sqrt(200)
    assert abs(np.mean(values)) < 3 * error
    assert error < 0.5
    assert 0.2 < np.mean(np.array(values) < 0) < 0.8  # on both sides of 0


def test_the_jackknife_leaves_whole_blocks_out(rng):
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(9, 3)) + 0.5
    sums = np.zeros((17, 17))
    table = np.eye(17)
    sums, _ = module._kernel_sums(np.concatenate([x, y]), table, table[:, :1], 1.3)
    value, (first, second) = module._jackknifed(sums, np.ones(17), 8)
    assert_allclose(value, kad(x, y, bandwidth=1.3), rtol=1e-9)
    assert_allclose(first[2], kad(np.delete(x, 2, axis=0), y, bandwidth=1.3), rtol=1e-9)
    assert_allclose(second[4], kad(x, np.delete(y, 4, axis=0), bandwidth=1.3), rtol=1e-9)


def test_one_distribution_falls_into_the_band_and_another_does_not(rng):
    same = [Kad().judge(Samples(rng.normal(size=(50, 6)), rng.normal(size=(40, 6)))) for _ in range(20)]
    assert np.mean([s.chance_low <= s.value <= s.chance_high for s in same]) >= 0.8
    assert np.mean([s.low <= 0 <= s.high for s in same]) >= 0.8
    other = Kad().judge(Samples(rng.normal(size=(50, 6)), rng.normal(size=(40, 6)) + 0.7))
    assert other.value > other.chance_high
    assert other.low > 0


def test_the_bandwidth_is_the_references():
    x, y = np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [50.0], [100.0]])
    assert median_distance(x) == 1
    assert kad(x, y) != kad(y, x)
    assert median_distance(np.zeros((5, 2))) == 1
