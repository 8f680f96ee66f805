import numpy as np
import pytest
from scipy.special import logsumexp

from alignkit.retrieval._unit import Block, UnitRows
from alignkit.retrieval.rescoring._bank import LogSums, log_mean_exp, moments, nearest_mean


def sides(seed, b=90, g=40, d=16):
    rng = np.random.default_rng(seed)
    return UnitRows(rng.normal(size=(b, d)) + 0.3, "bank"), UnitRows(rng.normal(size=(g, d)) + 0.3, "gallery")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("beta", [0.01, 20.0, 5000.0])
@pytest.mark.parametrize("block", [(1, 1), (17, 11), (90, 40)])
def test_log_means_are_scipys_at_any_temperature_and_block(seed, beta, block):
    bank, gallery = sides(seed)
    cosine = bank[:] @ gallery[:].T
    expected = logsumexp(beta * cosine, axis=0) - np.log(90)
    found = log_mean_exp(bank, gallery, beta, Block(*block))
    np.testing.assert_allclose(found, expected, atol=2e-7 * beta + 1e-12)


@pytest.mark.parametrize("block", [(1, 1), (17, 11), (90, 40)])
def test_moments_are_numpys_in_any_block(block):
    bank, gallery = sides(3)
    cosine = gallery[:] @ bank[:].T
    means, deviations = moments(gallery, bank, Block(*block))
    np.testing.assert_allclose(means, cosine.mean(axis=1), atol=1e-7)
    np.testing.assert_allclose(deviations, cosine.std(axis=1), atol=1e-6)


def test_equal_cosines_deviate_by_nothing_that_counts():
    same = UnitRows(np.ones((1000, 3)), "bank")
    assert moments(same, same, Block())[1].max() < 1e-6


@pytest.mark.parametrize("block", [(1, 1), (17, 11), (90, 40)])
def test_nearest_means_are_those_of_a_full_sort(block):
    bank, gallery = sides(4)
    expected = np.sort(gallery[:] @ bank[:].T, axis=1)[:, -6:].mean(axis=1)
    np.testing.assert_allclose(nearest_mean(gallery, bank, 6, Block(*block)), expected, atol=1e-7)


def test_sums_neither_overflow_nor_vanish():
    sums = LogSums(2)
    sums.add(np.array([[1000.0, 999.0], [-1000.0, -2000.0]]), slice(None))
    sums.add(np.array([[-5000.0]]), slice(0, 1))
    np.testing.assert_allclose(sums.logarithms(), [1000 + np.log1p(np.exp(-1)), -1000], rtol=1e-15)
