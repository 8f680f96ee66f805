import numpy as np
import pytest

from alignkit.gaps import _kernel_sums
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._kernel_sums import kernel_replicas
from alignkit.gaps.mmd import Mmd, mmd


def by_hand(x, y):
    def kernel(a, b):
        return np.exp(-2 * ((a[:, None] - b[None]) ** 2).sum(axis=2))

    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))
    n, m = len(x), len(y)
    within = (kernel(x, x).sum() - n) / (n * (n - 1)) + (kernel(y, y).sum() - m) / (m * (m - 1))
    return within - 2 * kernel(x, y).mean()


@pytest.fixture
def sides():
    rng = np.random.default_rng(0)
    return rng.normal(size=(70, 5)), rng.normal(size=(50, 5)) + 0.4


@pytest.mark.parametrize("tile", [16, 1024])
def test_it_equals_the_sum_over_all_pairs_whatever_the_tiles(sides, monkeypatch, tile):
    monkeypatch.setattr(_kernel_sums, "TILE", tile)
    assert mmd(*sides) == pytest.approx(by_hand(*sides), abs=1e-12)


def test_every_replica_equals_the_measure_of_its_own_rows(sides, monkeypatch):
    monkeypatch.setattr(_kernel_sums, "TILE", 32)
    clouds = Clouds.unpaired(*sides)
    found = kernel_replicas(clouds, seed=1)
    blocks = item_blocks(clouds, 20, seed=1)
    for block, read in enumerate(found.left_out):
        kept = (side[own != block] for side, own in zip(sides, blocks, strict=True))
        assert Mmd()._of(read)[""] == pytest.approx(by_hand(*kept), abs=1e-12)
    for draw, read in enumerate(found.nulls):
        split = clouds.split(np.random.default_rng([1, 5, draw]))
        assert Mmd()._of(read)[""] == pytest.approx(by_hand(split.x, split.y), abs=1e-12)


def test_it_is_unbiased_where_there_is_no_gap():
    values = [mmd(*np.random.default_rng(seed).normal(size=(2, 25, 40))) for seed in range(100)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_its_interval_holds_zero_at_about_the_nominal_rate(coverage):
    assert 0.88 <= coverage("mmd").of_zero(seeds=100) <= 1.0


def test_beyond_five_thousand_rows_a_sample_is_measured():
    assert Mmd.most == 5_000
    x, y = np.random.default_rng(2).normal(size=(2, 120, 4))
    assert Mmd().scores(Clouds.unpaired(x, y), most=60)[""].n == 60
