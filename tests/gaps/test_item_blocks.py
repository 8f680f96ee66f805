import numpy as np

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks


def test_partners_stand_in_one_block_and_blocks_are_of_one_size():
    rows = np.random.default_rng(0).normal(size=(60, 3))
    x_blocks, y_blocks = item_blocks(Clouds.paired(rows, rows), 20, seed=0)
    assert np.array_equal(x_blocks, y_blocks)
    assert np.array_equal(np.bincount(x_blocks), np.full(20, 3))
