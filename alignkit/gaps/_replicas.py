"""Replicas of two clouds: blocks of items left out for intervals, and clouds without a gap for null bands.

A replica never holds a row twice: copies would be one another's nearest neighbours.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks

BLOCKS = 20  # left out one at a time
NULLS = 12  # random splits, or permutations of the pairs
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Replicas(Generic[T]):
    """Hold what a measure reads off the clouds: as they are, with each block left out, and without a gap.

    Where the replicas are clouds, they are made one at a time as they are asked for.
    """

    whole: T
    left_out: Iterable[T]
    nulls: Iterable[T]


def n_blocks(clouds: Clouds) -> int:
    """Return into how many blocks the items are dealt: 20, or as many as there are items."""
    return min(BLOCKS, clouds.fewest)


def without_blocks(clouds: Clouds, seed: int) -> Iterator[Clouds]:
    """Yield the clouds with each block of items left out in turn, partners together."""
    count = n_blocks(clouds)
    x_blocks, y_blocks = item_blocks(clouds, count, seed)
    for block in range(count):
        yield clouds.kept(x_blocks != block, y_blocks != block)


def split_clouds(clouds: Clouds, seed: int) -> Iterator[Clouds]:
    """Yield random splits of the pooled rows into two clouds."""
    for draw in range(NULLS):
        yield clouds.split(np.random.default_rng([seed, 5, draw]))


def permuted_clouds(clouds: Clouds, seed: int) -> Iterator[Clouds]:
    """Yield the clouds with their partners drawn anew."""
    for draw in range(NULLS):
        yield clouds.permuted(np.random.default_rng([seed, 6, draw]))


def row_replicas(clouds: Clouds, seed: int, *, pairs: bool) -> Replicas[Clouds]:
    """Return replicas that are clouds themselves: right for every measure, and the slowest way."""
    nulls = permuted_clouds(clouds, seed) if pairs else split_clouds(clouds, seed)
    return Replicas(clouds, without_blocks(clouds, seed), nulls)
