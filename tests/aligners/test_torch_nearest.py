import numpy as np
import pytest

from alignkit.aligners import _torch_nearest
from alignkit.aligners._both_nearest import nearest, nearest_both
from alignkit.aligners._csls import csls
from alignkit.aligners._torch_nearest import TorchProducts
from alignkit.aligners.rcsls import Rcsls
from alignkit.aligners.refinement import Refinement
from alignkit.devices import import_torch, on_device
from alignkit.errors import DataError


def unit(V):
    lengths = np.linalg.norm(V, axis=1, keepdims=True)
    return (V / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def whole_numbers(n, m, d, seed, *, values=3):
    """Return small whole numbers: every product is exact in any order of summation, and many are equal."""
    rng = np.random.default_rng(seed)
    return tuple(rng.integers(-values, values + 1, (rows, d)).astype(np.float32) for rows in (n, m))


def both_ways(work):
    with on_device("torch-cpu"):
        found = work()
    return found, work()


@pytest.fixture(autouse=True)
def narrow_tiles(monkeypatch):
    monkeypatch.setattr(_torch_nearest, "PANEL", 256)  # so that small worlds have many tiles


@pytest.mark.parametrize(
    ("n", "m", "d", "k"), [(700, 900, 8, 10), (900, 350, 3, 32), (5, 4, 2, 10), (1, 1, 1, 1)]
)
@pytest.mark.parametrize("values", [1, 50])
def test_numpy_finds_the_same_in_both_directions_also_among_ties(n, m, d, k, values):
    A, B = whole_numbers(n, m, d, seed=n + k, values=values)
    found, expected = both_ways(lambda: nearest_both(A, B, k, tile=1 << 16))
    for ours, theirs in zip(found, expected, strict=True):
        assert np.array_equal(ours.indices, theirs.indices)
        assert np.array_equal(ours.scores, theirs.scores)
    alone, _ = both_ways(lambda: nearest(A, B, k, tile=1 << 16))
    assert np.array_equal(alone.indices, found[0].indices)


def test_lines_whose_scores_are_all_equal_keep_the_lowest_indices():
    A, B = np.ones((300, 4), np.float32), np.ones((500, 4), np.float32)
    with on_device("torch-cpu"):
        rows, columns = nearest_both(A, B, 7, tile=1 << 14)
    assert (rows.indices == np.arange(7)).all()
    assert (columns.indices == np.arange(7)).all()


@pytest.mark.parametrize("values", [1, 50])
def test_csls_of_exact_products_is_numpys_to_the_last_bit(values):
    A, B = whole_numbers(700, 900, 6, seed=0, values=values)
    found, expected = both_ways(lambda: csls(A, B, tile=1 << 18))
    for side in ("targets", "sources"):
        assert np.array_equal(getattr(found, side).indices, getattr(expected, side).indices)
        assert np.array_equal(getattr(found, side).cosines, getattr(expected, side).cosines)
    assert np.array_equal(found.source_means, expected.source_means)
    assert np.array_equal(found.target_means, expected.target_means)
    nearest_alone = (A @ B.T).argmax(axis=1)
    assert (found.targets.indices != nearest_alone).mean() > 0.1  # the criterion was not left out


def test_random_rows_agree_to_rounding():
    rng = np.random.default_rng(1)
    A, B = (unit(rng.normal(size=(n, 25))) for n in (800, 1200))
    found, expected = both_ways(lambda: csls(A, B))
    assert np.allclose(found.target_means, expected.target_means, atol=1e-6)
    assert np.allclose(found.targets.cosines, expected.targets.cosines, atol=1e-6)
    assert (found.targets.indices == expected.targets.indices).mean() > 0.999


@pytest.mark.parametrize("make", [lambda: Refinement(rounds=5), lambda: Rcsls(steps=5)])
@pytest.mark.parametrize("seed", range(3))
def test_a_whole_fit_gives_one_map_on_either_device(make, seed):
    rng = np.random.default_rng(seed)
    X, Q = rng.normal(size=(600, 16)), np.linalg.qr(rng.normal(size=(16, 16)))[0]
    Y = X @ Q + 0.35 * rng.normal(size=X.shape)
    links = np.stack([np.arange(60)] * 2, axis=1)
    found, expected = both_ways(lambda: make().fit_vocabulary(X, Y, links))
    assert np.abs(found.matrix_ - expected.matrix_).max() < 1e-5
    assert np.allclose(found.history_, expected.history_, atol=1e-5)


def test_products_are_whole_float32_and_the_callers_setting_returns(monkeypatch):
    torch = import_torch("this test")
    seen, tiles = [], TorchProducts._tiles

    def watched(self):
        for tile in tiles(self):
            seen.append(torch.backends.cuda.matmul.fp32_precision)
            yield tile

    monkeypatch.setattr(TorchProducts, "_tiles", watched)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")  # what a training script may have set: 8 digits of 24
    try:
        assert torch.backends.cuda.matmul.fp32_precision == "tf32"
        with on_device("torch-cpu"):
            nearest(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32), 1)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    assert seen == ["ieee"]


def test_a_full_card_is_told_in_one_sentence(monkeypatch):
    torch = import_torch("this test")

    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(TorchProducts, "_tiles", full)
    with on_device("torch-cpu"), pytest.raises(DataError, match="too little memory for 3 and 4 rows: free"):
        nearest_both(np.ones((3, 2), np.float32), np.ones((4, 2), np.float32), 2)
