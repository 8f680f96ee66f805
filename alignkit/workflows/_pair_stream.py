"""Read linked rows a block at a time and shard by shard, in their stored type, uncopied where possible."""

from collections.abc import Iterator

import numpy as np

from alignkit.aligners._frame import Normalize
from alignkit.aligners._framed_shards import Block, FramedShards, deal_shards, stream_frames, stream_shards
from alignkit.errors import AlignkitError, DataError, ParameterError
from alignkit.moments import Parts
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings

READ = 4096  # rows asked for at a time


class PairStream:
    """Deal linked rows into shards and read them.

    Links that share a row or a declared group share a shard. Where no two do, or where those that do lie
    side by side, a shard is a stretch of consecutive links and shards are read in parallel; otherwise links
    are read in order, one thread long, and dealt.

    Parameters
    ----------
    source, target
        Both sides.
    pairs
        The links; None joins row i with row i and keeps no link in memory.
    shards
        How many shards are made, at most.
    """

    def __init__(self, source: Embeddings, target: Embeddings, pairs: Pairs | None, shards: int) -> None:
        self.source, self.target = source, target
        self.links = None if pairs is None else pairs.links
        self.weights = None if pairs is None else pairs.weights
        self.count = len(source) if pairs is None else len(pairs)
        if not 2 <= shards <= self.count:
            raise ParameterError(f"{self.count} pairs cannot be cut into {shards} shards: ask for 2 or more, "
                                 "and for no more than there are pairs.")  # fmt: skip
        self.shard_of = None if pairs is None else _shards_of_components(pairs, shards)
        if self.shard_of is None:
            self.bounds = np.linspace(0, self.count, shards + 1).astype(np.int64)
        else:
            self.bounds = np.searchsorted(self.shard_of, np.arange(self.shard_of.max() + 2))

    @property
    def scattered(self) -> bool:
        """Whether links of one shard lie apart, so that they must be dealt."""
        return self.shard_of is not None and bool((np.diff(self.shard_of) < 0).any())

    def frames(self, steps: Normalize, jobs: int | None) -> tuple | None:
        """Return the frames that a first pass must tell, or None where the products themselves tell them."""
        if steps != "unit-center-unit":
            return None
        if self.scattered:
            return stream_frames(lambda _: self.blocks(0, self.count), [0], jobs=jobs)[0]
        return stream_frames(self.read, range(len(self.bounds) - 1), jobs=jobs)[0]

    def shards(self, steps: Normalize, parts: Parts, jobs: int | None) -> FramedShards:
        """Return the moments of every shard, in the frames of all rows.

        Raises
        ------
        DataError
            If a row is not finite or has no direction; file and row are named.
        """
        try:
            frames = self.frames(steps, jobs)
            if self.shard_of is not None and self.scattered:
                return deal_shards(self.blocks(0, self.count), self.shard_of, steps, parts, frames=frames)
            labels, dims = range(len(self.bounds) - 1), (self.source.dim, self.target.dim)
            return stream_shards(self.read, labels, dims, steps, parts, frames=frames, jobs=jobs)
        except DataError as error:
            self._name_the_row(error, direction=steps.startswith("unit"))
            raise

    def read(self, shard: int) -> Iterator[Block]:
        """Yield the links of one shard of consecutive links."""
        yield from self.blocks(int(self.bounds[shard]), int(self.bounds[shard + 1]))

    def blocks(self, start: int, stop: int) -> Iterator[Block]:
        """Yield the links from ``start`` to ``stop`` in order."""
        for first in range(start, stop, READ):
            part = slice(first, min(first + READ, stop))
            weights = None if self.weights is None else self.weights[part]
            if self.links is None:
                rows = part, part
            else:
                rows = tuple(_as_slice(self.links[part, side]) for side in (0, 1))
            X, Y = (
                np.asarray(side.vectors[own])
                for side, own in zip((self.source, self.target), rows, strict=True)
            )
            yield first, X, Y, weights

    def _name_the_row(self, error: DataError, *, direction: bool) -> None:
        """Look again for the bad row where its file and id are known: a second reading, for a message."""
        for side in (self.source, self.target):
            try:
                side.check(direction=direction)
            except AlignkitError as named:
                raise named from error


def _as_slice(rows: np.ndarray) -> slice | np.ndarray:
    """Return consecutive rows as a slice, so that they are not copied."""
    first, last = int(rows[0]), int(rows[-1])
    if last - first + 1 == len(rows) and (np.diff(rows) == 1).all():
        return slice(first, last + 1)
    return rows


def _shards_of_components(pairs: Pairs, shards: int) -> np.ndarray | None:
    """Return the shard of every link, components kept whole, or None where every link is one of its own."""
    if pairs.groups is None and all(_all_different(column) for column in pairs.links.T):
        return None
    labels = pairs.components(duplicates=False)
    _, first, component = np.unique(labels, return_index=True, return_inverse=True)
    sizes = np.bincount(component)
    order = np.argsort(first)  # as they come, so that neighbours stay together
    middle = np.cumsum(sizes[order]) - sizes[order] / 2
    shard = np.empty(len(sizes), np.int64)
    shard[order] = np.minimum(middle * shards / len(labels), shards - 1).astype(np.int64)
    used, shard_of = np.unique(shard[component], return_inverse=True)
    if len(used) < 2:
        raise ParameterError(
            "all pairs hang together through shared rows or groups: there is nothing to make shards of."
        )
    return shard_of


def _all_different(rows: np.ndarray) -> bool:
    return bool((np.diff(rows) > 0).all()) or len(np.unique(rows)) == len(rows)
