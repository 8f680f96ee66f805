"""Deal the items of two clouds into blocks that leave together; nothing is ever drawn twice."""

import numpy as np

from alignkit.gaps._clouds import Clouds
from alignkit.shapes import Labels
from alignkit.statistics.blocks import dealt


def item_blocks(clouds: Clouds, blocks: int, seed: int) -> tuple[Labels, Labels]:
    """Deal the items into ``blocks`` of equal size and return the block of each row of x and of y.

    Unpaired sides are dealt alike, so exchanging them changes nothing.
    """
    if clouds.links is None:
        x_blocks, y_blocks = (dealt(len(rows), blocks, [seed, 2]) for rows in (clouds.x, clouds.y))
        return x_blocks, y_blocks
    items, position = np.unique(np.concatenate([clouds.x_items, clouds.y_items]), return_inverse=True)
    found = dealt(len(items), blocks, [seed, 2])[position]
    return found[: len(clouds.x)], found[len(clouds.x) :]
