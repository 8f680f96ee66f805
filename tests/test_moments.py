import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.devices import on_device
from alignkit.errors import DataError, ParameterError
from alignkit.moments import Moments
from alignkit.rows import ShardedRows


def pairs(n=300, ds=5, dt=3, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, ds)) + shift, rng.normal(size=(n, dt)) - shift, rng.uniform(0.1, 3, n)


def centred(X, Y, w):
    x, y = X - np.average(X, axis=0, weights=w), Y - np.average(Y, axis=0, weights=w)
    return (x.T * w) @ x, (x.T * w) @ y, (y.T * w) @ y


@pytest.mark.parametrize("parts", ["all", "cross"])
def test_weighted_products_equal_the_textbook_formula(parts):
    X, Y, w = pairs()
    m = Moments.from_arrays(X, Y, w, parts=parts)
    xx, xy, yy = centred(X, Y, w)
    assert_allclose(m.xy, xy, atol=1e-10)
    assert_allclose(m.mean_x, np.average(X, axis=0, weights=w))
    assert_allclose(m.cross_about_origin(), (X.T * w) @ Y, atol=1e-10)
    assert (m.n, m.weight) == (300, pytest.approx(w.sum()))
    if parts == "all":
        assert_allclose(m.xx, xx, atol=1e-10)
        assert_allclose(m.yy, yy, atol=1e-10)
        both = np.cov(X.T, Y.T, aweights=w, ddof=0)
        d = X.shape[1]
        assert_allclose(m.cov_xx, np.cov(X.T, aweights=w, ddof=0), atol=1e-10)
        assert_allclose(m.cov_xy, both[:d, d:], atol=1e-10)
        assert_allclose(m.cov_yy, both[d:, d:], atol=1e-10)


def test_a_cloud_far_from_the_origin_loses_no_digits():
    X, Y, _ = pairs(n=5000, shift=1e6)
    m = Moments.from_blocks([(X[:10], Y[:10]), (X[10:4000], Y[10:4000]), (X[4000:], Y[4000:])])
    assert_allclose(m.xx, centred(X, Y, np.ones(len(X)))[0], rtol=1e-8, atol=1e-4)
    naive = X.T @ X - len(X) * np.outer(X.mean(axis=0), X.mean(axis=0))
    assert np.abs(naive - m.xx).max() > 1  # what cancellation would have done


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=6), st.integers(0, 5))
def test_blocks_of_any_sizes_in_any_order_merge_to_the_same_moments(sizes, seed):
    X, Y, w = pairs(n=sum(sizes) + 2, seed=seed, shift=3.0)
    cuts = np.cumsum(sizes)
    parts = [
        Moments.from_arrays(*block)
        for block in zip(*(np.split(side, cuts) for side in (X, Y, w)), strict=True)
    ]
    whole = Moments.from_arrays(X, Y, w)
    merged = parts[-1]
    for index in np.random.default_rng(seed).permutation(len(parts) - 1):
        merged = merged + parts[index]
    for name in ("xx", "xy", "yy", "mean_x", "mean_y"):
        assert_allclose(getattr(merged, name), getattr(whole, name), rtol=1e-10, atol=1e-10)
    assert merged.n == whole.n


def test_taking_a_fold_away_leaves_the_moments_of_the_rest():
    X, Y, w = pairs(shift=2.0)
    rest = Moments.from_arrays(X, Y, w).without(Moments.from_arrays(X[:100], Y[:100], w[:100]))
    expected = Moments.from_arrays(X[100:], Y[100:], w[100:])
    for name in ("xx", "xy", "yy", "mean_x", "mean_y", "weight", "n"):
        assert_allclose(getattr(rest, name), getattr(expected, name), rtol=1e-10, atol=1e-9)


def test_memory_maps_and_shards_of_half_precision_equal_the_array(tmp_path):
    X, Y, _ = pairs(n=5000)
    X, Y = X.astype(np.float16), Y.astype(np.float16)
    np.save(tmp_path / "x.npy", X)
    mapped = Moments.from_arrays(np.load(tmp_path / "x.npy", mmap_mode="r"), ShardedRows([Y[:77], Y[77:]]))
    assert_allclose(mapped.xy, Moments.from_arrays(X.astype(float), Y.astype(float)).xy, rtol=1e-12)


def test_whole_weights_count_rows_and_a_weight_of_nothing_drops_one():
    X, Y, _ = pairs(n=50)
    times = np.arange(50) % 3
    weighted = Moments.from_arrays(X, Y, times.astype(float))
    repeated = Moments.from_arrays(np.repeat(X, times, axis=0), np.repeat(Y, times, axis=0))
    assert_allclose(weighted.xy, repeated.xy, atol=1e-12)


@pytest.mark.parametrize(("value", "words"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "inf")])
def test_the_first_row_that_is_not_finite_is_named(value, words):
    X, Y, _ = pairs(n=5000)
    Y[4321, 1] = value
    with pytest.raises(DataError, match=rf"target row 4321 holds.*{words}"):
        Moments.from_arrays(X, Y)


def test_what_does_not_fit_together_is_refused():
    X, Y, w = pairs()
    with pytest.raises(DataError, match="side by side"):
        Moments.from_arrays(X, Y[:-1])
    with pytest.raises(DataError, match="no block"):
        Moments.from_blocks([])
    with pytest.raises(DataError, match="row 3 has weight -1"):
        Moments.from_arrays(X, Y, np.where(np.arange(300) == 3, -1, w))
    m = Moments.from_arrays(X, Y)
    with pytest.raises(ParameterError, match="some must remain"):
        m.without(m)
    with pytest.raises(ParameterError, match="do not add"):
        m.merge(Moments.from_arrays(X, Y, parts="cross"))
    with pytest.raises(ParameterError, match="cross-products only"):
        _ = Moments.from_arrays(X, Y, parts="cross").xx


def test_columns_that_never_vary_are_zero_about_their_mean():
    """What rounding leaves of them must not be whitened or divided by."""
    rng = np.random.default_rng(0)
    X = np.hstack([rng.normal(size=(3000, 2)), np.full((3000, 2), [0.1, 1e6 / 3])])
    moments = Moments.from_arrays(X, X[:, ::-1], rng.uniform(0.1, 1, 3000)).centered()
    assert_array_equal(np.diag(moments.xx) > 0, [True, True, False, False])
    assert_array_equal(moments.xy[2:], 0)
    assert_array_equal(moments.yy[:2], 0)


@pytest.mark.parametrize("parts", ["all", "cross"])
def test_products_of_a_torch_device_are_those_of_numpy(parts):
    X, Y, w = pairs(n=5000, shift=1e3)
    expected = Moments.from_arrays(X, Y, w, parts=parts)
    halves = [(X[:1700], Y[:1700], w[:1700]), (X[1700:], Y[1700:], w[1700:])]
    with on_device("torch-cpu"):
        there = Moments.from_blocks(halves, parts=parts)
        begun = Moments.from_arrays(*halves[0], parts=parts)
    begun.update(*halves[1])  # goes on with numpy
    with on_device("torch-cpu"):
        begun = begun.merge(Moments.from_arrays(X[:9], Y[:9], w[:9], parts=parts))
    begun = begun.without(Moments.from_arrays(X[:9], Y[:9], w[:9], parts=parts))
    for found in (there, begun, there.copy()):
        names = ("mean_x", "mean_y", "xy", "cov_xy") if parts == "cross" else ("xx", "xy", "yy", "cov_yy")
        for name in names:
            assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-9, atol=1e-7)
        assert (found.n, found.weight) == (5000, pytest.approx(w.sum()))
