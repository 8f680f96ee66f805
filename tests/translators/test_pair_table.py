import numpy as np
import pytest
from numpy.testing import assert_array_equal

from alignkit.errors import DataError
from alignkit.testing import planted_rotation
from alignkit.translators import _pair_table
from alignkit.translators._pair_table import PairTable

ROTATED = planted_rotation(60, 5)[:2]


def by_row(n):
    return np.repeat(np.arange(n)[:, None], 2, axis=1)


def table(X, Y, links=None, weight=None, groups=None, steps="unit-center-unit"):
    return PairTable.of(X, Y, by_row(len(X)) if links is None else links, weight, groups, steps)


def test_the_order_is_of_the_content_and_repeated_pairs_are_weights():
    X, Y = ROTATED
    order, times = np.random.default_rng(0).permutation(60), np.arange(60) % 3
    plain = table(X, Y, weight=times.astype(float))
    mixed = table(np.repeat(X[order], times[order], axis=0), np.repeat(Y[order], times[order], axis=0))
    assert len(plain) == len(mixed) == 40
    assert_array_equal(plain.weight, mixed.weight)
    for one, other in zip(plain.batch(np.arange(40)), mixed.batch(np.arange(40)), strict=True):
        assert_array_equal(one, other)
    assert_array_equal(X[plain.numbers], X[plain.links[:, 0]])


def test_moving_the_clouds_leaves_the_order():
    X, Y = ROTATED
    for steps in ("center", "per-dim", "whiten"):
        here, there = table(X, Y, steps=steps), table(2 * X + 7, 2 * Y - 3, steps=steps)
        if steps == "center":
            there = table(X + 7, Y - 3, steps=steps)
        assert_array_equal(here.links, there.links)


def test_one_distinct_pair_is_refused():
    X, Y = ROTATED
    with pytest.raises(
        DataError, match=r"two distinct pairs or more, and 1 was given, in rows of 5 feature\(s\)"
    ):
        table(X[[0, 0, 0]], Y[[0, 0, 0]])
    with pytest.raises(DataError, match="and 0 was given"):
        table(X, Y, weight=np.zeros(60))


def test_what_is_held_out_shares_nothing_with_what_is_learnt_and_counts_a_group_once():
    X, Y = ROTATED
    links = np.stack([np.arange(60), np.arange(60) // 3], axis=1)  # three sources of every target
    whole = table(X, Y, links, groups=np.arange(60) // 6)
    learn, judged = whole.split(0.25, 100)
    assert set(whole.items[2][learn]).isdisjoint(whole.items[2][judged])
    assert len(set(whole.items[2][judged])) == len(judged) == 3  # of ten groups, dealt into four folds
    assert len(learn) == 42
    assert len(whole.split(0.25, 2)[1]) == 2
    assert_array_equal(whole.split(0.0, 100)[0], np.arange(60))
    together = table(X, Y, links, groups=np.zeros(60))
    assert len(together.split(0.25, 100)[1]) == 0


def test_rows_that_are_not_kept_in_memory_are_read_alike(monkeypatch):
    X, Y = ROTATED
    kept = table(X, Y)
    monkeypatch.setattr(_pair_table, "IN_MEMORY", 0)
    monkeypatch.setattr(_pair_table, "BLOCK", 7)
    read = table(X, Y)
    assert kept.kept is not None
    assert read.kept is None
    rows = np.array([5, 50, 7])
    for one, other in zip(kept.batch(rows), read.batch(rows), strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, atol=1e-7)
