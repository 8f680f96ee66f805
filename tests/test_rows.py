"""Shards laid end to end behave as the one array that they stand for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignkit.rows import ChosenRows, Rows, ShardedRows, computing_dtype

WHOLE = np.random.default_rng(0).normal(size=(37, 3))


def sharded(cuts: list[int]) -> ShardedRows:
    return ShardedRows(np.split(WHOLE, sorted(cuts)))


CUTS = st.lists(st.integers(0, 37), max_size=6)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    cuts=CUTS, start=st.integers(-50, 50), stop=st.integers(-50, 50), step=st.sampled_from([1, 2, 5, -1, -3])
)
def test_every_slice_is_that_of_the_whole(cuts, start, stop, step):
    np.testing.assert_array_equal(sharded(cuts)[start:stop:step], WHOLE[start:stop:step])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(cuts=CUTS, picked=st.lists(st.integers(0, 36), max_size=20))
def test_any_rows_in_any_order_are_those_of_the_whole(cuts, picked):
    chosen = np.array(picked, dtype=np.int64)
    np.testing.assert_array_equal(sharded(cuts)[chosen], WHOLE[chosen])
    mask = np.isin(np.arange(37), chosen)
    np.testing.assert_array_equal(sharded(cuts)[mask], WHOLE[mask])


def test_a_slice_inside_one_shard_is_a_view():
    shards = sharded([10, 20])
    assert np.shares_memory(shards[11:19], WHOLE)
    assert not np.shares_memory(shards[5:15], WHOLE)


def test_arrays_and_shards_are_rows():
    shards = sharded([5])
    assert (len(shards), shards.shape, shards.dtype) == (37, (37, 3), WHOLE.dtype)
    assert isinstance(shards, Rows)
    assert isinstance(WHOLE, Rows)
    assert not isinstance([1, 2], Rows)


def test_parts_that_do_not_fit_are_refused():
    for other in (np.zeros((2, 4)), np.zeros((2, 3), np.float32)):
        with pytest.raises(ValueError, match="share their width and dtype"):
            ShardedRows([WHOLE, other])


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "i1", "u2", "i4"])
def test_the_computing_type_holds_every_stored_number(dtype):
    kind = np.dtype(dtype)
    info = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
    for value in (info.min, info.max):
        assert int(computing_dtype(kind).type(kind.type(value))) == int(value)


def test_chosen_rows_are_read_when_asked_for():
    rows = np.arange(20.0).reshape(10, 2)
    chosen = ChosenRows(rows, np.array([7, 2, 5]))
    assert (len(chosen), chosen.shape, chosen.dtype) == (3, (3, 2), np.float64)
    np.testing.assert_array_equal(chosen[1:], rows[[2, 5]])
    np.testing.assert_array_equal(chosen[np.array([2, 0])], rows[[5, 7]])
    rows[7] = -1
    np.testing.assert_array_equal(chosen[:1], [[-1, -1]])
