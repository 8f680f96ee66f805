import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError
from alignkit.judges._base import Samples
from alignkit.judges._frechet import frechet
from alignkit.judges.fad_inf import FadInf, extrapolated


def with_replacement(x, y, rng):
    """Return what the published way gives: rows drawn with replacement, a line over 1/n."""
    sizes = np.linspace(len(y) // 4, len(y), 8).astype(int)
    found = [frechet(x, y[rng.integers(0, len(y), n)]) for n in sizes]
    return np.polynomial.polynomial.polyfit(1 / sizes, found, 1)[0]


def test_the_bias_goes_without_replacement_and_stays_with_it():
    ours, theirs, plain = [], [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(300, 16)), rng.normal(size=(300, 16))
        plain.append(frechet(x, y))
        ours.append(extrapolated(x, y, seed=seed))
        theirs.append(with_replacement(x, y, rng))
    assert abs(np.mean(ours)) < 0.15 * np.mean(plain)
    assert np.mean(theirs) > 0.5 * np.mean(plain)


def test_a_true_distance_is_kept(rng):
    x, y = rng.normal(size=(400, 4)), 2 * rng.normal(size=(400, 4)) + 1  # 4 of the means, 4 of the spreads
    score = FadInf().judge(Samples(x, y))
    assert score.low < 8 < score.high
    assert score.high - score.low < 4


def test_parts_with_fewer_rows_than_dimensions_are_refused(rng):
    rows = rng.normal(size=(100, 40))
    with pytest.raises(DataError, match="25 rows for 40 dimensions"):
        FadInf().judge(Samples(rows, rows + 1))
    with pytest.raises(ParameterError, match="cannot be cut"):
        extrapolated(rows[:6], rows)
