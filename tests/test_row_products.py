import numpy as np
import pytest

from alignkit.row_products import row_distances, row_products
from alignkit.rows import ShardedRows


@pytest.mark.parametrize("d", [1, 2, 7, 513, 9001])  # the last is wider than numpy's buffer
@pytest.mark.parametrize("score", [row_products, row_distances])
def test_a_pair_scores_the_same_in_any_company(score, d):
    rng = np.random.default_rng(d)
    x, y = rng.standard_normal((2, 60, d)).astype(np.float32)
    i, j = rng.integers(0, 60, (2, 700))
    alone = np.concatenate([score(x, i[m : m + 1], y, j[m : m + 1]) for m in range(700)])
    assert np.array_equal(score(x, i, y, j), alone)
    for batch in (2, 3, 17, 255):
        parts = [slice(m, m + batch) for m in range(0, 700, batch)]
        assert np.array_equal(np.concatenate([score(x, i[part], y, j[part]) for part in parts]), alone)
    with np.errstate():
        np.setbufsize(16)
        assert np.array_equal(score(x, i, y, j), alone)


def test_whole_numbers_are_exact_and_stored_rows_of_any_kind_will_do():
    rng = np.random.default_rng(0)
    x, y = rng.integers(-100, 101, (2, 50, 30)).astype(np.float16)
    i, j = rng.integers(0, 50, (2, 200))
    shards = ShardedRows([y[:7], y[7:]])
    a, b = x.astype(int)[i], y.astype(int)[j]
    assert row_products(x, i, shards, j).tolist() == (a * b).sum(axis=1).tolist()
    assert row_distances(x, i, shards, j).tolist() == ((a - b) ** 2).sum(axis=1).tolist()


def test_distances_survive_where_products_cancel():
    x = np.full((1, 8), 1e6) + np.array([[0.0], [1e-4]])
    assert row_distances(x, np.array([0]), x, np.array([1])) == pytest.approx(8e-8, rel=1e-5)
    assert row_distances(x, np.array([1]), x, np.array([1])) == 0
