import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError
from alignkit.projections.gap_axis import GapAxis


def sides(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(50, 7)), rng.normal(size=(59, 7)) + 1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_distance_of_the_means_is_drawn_in_true_length_and_level(seed):
    x, y = sides(seed)
    projection = GapAxis().fit(x, y)
    between = projection.transform(x).mean(axis=0) - projection.transform(y).mean(axis=0)
    assert_allclose(between, [np.linalg.norm(x.mean(axis=0) - y.mean(axis=0)), 0], atol=1e-12)


def test_the_second_axis_holds_the_most_variance_at_a_right_angle():
    x, y = sides(3)
    across, up = GapAxis().fit(x, y).axes_
    rest, rng = np.concatenate([x - x.mean(axis=0), y - y.mean(axis=0)]), np.random.default_rng(0)
    for _ in range(50):
        other = rng.normal(size=7)
        other -= (other @ across) * across
        other /= np.linalg.norm(other)
        assert ((rest @ up) ** 2).sum() >= ((rest @ other) ** 2).sum()


def test_equal_means_are_refused_with_the_way_out():
    x, _ = sides(5)
    with pytest.raises(DataError, match="use pca"):
        GapAxis().fit(x, x)


def test_points_of_one_line_still_get_two_axes():
    x, y = np.array([[1.0, 0, 0], [1, 0, 0]]), np.array([[-1.0, 0, 0], [-1, 0, 0]])
    assert_allclose(GapAxis().fit(x, y).transform(x), [[1, 0], [1, 0]], atol=1e-12)
