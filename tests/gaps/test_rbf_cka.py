import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics.pairwise import rbf_kernel

from alignkit.gaps._clouds import Clouds
from alignkit.gaps.rbf_cka import RbfCka, rbf_cka


def test_the_biased_part_is_what_the_peer_answers(peers):
    for x, y, outputs in peers:
        expected = outputs["platonic_cka{'kernel_metric': 'rbf', 'rbf_sigma': 1.0}"]
        assert_allclose(RbfCka().measure_parts(x, y)["biased"], expected, atol=1e-6)


def unbiased_by_definition(first, second):
    """Average K_ij (L_ij + L_qr - 2 L_iq) over all (i, j, q, r) that differ (Song et al. 2012, eq. 4)."""
    n = len(first)
    i, j, q, r = (axis.ravel() for axis in np.indices((n, n, n, n)))
    apart = (i != j) & (i != q) & (i != r) & (j != q) & (j != r) & (q != r)
    i, j, q, r = i[apart], j[apart], q[apart], r[apart]
    return (first[i, j] * (second[i, j] + second[q, r] - 2 * second[i, q])).mean()


def test_the_value_averages_over_rows_that_all_differ():
    x, y = np.random.default_rng(0).normal(size=(2, 9, 3))
    x, y = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, y))
    first, second = rbf_kernel(x, gamma=0.5), rbf_kernel(y, gamma=0.5)
    shared, one, other = (
        unbiased_by_definition(*pair) for pair in ((first, second), (first, first), (second, second))
    )
    assert_allclose(rbf_cka(x, y), shared / np.sqrt(one * other), rtol=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_unrelated_rows_score_zero_without_bias_and_far_above_it_with(seed):
    x, y = np.random.default_rng(seed).normal(size=(2, 50, 64))
    scores = RbfCka().scores(Clouds.paired(x, y))
    assert abs(scores[""].value) < 0.1
    assert scores["biased"].value > 0.5
    for score in scores.values():
        assert score.chance_low <= score.value <= score.chance_high
    assert scores[""].low <= 0 <= scores[""].high


def test_related_rows_stand_out_of_the_null_band_wherever_the_sides_lie(planted):
    x, y = planted(1, gap=0.0)
    score = RbfCka().score(Clouds.paired(x, y))
    assert score.low > score.chance_high
    assert_allclose(rbf_cka(x, -y), score.value, rtol=1e-9)  # the poles apart
