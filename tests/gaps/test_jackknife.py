import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binomtest

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._jackknife import item_blocks, jackknife_variance, share_interval


def test_without_extra_variance_the_interval_is_wilsons():
    for right in (0, 3, 50, 100):
        share = right / 100
        peer = binomtest(right, 100).proportion_ci(method="wilson")
        assert_allclose(
            share_interval(share, share * (1 - share) / 100, 100), (peer.low, peer.high), atol=1e-12
        )


def test_more_variance_widens_it_and_less_than_a_coin_has_does_not_narrow_it():
    plain = share_interval(0.7, 0.21 / 100, 100)
    wide, bold = share_interval(0.7, 0.21 / 25, 100), share_interval(0.7, 1e-9, 100)
    assert wide[1] - wide[0] > 1.8 * (plain[1] - plain[0])
    assert_allclose(bold, plain)


def test_leaving_out_single_rows_gives_the_variance_of_a_mean():
    values = np.random.default_rng(0).normal(size=40)
    left_out = np.array([np.delete(values, i).mean() for i in range(40)])
    assert_allclose(jackknife_variance(left_out), values.var(ddof=1) / 40, rtol=1e-10)


def test_partners_stand_in_one_block_and_blocks_are_of_one_size():
    rows = np.random.default_rng(0).normal(size=(60, 3))
    x_blocks, y_blocks = item_blocks(Clouds.paired(rows, rows), 20, seed=0)
    assert np.array_equal(x_blocks, y_blocks)
    assert np.array_equal(np.bincount(x_blocks), np.full(20, 3))


def test_a_share_that_only_rounding_keeps_from_one_is_as_sure_as_one():
    whole = share_interval(1.0, 0.0, 50)
    assert share_interval(1 - 1e-16, 3e-32, 50) == pytest.approx(whole, abs=1e-9)
    assert whole[0] > 0.92
