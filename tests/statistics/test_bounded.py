import numpy as np
import pytest

from alignkit.errors import ParameterError
from alignkit.statistics.bounded import share_interval


@pytest.mark.parametrize("n", [1, 10, 1000])
def test_a_mean_of_one_leaves_what_a_coin_would_leave(n: int):
    assert share_interval(1.0, n) == (pytest.approx(0.025 ** (1 / n)), 1.0)
    assert share_interval(0.0, n) == (0.0, pytest.approx(1 - 0.025 ** (1 / n)))


def test_a_mean_beside_an_end_that_one_unit_cannot_tell_from_it_reaches_it():
    assert share_interval(1e-9, 1)[0] == 0.0
    assert share_interval(1 - 1e-9, 1)[1] == 1.0


@pytest.mark.parametrize("mean", [0.004, 0.5, 0.97])
def test_turning_shares_round_turns_the_interval(mean: float):
    low, high = share_interval(mean, 250)
    assert share_interval(1 - mean, 250) == (pytest.approx(1 - high), pytest.approx(1 - low))
    assert low < mean < high


@pytest.mark.parametrize("n", [5, 30, 300])
@pytest.mark.parametrize("kind", ["all or nothing", "tenths", "seldom bad"])
def test_the_expectation_is_missed_no_more_often_than_said(kind: str, n: int):
    rng = np.random.default_rng(n)
    if kind == "all or nothing":
        drawn, truth = rng.random((2000, n)) < 0.95, 0.95
    elif kind == "tenths":
        drawn, truth = rng.binomial(10, 0.9, (2000, n)) / 10, 0.9
    else:  # a bootstrap of 30 such shares often sees no bad one, and says [1, 1]
        drawn, truth = 1 - 0.8 * (rng.random((2000, n)) < 0.03), 1 - 0.8 * 0.03
    ends = {mean: share_interval(mean, n) for mean in np.unique(np.minimum(drawn.mean(axis=1), 1))}
    missed = [not ends[m][0] <= truth <= ends[m][1] for m in np.minimum(drawn.mean(axis=1), 1)]
    assert np.mean(missed) <= 0.05


@pytest.mark.parametrize(("mean", "n", "level"), [(1.2, 5, 0.95), (0.5, 0, 0.95), (0.5, 5, 1.0)])
def test_what_is_no_share_is_refused(mean, n, level):
    with pytest.raises(ParameterError, match="give shares from 0 to 1"):
        share_interval(mean, n, level=level)
