import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.search.compose import slerp, weighted_sum


def units(seed: int, n: int = 20, d: int = 6) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, d))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_sum_weighs_directions_whatever_their_lengths():
    a, b = units(0), units(1)
    wanted = 0.7 * a - 0.4 * b
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    np.testing.assert_allclose(weighted_sum([3 * a, 0.1 * b], [0.7, -0.4]), wanted, atol=1e-6)
    np.testing.assert_allclose(weighted_sum([a], [2.5]), a, atol=1e-6)


@pytest.mark.parametrize("t", [0.0, 0.2, 0.5, 1.0])
def test_an_arc_is_walked_at_one_speed(t: float):
    a, b = units(0), units(1)
    found = slerp(a, 7 * b, t).astype(float)
    whole = np.arccos((a * b).sum(axis=1))
    np.testing.assert_allclose(np.arccos(np.clip((a * found).sum(axis=1), -1, 1)), t * whole, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(slerp(a, a, t), a, atol=1e-6)
    near = a + 1e-9 * b
    np.testing.assert_allclose(slerp(a, near, t), a, atol=1e-6)


def test_what_points_nowhere_is_refused_and_named():
    a, b = units(0), units(1)
    b[3] = -a[3]
    with pytest.raises(DataError, match="the parts of query 3 cancel out"):
        weighted_sum([a, b], [1, 1])
    with pytest.raises(DataError, match="the two parts of query 3 are opposite"):
        slerp(a, b, 0.5)
    b[5] = 0
    with pytest.raises(DataError, match="row 5 of part 1 has no direction"):
        weighted_sum([a, b], [1, 1])
    for weights in ([1], [0, 0], [1, np.inf]):
        with pytest.raises(ParameterError, match="one number, not all 0"):
            weighted_sum([a, b], weights)
    with pytest.raises(DataError, match=r"shapes \(20, 6\), \(19, 6\)"):
        weighted_sum([a, b[1:]], [1, 1])
    with pytest.raises(ParameterError, match="a share from 0 to 1"):
        slerp(a, b, 1.5)
