"""The replayed selection is torch.topk's, position by position, where ties abound."""

import numpy as np
import pytest

from alignkit.retrieval.like._selection import topk_order


@pytest.mark.parametrize("seed", range(4))
def test_positions_are_those_of_torch_topk_whatever_ties(seed: int):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    for _ in range(300):
        n = int(rng.integers(1, 300))
        k = int(rng.integers(1, n + 1)) if rng.random() < 0.6 else min(n, int(rng.integers(1, 5)))
        scores = rng.integers(0, int(rng.integers(1, 12)), n).astype(np.float32)
        found = topk_order(scores.tolist(), k)
        assert found == torch.topk(torch.from_numpy(scores), k)[1].tolist(), (n, k)


@pytest.mark.parametrize(("n", "k"), [(4000, 10), (4000, 62), (4000, 63), (4000, 4000)])
def test_both_of_its_ways_agree_with_torch_on_long_rows(n: int, k: int):
    torch = pytest.importorskip("torch")
    for scores in (np.zeros(n, np.float32), np.random.default_rng(n + k).integers(0, 40, n) / np.float32(8)):
        wanted = torch.topk(torch.from_numpy(scores.astype(np.float32)), k)[1].tolist()
        assert topk_order(scores.tolist(), k) == wanted


def test_without_ties_it_is_a_sort():
    rng = np.random.default_rng(0)
    for n, k in ((1, 1), (2, 1), (17, 17), (500, 3), (500, 500)):
        scores = rng.permutation(n).astype(float)
        assert topk_order(scores.tolist(), k) == np.argsort(-scores)[:k].tolist()


def test_among_equals_it_is_no_stable_order():
    assert topk_order([0.5] * 4, 1) == [2]
    assert topk_order([0.5] * 6, 3) == [3, 5, 4]


def test_a_row_made_to_defeat_the_median_of_three_is_still_sorted():
    n = 2000
    half = np.arange(n // 2)
    killer = np.empty(n)  # Musser's sequence: quicksort by median of three takes quadratic time
    killer[: n // 2] = np.where(half % 2 == 0, half + 1, half + n // 2 + (half % 2))
    killer[n // 2 :] = 2 * (half + 1)
    for k in (n, n // 2, 40):
        found = topk_order((-killer).tolist(), k)
        assert [killer[i] for i in found] == sorted(killer)[:k]
