import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.retrieval.exact.scores import MatrixScores, ProductScores
from alignkit.retrieval.exact.vectors import SIMILARITIES, Similarity, prepare


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("d", [1, 7, 513])
def test_tiles_lie_within_the_margin_of_the_exact_scores(d: int, similarity: Similarity):
    rng = np.random.default_rng(d)
    x, y = (rng.standard_normal((n, d)) * 10.0 ** rng.integers(-3, 4, (n, 1)) for n in (200, 304))
    source = ProductScores(*prepare(x.astype(np.float32), y.astype(np.float32), similarity))
    out = np.empty((208, 304), source.dtype)
    source.tile(source.block(0, 200, (0, 304)), source.panel(0, 304), slice(0, 304), out)
    query, item = np.divmod(np.arange(200 * 304), 304)
    error = np.abs(out[:200].astype(np.float64).ravel() - source.of(query, item))
    of_query, of_item = source.margins(source.dtype)
    assert (error <= np.minimum(of_query[query], of_item[item])).all()
    if source.dtype == np.float32:
        double = source.doubles(slice(0, 200), slice(0, 304))
        assert double is not None
        fine = source.margins(np.dtype(np.float64))[0]
        assert (np.abs(double.ravel() - source.of(query, item)) <= fine[query]).all()
        assert fine.max() < of_query.max() / 1e6


def test_exact_scores_are_right_to_the_last_digits_of_float64():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 40, 300)).astype(np.float32)
    source = ProductScores(*prepare(x, y, "cosine"))
    wide = [side.astype(np.longdouble) for side in (x, y)]
    lengths = np.sqrt((wide[0] ** 2).sum(axis=1)) * np.sqrt((wide[1] ** 2).sum(axis=1))
    wanted = (wide[0] * wide[1]).sum(axis=1) / lengths
    both = np.arange(40)
    assert np.abs(source.of(both, both) - wanted).max() < 2e-16


def test_a_matrix_hands_out_its_own_numbers():
    scores = np.arange(30.0).reshape(5, 6)
    source = MatrixScores(scores)
    out = np.zeros((16, 16))
    source.tile(source.block(1, 4, (2, 6)), source.panel(2, 6), slice(0, 16), out)
    assert np.array_equal(out[:3, :4], scores[1:4, 2:6])
    assert source.of(np.array([0, 4]), np.array([5, 0])).tolist() == [5.0, 24.0]


def test_half_precision_and_integers_become_exact_floats():
    assert MatrixScores(np.ones((2, 2), np.float16)).dtype == np.float32
    assert MatrixScores(np.ones((2, 2), np.int32)).dtype == np.float64
    with pytest.raises(DataError, match="complex"):
        MatrixScores(np.ones((2, 2), complex))
