import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._sums import sums_of_rows, sums_replicas
from alignkit.gaps.cone import Cone, cone


def test_it_equals_the_mean_over_all_pairs_of_rows():
    x = np.random.default_rng(0).normal(size=(30, 5)) + 0.5
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosines = unit @ unit.T
    centre = unit.mean(axis=0)
    within, to_mean = cone(x)
    assert within == pytest.approx(cosines[~np.eye(30, dtype=bool)].mean())
    assert to_mean == pytest.approx((unit @ (centre / np.linalg.norm(centre))).mean())
    with pytest.raises(DataError, match="two rows or more"):
        cone(x[:1])


def test_stored_features_give_the_known_figures(stored):
    found = Cone().measure_parts(*stored("clip"))
    assert_allclose([found["source"], found["target"]], [0.5315, 0.5152], atol=1e-4)


def test_the_interval_is_that_of_the_jackknife_over_rows():
    x, y = np.random.default_rng(1).normal(size=(2, 20, 3)) + 1
    score = Cone().scores(Clouds.paired(x, y))["source"]
    left_out = np.array([cone(np.delete(x, i, axis=0))[0] for i in range(20)])
    variance = 19 / 20 * ((left_out - left_out.mean()) ** 2).sum()
    assert (score.high - score.low) / 2 == pytest.approx(2.093024 * np.sqrt(variance), rel=1e-5)


def test_sums_add_up_over_blocks_and_over_streams():
    x, y = np.random.default_rng(2).normal(size=(2, 60, 4))
    clouds = Clouds.paired(x, y)
    whole = sums_replicas(clouds, 0, pairs=True).whole
    streamed = sums_of_rows(clouds.x[:25], clouds.y[:25]) + sums_of_rows(clouds.x[25:], clouds.y[25:])
    for name in ("n", "m", "items", "x", "y", "xx", "yy", "xy", "links", "cosine", "distance"):
        assert_allclose(getattr(whole, name), getattr(streamed, name), err_msg=name)
