import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.statistics.kernel_sums import kernel_sums


@pytest.mark.parametrize("size", [4, 7, 100])
def test_sums_equal_those_of_the_whole_matrix_whatever_the_tiles(size):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30, 3))
    kernel = np.exp(-((rows[:, None] - rows[None]) ** 2).sum(axis=2))
    members = np.eye(4)[rng.integers(0, 4, 30)]
    splits = (rng.random((30, 5)) < 0.5).astype(float)
    found, inside, reach = kernel_sums(lambda a, b: kernel[a, b].copy(), members, splits, size=size)
    off = kernel - np.eye(30)
    assert_allclose(found, members.T @ off @ members, rtol=1e-12)
    assert_allclose(inside, np.einsum("ns,nm,ms->s", splits, off, splits), rtol=1e-12)
    assert_allclose(reach, splits.T @ off.sum(axis=1), rtol=1e-12)
