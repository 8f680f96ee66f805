import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.gaps._clouds import Clouds
from alignkit.gaps.uniformity import Uniformity, uniformity


def kernel(a, b):
    a, b = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (a, b))
    return np.exp(-2 * ((a[:, None] - b[None]) ** 2).sum(axis=2))


def test_each_side_and_across_equal_the_sums_over_all_pairs_without_partners():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)), rng.normal(size=(45, 4))
    links = np.array([[0, 0], [0, 1], [3, 7], [29, 44]])
    found = Uniformity().values_of(Clouds.paired(x, y, links))
    apart = np.ones((30, 45), dtype=bool)
    apart[tuple(links.T)] = False
    off = ~np.eye(30, dtype=bool)
    assert found["source"] == pytest.approx(np.log(kernel(x, x)[off].mean()))
    assert found["across"] == pytest.approx(np.log(kernel(x, y)[apart].mean()))
    assert Uniformity().measure_parts(x, y)["across"] == pytest.approx(np.log(kernel(x, y).mean()))
    assert uniformity(y) == pytest.approx(found["target"])


def test_a_sphere_is_more_even_than_a_cone_and_a_point_least():
    rows = np.random.default_rng(1).normal(size=(200, 32))
    assert uniformity(rows) < uniformity(rows + 1) < uniformity(rows + 10) < 0
    assert uniformity(np.ones((5, 3))) == pytest.approx(0, abs=1e-12)
    with pytest.raises(DataError, match="two rows or more, got 1"):
        uniformity(rows[:1])
