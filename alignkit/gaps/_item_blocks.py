"""Deal the items of two clouds into blocks that leave together; nothing is ever drawn twice."""

import numpy as np

from alignkit.gaps._clouds import Clouds
from alignkit.shapes import Labels


def item_blocks(clouds: Clouds, blocks: int, seed: int) -> tuple[Labels, Labels]:
    """Deal the items into ``blocks`` of equal size and return the block of each row of x and of y.

    Unpaired sides are dealt alike, so exchanging them changes nothing.
    """
    if clouds.links is None:
        x_blocks, y_blocks = (_dealt(len(rows), blocks, seed) for rows in (clouds.x, clouds.y))
        return x_blocks, y_blocks
    items, position = np.unique(np.concatenate([clouds.x_items, clouds.y_items]), return_inverse=True)
    dealt = _dealt(len(items), blocks, seed)[position]
    return dealt[: len(clouds.x)], dealt[len(clouds.x) :]


def _dealt(count: int, blocks: int, seed: int) -> Labels:
    return np.random.default_rng([seed, 2]).permutation(np.arange(count) % blocks)
