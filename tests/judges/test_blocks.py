import numpy as np
from numpy.testing import assert_allclose
from scipy.stats import t

from alignkit.judges._blocks import jackknife_interval, left_out, random_splits
from alignkit.statistics.blocks import dealt


def test_the_jackknife_of_a_difference_of_means_is_the_classical_interval(rng):
    x, y = rng.normal(size=(20, 1)), rng.normal(size=(20, 1)) + 1

    def value(a, b):
        return float(b.mean() - a.mean())

    low, high = jackknife_interval(value(x, y), *left_out(x, y, value, seed=0))
    error = np.sqrt(x.var(ddof=1) / 20 + y.var(ddof=1) / 20)
    assert_allclose([low, high], value(x, y) + np.array([-1, 1]) * t.ppf(0.975, 19) * error)


def test_blocks_and_splits_hold_every_row_once():
    assert np.bincount(dealt(45, 20, [0])).tolist() == [3] * 5 + [2] * 15
    splits = list(random_splits(5, 3, 0, splits=10))
    assert {int(first.sum()) for first in splits} == {5}
    assert len({first.tobytes() for first in splits}) > 5
