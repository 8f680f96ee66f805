import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.retrieval.positives import Positives
from alignkit.retrieval.scores import SMALL, MatrixScores, ProductScores
from alignkit.retrieval.vectors import prepare


@pytest.mark.parametrize("d", [1, 64, 300, 512, 513, 2048, 5000])
def test_no_product_is_small_enough_for_another_inner_loop(d: int):
    x = np.ones((20, d), np.float32)
    source = ProductScores(*prepare(x, x, "cosine"))
    assert source.least**2 * source.left.dim > SMALL
    assert source.least % 16 == 0


@pytest.mark.parametrize("d", [7, 512, 513])
def test_small_products_and_tiles_agree_to_the_last_bit(d: int):
    rng = np.random.default_rng(d)
    x, y = (rng.standard_normal((n, d)).astype(np.float32) for n in (200, 300))
    source = ProductScores(*prepare(x, y, "cosine"))
    positives = Positives.from_links(rng.integers(0, [200, 300], (500, 2)), 200, 300)
    block, panel = source.block(0, 200, (0, 300)), source.panel(0, 300)
    out = np.empty((len(block), 304), np.float32)
    source.tile(block, panel, slice(0, 304), out)
    assert np.array_equal(source.of(positives), out[positives.queries, positives.indices])


def test_a_matrix_hands_out_its_own_numbers():
    scores = np.arange(30.0).reshape(5, 6)
    source = MatrixScores(scores)
    out = np.zeros((16, 16))
    source.tile(source.block(1, 4, (2, 6)), source.panel(2, 6), slice(0, 16), out)
    assert np.array_equal(out[:3, :4], scores[1:4, 2:6])
    positives = Positives.from_links(np.array([[0, 5], [4, 0]]), 5, 6)
    assert source.of(positives).tolist() == [5.0, 24.0]


def test_half_precision_and_integers_become_exact_floats():
    assert MatrixScores(np.ones((2, 2), np.float16)).dtype == np.float32
    assert MatrixScores(np.ones((2, 2), np.int32)).dtype == np.float64
    with pytest.raises(DataError, match="complex"):
        MatrixScores(np.ones((2, 2), complex))
