"""Copies are found exactly: equal to the last bit, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignkit.duplicates import duplicate_labels


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=40),
    st.sampled_from(["f2", "f4", "f8", "i1"]),
    st.integers(1, 5),
)
def test_labels_are_the_position_of_the_first_copy(kinds, dtype, dim):
    table = np.random.default_rng(0).integers(-100, 100, (6, dim)).astype(dtype)
    table[:, 0] = np.arange(6)  # six different rows
    rows = table[kinds]
    assert duplicate_labels(rows).tolist() == [kinds.index(kind) for kind in kinds]


def test_bits_decide_not_values():
    zeros = np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, 1.0]])
    assert duplicate_labels(zeros).tolist() == [0, 1, 0]
    nans = np.array([[np.nan], [np.nan]])
    assert duplicate_labels(nans).tolist() == [0, 0]
    close = np.array([[1.0], [np.nextafter(1.0, 2)]])
    assert duplicate_labels(close).tolist() == [0, 1]


@pytest.mark.parametrize("layout", ["F", "strided", "mapped"])
def test_the_layout_in_memory_does_not_matter(layout, tmp_path):
    rows = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    rows[40] = rows[3]
    wanted = duplicate_labels(rows)
    if layout == "F":
        rows = np.asfortranarray(rows)
    elif layout == "strided":
        rows = np.repeat(rows, 2, axis=1)[:, ::2]
    else:
        np.save(tmp_path / "x.npy", rows)
        rows = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert duplicate_labels(rows).tolist() == wanted.tolist()
    assert wanted[40] == 3


def test_more_rows_than_are_summed_at_a_time_are_labelled():
    rows = np.arange(20_000, dtype=np.float32).reshape(10_000, 2)
    rows[9_999] = rows[0]
    labels = duplicate_labels(rows)
    assert labels[9_999] == 0
    assert (labels[:-1] == np.arange(9_999)).all()
    assert duplicate_labels(rows[:0]).tolist() == []


def test_equal_sums_of_different_rows_are_told_apart(monkeypatch):
    class Ones:
        def integers(self, low, high, size, dtype):
            return np.zeros(size, dtype)  # weights of 1: permuted words have equal sums

    monkeypatch.setattr(np.random, "default_rng", lambda seed: Ones())
    rows = np.array([[1, 2], [2, 1], [1, 2], [2, 1], [3, 0]], dtype=np.uint64)
    assert duplicate_labels(rows).tolist() == [0, 1, 0, 1, 4]
