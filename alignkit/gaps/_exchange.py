"""Clouds without a gap whose partners still lie on different sides: what neighbours must be compared with.

A random split puts half of all partners on one side, where they are one another's nearest rows as no two
rows of the sides that were measured are.
"""

from collections.abc import Iterator

import numpy as np

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._replicas import NULLS
from alignkit.shapes import Mask
from alignkit.statistics.splits import first_of_two

EXCHANGES = "the sides of partners exchanged at random; unpaired: random splits of the pooled rows"


def first_side(clouds: Clouds, rng: np.random.Generator) -> Mask:
    """Return which of the pooled rows, x before y, make up the first of two sides without a gap."""
    if clouds.links is None:
        return first_of_two(len(clouds.x), len(clouds.y), rng)
    stays = rng.random(clouds.n_items) < 0.5
    return np.concatenate([stays[clouds.x_items], ~stays[clouds.y_items]])


def first_sides(clouds: Clouds, seed: int) -> Iterator[Mask]:
    """Yield the first sides of the replicas without a gap; unpaired, those of `split_clouds`."""
    for draw in range(NULLS):
        yield first_side(clouds, np.random.default_rng([seed, 5, draw]))


def exchanged(clouds: Clouds, first: Mask) -> Clouds:
    """Return the pooled rows of the first side against the rest, unpaired."""
    pooled = np.concatenate([clouds.x, clouds.y])
    return Clouds(
        pooled[first], pooled[~first], None, np.arange(int(first.sum())), np.arange(int((~first).sum()))
    )
