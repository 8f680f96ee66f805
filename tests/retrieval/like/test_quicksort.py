"""The replayed quicksort is numba's, position by position, where ties abound."""

import numpy as np
import pytest

from alignkit.retrieval.like._quicksort import quicksort_order


@pytest.mark.parametrize("seed", range(3))
def test_positions_are_those_of_numbas_argsort(seed: int):
    numba = pytest.importorskip("numba")

    @numba.njit
    def argsort(values: np.ndarray) -> np.ndarray:
        return np.argsort(values)

    rng = np.random.default_rng(seed)
    for _ in range(200):
        n = int(rng.integers(1, 250))
        scores = rng.integers(0, int(rng.integers(1, 12)), n).astype(float)
        assert quicksort_order(scores.tolist()) == argsort(-scores).tolist()


def test_up_to_fifteen_items_equal_scores_keep_their_order_and_above_they_do_not():
    rng = np.random.default_rng(0)
    for n in range(1, 16):
        scores = rng.integers(0, 3, n).astype(float)
        assert quicksort_order(scores.tolist()) == np.argsort(-scores, kind="stable").tolist()
    assert quicksort_order([0.5] * 16) != list(range(16))
    assert sorted(quicksort_order([0.5] * 16)) == list(range(16))
