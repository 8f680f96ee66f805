"""A difference of the size that is named is found as often as promised, and smaller ones are not."""

import numpy as np
import pytest
from scipy.stats import norm

from alignkit.errors import DataError, ParameterError
from alignkit.statistics.power import detectable_difference, planned_detectable_difference
from alignkit.statistics.significance import sign_flip

PICTURES, CAPTIONS = 60, 3


def two_methods(seed: int, gain: float, correlation: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Return values of two methods for captions of pictures; the first is better by ``gain`` on average."""
    rng = np.random.default_rng(seed)
    both = np.sqrt([correlation, 1 - correlation])
    shared, own, other = rng.exponential(size=(3, PICTURES, 1))
    noise = 0.3 * rng.normal(size=(2, PICTURES, CAPTIONS))
    a = both[0] * shared + both[1] * own + noise[0] + gain
    b = both[0] * shared + both[1] * other + noise[1]
    return a.ravel(), b.ravel()


GROUPS = np.repeat(np.arange(PICTURES), CAPTIONS)
# true standard error of the difference of two means
TRUE_ERROR = np.sqrt((2 * 0.4 + 2 * 0.09 / CAPTIONS) / PICTURES)


def found_share(gain: float, trials: int = 250, level: float = 0.95) -> float:
    p = [
        sign_flip(*two_methods(seed, gain), GROUPS, flips=399, seed=seed).p
        for seed in range(100, 100 + trials)
    ]
    return float(np.mean(np.array(p) <= 1 - level))


@pytest.mark.parametrize(("power", "level"), [(0.8, 0.95), (0.5, 0.95), (0.9, 0.9)])
def test_a_difference_of_this_size_is_found_with_this_chance(power: float, level: float):
    """250 trials: an uncertainty of 2.5 %; the size itself is known to about 10 % from 60 groups."""
    sizes = [
        detectable_difference(*two_methods(seed, 0.0), GROUPS, power=power, level=level) for seed in range(20)
    ]
    assert abs(found_share(np.mean(sizes), level=level) - power) < 0.08


def test_the_size_is_that_of_the_true_standard_error():
    sizes = [detectable_difference(*two_methods(seed, 0.3), GROUPS) for seed in range(40)]
    assert np.mean(sizes) == pytest.approx((norm.ppf(0.975) + norm.ppf(0.8)) * TRUE_ERROR, rel=0.05)


def test_captions_counted_as_pictures_promise_too_much():
    a, b = two_methods(0, 0.0)
    assert detectable_difference(a, b) < 0.75 * detectable_difference(a, b, GROUPS)


def test_half_the_difference_is_mostly_missed():
    size = np.mean([detectable_difference(*two_methods(seed, 0.0), GROUPS) for seed in range(20)])
    assert found_share(size / 2) < 0.45


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.9])
def test_the_plan_foretells_the_size_where_its_assumption_holds(correlation: float):
    """Noise of the captions lowers the correlation of pictures' means: the plan is told the true one."""
    own = np.mean([detectable_difference(*two_methods(seed, 0, correlation), GROUPS) for seed in range(20)])
    true = correlation / (1 + 0.09 / CAPTIONS)
    planned = [
        planned_detectable_difference(two_methods(seed, 0, correlation)[0], GROUPS, correlation=true)
        for seed in range(20)
    ]
    assert np.mean(planned) == pytest.approx(own, rel=0.12)


def test_the_plan_is_wrong_by_as_much_as_its_correlation():
    values = two_methods(1, 0)[0]
    sizes = [planned_detectable_difference(values, GROUPS, correlation=c) for c in (0, 0.75, 1)]
    assert sizes[1] == pytest.approx(sizes[0] / 2)
    assert sizes[2] == 0


def test_four_times_the_queries_halve_it_and_copies_of_queries_in_their_groups_do_not():
    a, b = two_methods(2, 0)
    once = detectable_difference(a, b, GROUPS)
    copies = detectable_difference(np.tile(a, 4), np.tile(b, 4), np.tile(GROUPS, 4))
    more = detectable_difference(
        np.tile(a, 4), np.tile(b, 4), np.concatenate([GROUPS + PICTURES * i for i in range(4)])
    )
    assert copies == pytest.approx(once, rel=1e-12)
    assert more == pytest.approx(once / 2, rel=0.01)


def test_the_order_of_the_queries_changes_no_bit():
    a, b = two_methods(3, 0.1)
    order = np.random.default_rng(0).permutation(len(a))
    there = detectable_difference(a, b, GROUPS)
    assert there == detectable_difference(a[order], b[order], GROUPS[order])
    assert there == detectable_difference(b, a, GROUPS)


@pytest.mark.parametrize("options", [{"power": 1.0}, {"power": 0.02}, {"level": 1.0}, {"level": 0.0}])
def test_options_without_sense_are_refused(options: dict):
    with pytest.raises(ParameterError, match=r"like 0\.8 at 0\.95"):
        detectable_difference(np.arange(9.0), np.zeros(9), **options)


def test_what_has_no_spread_to_tell_is_refused():
    with pytest.raises(ParameterError, match=r"correlation is 1\.2"):
        planned_detectable_difference(np.arange(9.0), correlation=1.2)
    with pytest.raises(DataError, match=r"1 group\(s\)"):
        detectable_difference(np.arange(9.0), np.zeros(9), np.zeros(9))
    with pytest.raises(DataError, match="not finite"):
        planned_detectable_difference(np.array([np.nan, 1.0]), correlation=0.5)
    with pytest.raises(DataError, match="shapes"):
        detectable_difference(np.arange(9.0), np.zeros(8))
    with pytest.raises(DataError, match="2 group labels for 9"):
        detectable_difference(np.arange(9.0), np.zeros(9), np.zeros(2))
