import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binomtest, ttest_1samp

from alignkit.statistics.blocks import (
    jackknife_variance,
    saturating_interval,
    student_interval,
    wilson_interval,
)


def test_without_extra_variance_the_interval_is_wilsons():
    for right in (0, 3, 50, 100):
        share = right / 100
        peer = binomtest(right, 100).proportion_ci(method="wilson")
        assert_allclose(
            wilson_interval(share, share * (1 - share) / 100, 100), (peer.low, peer.high), atol=1e-12
        )


def test_more_variance_widens_it_and_less_than_a_coin_has_does_not_narrow_it():
    plain = wilson_interval(0.7, 0.21 / 100, 100)
    wide, bold = wilson_interval(0.7, 0.21 / 25, 100), wilson_interval(0.7, 1e-9, 100)
    assert wide[1] - wide[0] > 1.8 * (plain[1] - plain[0])
    assert_allclose(bold, plain)


def test_leaving_out_single_rows_gives_the_variance_of_a_mean():
    values = np.random.default_rng(0).normal(size=40)
    left_out = np.array([np.delete(values, i).mean() for i in range(40)])
    assert_allclose(jackknife_variance(left_out), values.var(ddof=1) / 40, rtol=1e-10)


def test_a_share_that_only_rounding_keeps_from_one_is_as_sure_as_one():
    whole = wilson_interval(1.0, 0.0, 50)
    assert wilson_interval(1 - 1e-16, 3e-32, 50) == pytest.approx(whole, abs=1e-9)
    assert whole[0] > 0.92


def test_students_interval_is_that_of_a_t_test_and_less_where_the_first_order_vanishes():
    values = np.random.default_rng(1).normal(size=20)
    left_out = np.array([np.delete(values, i).mean() for i in range(20)])
    low, high = student_interval(values.mean(), left_out, (-9, 9))
    peer = ttest_1samp(values, 0).confidence_interval()
    assert_allclose((low, high), (peer.low, peer.high), rtol=1e-10)
    variance = values.var(ddof=1) / 20
    for known, share in ((variance / 4, 0.75), (variance, 0.5)):
        narrow = student_interval(values.mean(), left_out, (-9, 9), known)
        assert_allclose((narrow[1] - narrow[0]) / (high - low), np.sqrt(share))


def test_the_saturating_interval_is_students_of_the_saturated_values():
    spread = 0.02 * np.random.default_rng(2).normal(size=20)
    for value in (0.0, 0.7, 3.0, -3.0):
        saturated, without = (each / (1 + np.abs(each) / 2) for each in (np.asarray(value), value + spread))
        ends = np.array(saturating_interval(value, value + spread, (-99, 99)))
        peer = student_interval(saturated, without, (-2, 2))
        assert_allclose(ends / (1 + np.abs(ends) / 2), peer, rtol=1e-10)
        assert ends[0] < value < ends[1]


def test_a_large_value_may_be_much_larger_and_hardly_smaller():
    spread = 0.05 * np.random.default_rng(2).normal(size=20)
    low, high = saturating_interval(5.0, 5.0 + spread, (-99, 99))
    assert high - 5 > 1.1 * (5 - low)
    mirrored = saturating_interval(-5.0, -5.0 - spread, (-99, 99))
    assert_allclose((low, high), (-mirrored[1], -mirrored[0]))


def test_an_end_beyond_all_scales_is_cut_at_the_limits():
    low, high = saturating_interval(20.0, 20 + 10 * np.random.default_rng(3).normal(size=20), (-40, 40))
    assert high == pytest.approx(40)
    assert -40 < low < 20
