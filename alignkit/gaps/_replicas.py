"""Replicas of two clouds: blocks of items left out for intervals, and clouds without a gap for null bands.

A replica never holds a row twice: copies would be one another's nearest neighbours.
"""

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Generic, Protocol, Self, TypeVar

import numpy as np

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.shapes import Mask
from alignkit.statistics.splits import first_of_two

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


class AddsUp(Protocol):
    """What is read off blocks of rows and adds up to what is read off all of them."""

    def __add__(self, other: Self, /) -> Self: ...

    def __sub__(self, other: Self, /) -> Self: ...


A = TypeVar("A", bound=AddsUp)


def total(parts: Sequence[A]) -> A:
    """Return what is read off all blocks together."""
    return reduce(operator.add, parts)


def without_each(parts: Sequence[A], nulls: Iterable[A]) -> Replicas[A]:
    """Return the replicas of what adds up: the whole, and the whole less each block."""
    whole = total(parts)
    return Replicas(whole, _Less(whole, parts), nulls)


@dataclass(frozen=True, slots=True)
class _Less(Generic[A]):
    """Make the whole less each part, one at a time, as often as somebody goes through it."""

    whole: A
    parts: Sequence[A]

    def __iter__(self) -> Iterator[A]:
        return (self.whole - part for part in self.parts)


def n_blocks(clouds: Clouds) -> int:
    """Return into how many blocks the items are dealt: 20, or as many as there are items."""
    return min(BLOCKS, clouds.fewest)


def without_blocks(clouds: Clouds, seed: int) -> Iterator[Clouds]:
    """Yield the clouds with each block of items left out in turn, partners together."""
    count = n_blocks(clouds)
    x_blocks, y_blocks = item_blocks(clouds, count, seed)
    for block in range(count):
        yield clouds.kept(x_blocks != block, y_blocks != block)


def split_masks(clouds: Clouds, seed: int) -> Iterator[Mask]:
    """Yield which of the pooled rows, x before y, make up the first side of each random split."""
    for draw in range(NULLS):
        yield first_of_two(len(clouds.x), len(clouds.y), np.random.default_rng([seed, 5, draw]))


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
