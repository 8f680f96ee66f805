import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._products import product_replicas
from alignkit.gaps.linear_cka import LinearCka, linear_cka


def by_kernels(x, y):
    """Return the unbiased and the plain CKA through n x n matrices, as they are written down."""
    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))
    n = len(x)

    def unbiased(k, m):
        k, m = (part - np.diag(np.diag(part)) for part in (k, m))
        one = np.ones(n)
        ends = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
        return np.trace(k @ m) + ends - 2 / (n - 2) * (one @ k @ m @ one)

    def plain(k, m):
        h = np.eye(n) - 1 / n
        return np.trace(k @ h @ m @ h)

    k, m = x @ x.T, y @ y.T
    sizes = np.sqrt(unbiased(k, k) * unbiased(m, m)) / (n * (n - 3))
    return [f(k, m) / np.sqrt(f(k, k) * f(m, m)) for f in (unbiased, plain)], sizes


def test_it_equals_the_peers_figures_and_the_kernels(peers):
    for x, y, answers in peers:
        found = LinearCka().measure_parts(x, y)
        expected, size = by_kernels(x, y)
        assert_allclose(list(found.values()), expected, atol=1e-10)
        assert found["biased"] == pytest.approx(answers["platonic_cka{}"], abs=1e-6)
        theirs = found[""] * size / (size + 1e-6)  # the peer adds 1e-6 to the denominator
        assert theirs == pytest.approx(answers["platonic_unbiased_cka{}"], abs=1e-6)


def test_every_replica_equals_the_measure_of_its_own_rows():
    x, y = np.random.default_rng(0).normal(size=(2, 50, 6)) + 1
    clouds = Clouds.paired(x, y)
    found = product_replicas(clouds, seed=2)
    blocks = item_blocks(clouds, 20, seed=2)[0]
    for block, read in enumerate(found.left_out):
        assert LinearCka()._of(read)[""] == pytest.approx(
            linear_cka(x[blocks != block], y[blocks != block]), abs=1e-10
        )


@pytest.mark.parametrize("dim", [4, 60])
def test_the_closed_null_level_is_that_of_permuted_pairs(dim):
    rng = np.random.default_rng(dim)
    x = rng.normal(size=(50, dim)) + 0.3
    y = x + rng.normal(size=x.shape)
    drawn = [LinearCka().measure_parts(x, y[rng.permutation(50)]) for _ in range(400)]
    for part, score in LinearCka().scores(Clouds.paired(x, y)).items():
        values = np.array([one[part] for one in drawn])
        assert score.chance == pytest.approx(values.mean(), abs=4 * values.std() / 20)
        assert (score.chance_high - score.chance_low) / 3.92 == pytest.approx(values.std(), rel=0.15)


def test_a_rotation_and_a_constant_gap_change_nothing_before_rows_are_made_unit():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(80, 10))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    rotation = np.linalg.qr(rng.normal(size=(10, 10)))[0]
    assert linear_cka(x, x @ rotation) == pytest.approx(1, abs=1e-12)


def test_unrelated_rows_score_zero_only_without_bias():
    x, y = np.random.default_rng(4).normal(size=(2, 60, 100))
    found = LinearCka().scores(Clouds.paired(x, y))
    assert found[""].low < 0 < found[""].high
    assert found["biased"].value > 0.5
    assert found["biased"].chance_low <= found["biased"].value <= found["biased"].chance_high


def test_of_several_partners_one_is_drawn():
    x, y = np.random.default_rng(5).normal(size=(2, 40, 8))
    links = np.stack([np.repeat(np.arange(8), 5), np.arange(40)], axis=1)
    score = LinearCka().scores(Clouds.paired(x[:8], y, links))[""]
    assert score.n == 8
