"""Decide the entries of a tile that lie too near a positive's score for the product to tell."""

from functools import cached_property
from threading import Lock

import numpy as np

from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.scores import ScoreSource
from alignkit.shapes import ItemPlaces, PerPositive, Weights

FEW = 4096  # entries up to which each is simply scored exactly
DENSE = 50  # a tile of which more than one entry in so many is open goes through a float64 product first


class OpenTile:
    """The place of a tile of scores, and its float64 product once somebody asks for it."""

    def __init__(self, source: ScoreSource, start: int, left: int, shape: tuple[int, int]) -> None:
        self.source, self.start, self.left, self.shape = source, start, left, shape

    @cached_property
    def doubles(self) -> np.ndarray | None:
        """The scores by a float64 product; None where the tile itself is one."""
        n, g = self.shape
        return self.source.doubles(slice(self.start, self.start + n), slice(self.left, self.left + g))


class Verdicts:
    """Count, for every positive of one direction, which of its open entries lie above it or level with it.

    Most open entries are scored exactly, one by one. Where a tile holds very many, as in a space that has
    nearly collapsed, copies of the positive's own row tie with it unseen, and a float64 product settles all
    that differ by more than its own, far smaller, margin. With an ``order`` (each item's place) those that
    tie and stand ahead of the positive are counted as well.
    """

    def __init__(
        self,
        source: ScoreSource,
        positives: Positives,
        scores: Weights,
        *,
        backward: bool,
        order: ItemPlaces | None = None,
    ) -> None:
        self.source, self.positives, self.scores, self.backward = source, positives, scores, backward
        self.order = order
        self.above, self.tied, self.ahead = np.zeros((3, len(positives)), np.int64)
        self.lock = Lock()  # a column's entries come from every worker

    def settle(self, entries: PerPositive, others: np.ndarray, tile: OpenTile) -> None:
        """Count pairs of a positive (``entries``) with an item of its line (``others``) in one tile."""
        signs = np.zeros(len(entries), np.int8)
        rest = np.arange(len(entries))
        if len(rest) > FEW:
            own = self.source.copies()[0 if self.backward else 1]
            rest = np.flatnonzero(own[others] != own[self.positives.indices[entries]])
            if len(rest) * DENSE > tile.shape[0] * tile.shape[1]:
                rest = self._sieve(signs, rest, entries, others, tile)
        exact = self.source.of(*self._sides(entries[rest], others[rest]))
        signs[rest] = np.sign(exact - self.scores[entries[rest]])
        ties = np.flatnonzero(signs == 0)
        with self.lock:
            np.add.at(self.above, entries[signs > 0], 1)
            np.add.at(self.tied, entries[ties], 1)
            if self.order is not None:
                own = self.order[self.positives.indices[entries[ties]]]
                np.add.at(self.ahead, entries[ties[self.order[others[ties]] < own]], 1)

    @cached_property
    def _margins(self) -> Weights:
        """How far a float64 product may be from the exact score, for every line."""
        return self.source.margins(np.dtype(np.float64))[1 if self.backward else 0]

    def _sides(self, entries: PerPositive, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (queries, items) of pairs."""
        lines = self.positives.queries[entries]
        return (others, lines) if self.backward else (lines, others)

    def _sieve(
        self, signs: np.ndarray, rest: np.ndarray, entries: PerPositive, others: np.ndarray, tile: OpenTile
    ) -> np.ndarray:
        """Decide what a float64 product can, and return what stays open."""
        if tile.doubles is None:
            return rest
        queries, items = self._sides(entries[rest], others[rest])
        gap = tile.doubles[queries - tile.start, items - tile.left] - self.scores[entries[rest]]
        sure = np.abs(gap) > self._margins[items if self.backward else queries]
        signs[rest[sure]] = np.sign(gap[sure])
        return rest[~sure]
