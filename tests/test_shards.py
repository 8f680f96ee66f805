import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.aligners.least_squares import LeastSquares
from alignkit.aligners.procrustes import Procrustes
from alignkit.errors import DataError, ParameterError
from alignkit.moments import Moments
from alignkit.shards import ShardMoments

NAMES = ("xx", "xy", "yy", "mean_x", "mean_y", "weight", "n")


def pairs(n=400, ds=6, dt=4, seed=0, shift=2.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, ds)) + shift
    return X, X @ rng.normal(size=(ds, dt)) + rng.normal(size=(n, dt)), rng.uniform(0.1, 3, n)


def collection(shards=8, parts="all", **world):
    X, Y, w = pairs(**world)
    return ShardMoments.from_arrays(X, Y, w, labels=np.arange(len(X)) % shards, parts=parts)


def assert_same_moments(found, expected, names=NAMES, **tolerance):
    for name in names:
        assert_allclose(getattr(found, name), getattr(expected, name), **({"rtol": 1e-11} | tolerance))


@pytest.mark.parametrize("parts", ["all", "cross"])
def test_all_shards_together_are_the_moments_of_all_rows(parts):
    X, Y, w = pairs()
    whole, expected = collection(parts=parts).total(), Moments.from_arrays(X, Y, w)
    assert_same_moments(whole.moments, expected, NAMES if parts == "all" else ("xy", *NAMES[3:]), atol=1e-9)
    assert_allclose(whole.spreads, [np.trace(expected.xx), np.trace(expected.yy)])


def test_counts_leave_shards_out_and_repeat_them():
    X, Y, w = pairs()
    counts = np.array([0, 1, 3, 0, 2, 1, 0, 1])
    times = counts[np.arange(len(X)) % 8]
    expected = Moments.from_arrays(X, Y, w * times)
    found = collection().pooled(counts)
    assert_same_moments(found.moments, expected, ("xx", "xy", "yy", "mean_x", "mean_y", "weight"), atol=1e-9)
    assert found.moments.n == times.sum()
    assert_allclose(found.spreads[0], np.trace(expected.xx))


def test_leaving_a_fold_out_gives_the_map_of_the_rest():
    X, Y, w = pairs()
    shards = collection()
    fold_of = shards.deal(4, seed=1)
    assert_array_equal(np.bincount(fold_of), [2, 2, 2, 2])
    for fold in range(4):
        rest = np.isin(np.arange(len(X)) % 8, np.flatnonzero(fold_of != fold))
        ours = LeastSquares(normalize="center").from_moments(shards.pooled(fold_of != fold).moments)
        theirs = LeastSquares(normalize="center").fit(X[rest], Y[rest], w[rest])
        assert_allclose(ours.matrix_, theirs.matrix_, atol=1e-10)
    assert np.abs(ours.matrix_ - LeastSquares(normalize="center").fit(X, Y, w).matrix_).max() > 1e-4


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1e4))
def test_merging_in_any_order_gives_the_same_map(seed, shift):
    """To the bit where labels differ; to 1e-10 where several parts hold pairs of one shard."""
    X, Y, w = pairs(n=240, seed=seed % 7, shift=shift)
    rng = np.random.default_rng(seed)
    apart = [
        ShardMoments.from_arrays(X[rows], Y[rows], w[rows], labels=np.full(len(rows), label))
        for label, rows in enumerate(np.array_split(np.arange(240), 6))
    ]
    mixed = [
        ShardMoments.from_arrays(X[rows], Y[rows], w[rows], labels=rows % 4)
        for rows in np.array_split(np.arange(240), 6)
    ]
    for parts, exact in ((apart, True), (mixed, False)):
        maps = []
        for order in (np.arange(6), rng.permutation(6)):
            merged = parts[order[0]]
            for index in order[1:]:
                merged = merged.merge(parts[index])
            maps.append(Procrustes(normalize="center").from_moments(merged.total().moments).matrix_)
        if exact:
            assert_array_equal(*maps)
        assert_allclose(*maps, atol=1e-10)


def test_a_far_cloud_loses_no_digits():
    near, far = (collection(shift=shift).total().moments for shift in (0.0, 1e6))
    assert_allclose(far.xx, near.xx, rtol=1e-6)
    X, _, w = pairs(shift=1e6)
    naive = (X.T * w) @ X - w.sum() * np.outer(*[np.average(X, axis=0, weights=w)] * 2)
    assert np.abs(naive - near.xx).max() > 10 * np.abs(far.xx - near.xx).max()


def test_what_was_stored_comes_back_to_the_bit():
    shards = collection()
    again = ShardMoments.from_state(shards.facts, shards.arrays())
    assert_array_equal(again.total().moments.xx, shards.total().moments.xx)
    with pytest.raises(DataError, match="lack the array spreads"):
        ShardMoments.from_state(shards.facts, {k: v for k, v in shards.arrays().items() if k != "spreads"})
    with pytest.raises(DataError, match="the array means of the shards has shape"):
        ShardMoments.from_state(shards.facts | {"source_dim": 7}, shards.arrays())


def test_samples_of_shards_have_as_many_as_there_are_and_follow_their_seed():
    shards = collection()
    counts = shards.draw(500, seed=3)
    assert_array_equal(counts.sum(axis=1), 8)
    assert_array_equal(counts, shards.draw(500, seed=3))
    assert (counts != shards.draw(500, seed=4)).any()
    assert_allclose(counts.mean(axis=0), 1, atol=0.2)


def test_what_does_not_fit_together_is_refused():
    X, Y, _ = pairs()
    shards = collection()
    for labels in ([], [1, 2, 1]):
        with pytest.raises(DataError, match="different labels"):
            ShardMoments.blank(labels, (6, 4), "all")
    with pytest.raises(DataError, match="3 labels for 400 pairs"):
        ShardMoments.from_arrays(X, Y, labels=np.zeros(3, int))
    with pytest.raises(ParameterError, match="do not add"):
        shards.merge(collection(parts="cross"))
    with pytest.raises(ParameterError, match="8 shards cannot be dealt into 9 folds"):
        shards.deal(9)
    with pytest.raises(ParameterError, match="no weight"):
        shards.pooled(np.zeros(8))
    for counts in (np.ones(7), -np.ones(8)):
        with pytest.raises(ParameterError, match="one number >= 0 for each"):
            shards.pooled(counts)
