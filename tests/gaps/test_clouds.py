import gc
import weakref

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError
from alignkit.gaps._clouds import Clouds, unit_rows
from alignkit.gaps._measure_all import measure_clouds


def test_rows_of_any_length_keep_their_direction():
    assert_allclose(unit_rows(np.full((3, 4), 1e-200)), 0.5)
    assert_allclose(unit_rows(np.full((3, 4), 1e200)), 0.5)
    assert unit_rows(np.full((3, 4), 3, np.float16)).dtype == np.float32


def test_rows_without_a_direction_are_named():
    rows = np.eye(4)
    rows[2] = 0
    with pytest.raises(DataError, match="sounds: row 2 is all zeros"):
        unit_rows(rows, "sounds")


def test_rows_that_share_a_partner_or_a_group_are_one_item():
    links = np.array([[0, 0], [0, 1], [1, 2], [2, 3]])
    clouds = Clouds.paired(np.eye(5)[:3], np.eye(5)[:4], links)
    assert clouds.n_items == 3
    assert clouds.y_items[0] == clouds.y_items[1] == clouds.x_items[0]
    grouped = Clouds.paired(np.eye(5)[:3], np.eye(5)[:4], links, groups=np.array([7, 7, 9, 9]))
    assert grouped.n_items == 2
    assert grouped.x_items[1] == grouped.x_items[2]


def test_a_sample_holds_whole_items_and_numbers_them_anew():
    rng = np.random.default_rng(0)
    links = np.stack([np.repeat(np.arange(50), 5), np.arange(250)], axis=1)
    whole = Clouds.paired(rng.normal(size=(50, 3)), rng.normal(size=(250, 3)), links)
    part = whole.sample(100, seed=1)
    assert len(part.y) == 100
    assert len(part.x) == part.n_items == 20
    assert np.array_equal(np.bincount(part.y_items), np.full(20, 5))
    assert whole.sample(250, seed=1) is whole


def test_clouds_are_freed_as_soon_as_nobody_holds_them():
    x, y = np.random.default_rng(0).normal(size=(2, 60, 4))
    clouds = Clouds.paired(x, y)
    measure_clouds(clouds)
    gone = weakref.ref(clouds.x)
    gc.disable()  # what only the collector finds stays for long: large arrays, few objects
    try:
        del clouds
        assert gone() is None
    finally:
        gc.enable()
