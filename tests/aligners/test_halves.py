import numpy as np
import pytest
from numpy.testing import assert_array_equal

from alignkit.aligners._halves import widen


def widened(rows):
    out = np.full(rows.shape, 7.0)
    widen(rows, out, np.empty((len(rows) + 3, rows.shape[1]), np.int32))
    return out


def test_every_finite_half_is_the_number_that_numpy_says():
    every = np.arange(65536, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)].reshape(-1, 16)
    assert_array_equal(widened(finite), finite.astype(np.float64))
    assert_array_equal(np.signbit(widened(finite)), np.signbit(finite))


@pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_so(value):
    rows = np.ones((4, 3), np.float16)
    rows[2, 1] = value
    assert_array_equal(widened(rows), rows.astype(np.float64))


@pytest.mark.parametrize("dtype", [">f2", "f4", ">f4", "f8", "i1", "i4"])
def test_other_types_are_converted_as_ever(dtype):
    rows = np.arange(-6, 6).reshape(4, 3).astype(dtype)
    assert_array_equal(widened(rows), rows.astype(np.float64))
    assert_array_equal(widened(rows[::-1, ::2]), rows[::-1, ::2].astype(np.float64))


def test_rows_that_do_not_lie_together_are_converted_too():
    rows = np.random.default_rng(0).normal(size=(10, 8)).astype(np.float16)
    assert_array_equal(widened(rows[::2, 1::3]), rows[::2, 1::3].astype(np.float64))
    assert_array_equal(widened(rows[:0]), np.empty((0, 8)))
