import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.retrieval.exact.vectors import PreparedRows, prepare


@pytest.mark.parametrize("d", [1, 7, 63, 64, 513])
def test_equal_rows_are_prepared_equal_wherever_they_stand(d: int):
    rng = np.random.default_rng(d)
    row = rng.standard_normal(d).astype(np.float32)
    rows = rng.standard_normal((101, d)).astype(np.float32)
    rows[::3] = row
    prepared = PreparedRows(rows, "cosine", np.dtype(np.float32), name="x", gallery=False)
    block = prepared.block(slice(0, 101), 112)
    assert len(np.unique(block[:101:3], axis=0)) == 1
    assert not block[101:].any()
    np.testing.assert_allclose(np.linalg.norm(block[:101], axis=1), 1, rtol=1e-6)


def test_a_slice_and_row_numbers_prepare_the_same_rows():
    rows = np.random.default_rng(0).standard_normal((50, 20)).astype(np.float16)
    left, _ = prepare(rows, rows, "cosine")
    assert np.array_equal(left.block(slice(10, 20), 16), left.block(np.arange(10, 20), 16))


def test_the_euclidean_product_is_minus_the_squared_distance():
    x, y = np.random.default_rng(0).standard_normal((2, 30, 9))
    left, right = prepare(x, y, "euclidean")
    product = left.block(slice(0, 30), 32) @ right.block(slice(0, 30), 32).T
    np.testing.assert_allclose(product[:30, :30], -((x[:, None] - y[None]) ** 2).sum(axis=2), atol=1e-12)


@pytest.mark.parametrize(
    ("dtypes", "computed"),
    [
        ((np.float16, np.float32), np.float32),
        ((np.float32, np.float64), np.float64),
        ((np.int8, np.float16), np.float32),
        ((np.int64, np.float32), np.float64),
    ],
)
def test_both_sides_are_computed_in_a_type_that_holds_either(dtypes: tuple[type, type], computed: type):
    x, y = (np.ones((5, 3), dtype) for dtype in dtypes)
    assert {side.dtype for side in prepare(x, y, "cosine")} == {np.dtype(computed)}
    assert {side.dtype for side in prepare(x, y, "euclidean")} == {np.dtype(np.float64)}


def test_a_side_of_another_width_is_refused():
    with pytest.raises(DataError, match="3 dimensions and the gallery has 4"):
        prepare(np.ones((2, 3)), np.ones((2, 4)), "dot")
