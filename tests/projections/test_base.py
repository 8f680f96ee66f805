import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError
from alignkit.projections import PROJECTIONS


def sides(seed=0, n=50, d=7, gap=1.0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(n + 9, d)) + gap


@pytest.mark.parametrize("name", PROJECTIONS.names())
def test_axes_are_orthonormal_and_the_same_for_both_sides_and_new_rows(name):
    x, y = sides()
    projection = PROJECTIONS.get(name)().fit(x, y)
    assert_allclose(projection.axes_ @ projection.axes_.T, np.eye(2), atol=1e-12)
    pooled = projection.transform(np.concatenate([x, y]))
    assert_allclose(pooled[: len(x)], projection.transform(x), atol=1e-12)
    assert_allclose(pooled.mean(axis=0), 0, atol=1e-12)
    total = np.square(np.concatenate([x, y]) - projection.origin_).sum()
    assert_allclose(np.square(pooled).sum(axis=0) / total, projection.shares_, rtol=1e-10)


@pytest.mark.parametrize("name", PROJECTIONS.names())
def test_two_fits_agree_to_the_bit(name):
    first, again = (PROJECTIONS.get(name)().fit(*sides()).axes_ for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize("name", PROJECTIONS.names())
def test_bad_shapes_and_unfitted_use_are_refused(name):
    x, y = sides()
    with pytest.raises(DataError, match="7 dimensions and y 3"):
        PROJECTIONS.get(name)().fit(x, y[:, :3])
    with pytest.raises(DataError, match="call fit first"):
        PROJECTIONS.get(name)().transform(x)
    with pytest.raises(DataError, match="finite"):
        PROJECTIONS.get(name)().fit(x * np.nan, y)
    with pytest.raises(DataError, match="two dimensions"):
        PROJECTIONS.get(name)().fit(x[:, :1], y[:, :1])
    with pytest.raises(DataError, match="7 dimensions, the rows 3"):
        PROJECTIONS.get(name)().fit(x, y).transform(x[:, :3])
