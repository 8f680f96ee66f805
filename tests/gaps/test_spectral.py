"""The three measures of one cloud that are functions of its eigenvalues."""

import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.gaps._clouds import Clouds
from alignkit.gaps.effective_rank import EffectiveRank, effective_rank
from alignkit.gaps.isotropy import isotropy
from alignkit.gaps.participation_ratio import participation_ratio


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def corners(kept, dim):
    """Return the ends of the first axes of a cube: unit rows that fill ``kept`` of ``dim`` evenly."""
    axes = np.eye(dim)[:kept]
    return np.concatenate([axes, -axes])


@pytest.mark.parametrize("kept", [1, 3, 8])
def test_evenly_filled_dimensions_are_counted(kept):
    assert effective_rank(corners(kept, 8)) == pytest.approx(kept)
    assert participation_ratio(corners(kept, 8)) == pytest.approx(kept)
    assert isotropy(corners(kept, 8)) == pytest.approx(
        (kept - 1) / 7, abs=1e-12
    )  # the paper's own calibration


def test_isotropy_follows_the_published_steps():
    rows = np.random.default_rng(0).normal(size=(200, 6)) * np.arange(1, 7)
    variances = np.linalg.eigvalsh(np.cov(unit(rows), rowvar=False))
    scaled = np.sqrt(6) * variances / np.linalg.norm(variances)  # step 3
    defect = np.linalg.norm(scaled - 1) / np.sqrt(2 * (6 - np.sqrt(6)))  # step 4
    filled = (6 - defect**2 * (6 - np.sqrt(6))) ** 2 / 36  # step 5
    assert isotropy(rows) == pytest.approx((6 * filled - 1) / 5)  # step 6


def test_ranks_equal_their_formulas_with_few_rows_and_with_many():
    for rows in (10, 200):
        x = np.random.default_rng(rows).normal(size=(rows, 20)) * np.linspace(0.1, 1, 20)
        values = np.linalg.eigvalsh(np.cov(unit(x), rowvar=False))
        shares = values[values > 1e-12] / values.sum()
        assert effective_rank(x) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))
        assert participation_ratio(x) == pytest.approx(values.sum() ** 2 / (values**2).sum())


def test_a_cloud_without_variance_has_no_rank_and_one_row_is_refused():
    point = np.ones((5, 3))
    assert effective_rank(point) == participation_ratio(point) == isotropy(point) == 0
    with pytest.raises(DataError, match="two rows or more"):
        participation_ratio(point[:1])


def test_mixing_two_flat_clouds_fills_more_dimensions_than_either():
    rng = np.random.default_rng(1)
    x, y = np.zeros((2, 80, 8))
    x[:, :4], y[:, 4:] = rng.normal(size=(2, 80, 4))
    found = EffectiveRank().scores(Clouds.unpaired(x, y))
    for score in found.values():
        assert score.value < 4.1
        assert score.chance_low > 6
