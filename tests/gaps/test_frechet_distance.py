import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import sqrtm

from alignkit.gaps._clouds import Clouds
from alignkit.gaps.frechet_distance import FrechetDistance, frechet_distance


def by_matrix_root(x, y):
    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))
    first, second = (np.cov(side, rowvar=False) for side in (x, y))
    apart = x.mean(axis=0) - y.mean(axis=0)
    return apart @ apart + np.trace(first + second - 2 * sqrtm(first @ second).real)


@pytest.mark.parametrize("rows", [9, 40, 200])  # fewer than dimensions, more, many more
def test_it_equals_the_matrix_root_whatever_the_rank(rows):
    x, y = np.random.default_rng(rows).normal(size=(2, rows, 20))
    y[:, 0] += 2
    # the matrix root of a singular product is good to about the root of machine precision
    assert frechet_distance(x, y) == pytest.approx(by_matrix_root(x, y), abs=1e-9 if rows > 20 else 1e-5)


def test_stored_features_give_the_known_figures(stored):
    found = FrechetDistance().measure_parts(*stored("clip"))
    assert_allclose(found[""], 1.105, atol=5e-4)
    assert_allclose(found["mean"], 0.725, atol=5e-4)
    assert found[""] == pytest.approx(found["mean"] + found["covariance"])


def test_a_shift_moves_the_mean_part_and_a_stretch_the_covariance_part():
    rows = (
        np.random.default_rng(0).normal(size=(300, 6)) + 20 * np.eye(6)[0]
    )  # nearly flat: unit rows hardly bend
    plain = FrechetDistance().measure_parts(rows, rows + 2 * np.eye(6)[1])
    stretched = FrechetDistance().measure_parts(rows, rows.mean(axis=0) + 2 * (rows - rows.mean(axis=0)))
    assert plain["covariance"] < 0.05 * plain["mean"]
    assert stretched["mean"] < 0.05 * stretched["covariance"]


def test_the_replicas_are_those_of_the_rows_themselves():
    x, y = np.random.default_rng(1).normal(size=(2, 60, 8))
    few = FrechetDistance().scores(Clouds.unpaired(x, y), seed=3)
    wide = (
        np.pad(x, ((0, 0), (0, 92))),
        np.pad(y, ((0, 0), (0, 92))),
    )  # more dimensions than rows: the other way
    many = FrechetDistance().scores(Clouds.unpaired(*wide), seed=3)
    for part, score in few.items():
        for end in ("value", "low", "high", "chance", "chance_low", "chance_high"):
            assert getattr(many[part], end) == pytest.approx(getattr(score, end), abs=1e-6), (part, end)
