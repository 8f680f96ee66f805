"""Count, tile by tile, how many negatives score above or level with each positive."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeAlias

import numpy as np

from alignkit.retrieval.exact.tiles import GRAIN, spans
from alignkit.retrieval.exact.verdicts import OpenTile, Verdicts
from alignkit.shapes import PerPositive, Weights

FEW = 64  # positives up to which comparing each with the whole line is cheaper than sorting the line
BYTE = 240  # masks that are added in one byte: at most 255, a multiple of the grain
RARE = 32  # entries are looked at one by one where at most one word of eight in so many has any of them
SURE = (np.greater_equal, np.greater)  # what reaches the lower level, what is over the upper
Masks: TypeAlias = tuple[np.ndarray, np.ndarray]  # of a tile: one for each level


class Counter:
    """Counts for the lines of one direction: rows of the score matrix (queries) or its columns (gallery).

    A positive's score is known exactly and a tile's entries within a margin, so each positive has two
    levels, one to either side of its score: an entry over the upper one is above it for sure, one under the
    lower one is not, and those between are left to `Verdicts`. A line with at most `FEW` positives is
    compared with the lowest of their levels first: where few entries of a tile reach it, only those are
    looked at again; else the tile is compared with every level, two masks for each positive, whose bytes are
    summed eight at a time. A line with more is sorted once per tile and its levels looked up in it.
    Positives and excluded pairs are not among the entries: the caller has taken them out. All counts are
    integers, so the order of tiles cannot matter.
    """

    def __init__(self, verdicts: Verdicts) -> None:
        self.verdicts, source, positives = verdicts, verdicts.source, verdicts.positives
        self.positives, self.exact = positives, source.exact
        self.lock = Lock()  # a column is counted by every worker, a row by one
        margins = source.margins(source.dtype)[1 if verdicts.backward else 0][positives.queries]
        self.levels = np.stack(
            _levels(verdicts.scores, margins, source.dtype)
        )  # lower, upper: an entry per positive
        self.counts = np.zeros((2, len(positives)), np.int64)  # reaching the lower, over the upper
        self.many = positives.counts > FEW
        depth = int(positives.counts[~self.many].max(initial=0))
        # the p-th positive's levels of every line, and of the padding; nothing exceeds infinity
        self.few = np.full((depth, 2, positives.n_queries + GRAIN), np.inf, source.dtype)
        self.few_counts = np.zeros((depth, 2, positives.n_queries), np.int64)
        for p, lines, entries in self._few():
            self.few[p][:, lines] = self.levels[:, entries]
        self.lowest = self.few[:, 0].min(axis=0) if depth else self.few[:, 0]  # unused without any

    def rows(self, scores: np.ndarray, masks: Masks, tile: OpenTile) -> None:
        """Count along the rows of a tile."""
        n = tile.shape[0]
        lines = slice(tile.start, tile.start + n)
        if len(self.few):
            np.greater_equal(scores[:n], self.lowest[lines, None], out=masks[0][:n])
            if (reaching := _rare(masks[0][:n])) is not None:
                self._each(reaching, scores[reaching], lines, (tile.left, tile))
            else:
                self._rows_in_full(scores[:n], (masks[0][:n], masks[1][:n]), lines, tile)
        self._look_up(scores, lines, tile.left, tile)

    def columns(self, scores: np.ndarray, masks: Masks, tile: OpenTile) -> None:
        """Count along the columns of a tile."""
        n, width = tile.shape[0], scores.shape[1]
        lines = slice(tile.left, tile.left + tile.shape[1])
        if len(self.few):
            np.greater_equal(scores[:n], self.lowest[tile.left : tile.left + width], out=masks[0][:n])
            if (reaching := _rare(masks[0][:n])) is not None:
                other, line = reaching
                self._each((line, other), scores[reaching], lines, (tile.start, tile))
            else:
                self._columns_in_full(scores[:n], (masks[0][:n], masks[1][:n]), lines, tile)
        self._look_up(scores.T, lines, tile.start, tile)

    def _each(
        self,
        entries: tuple[np.ndarray, np.ndarray],
        values: np.ndarray,
        lines: slice,
        corner: tuple[int, OpenTile],
    ) -> None:
        """Count entry by entry: the ``values`` of some (line, item), counted from the tile's corner.

        ``corner`` is the number of the first item of a line, and the tile.
        """
        (line, other), (first, tile) = entries, corner
        n = lines.stop - lines.start
        for p in range(len(self.few)):
            lower, upper = self.few[p, :, lines.start + line].T
            reached, over = values >= lower, values > upper
            found = np.stack([np.bincount(line[mask], minlength=n) for mask in (reached, over)])
            with self.lock:
                self.few_counts[p, :, lines] += found
            if not self.exact:
                doubtful = np.flatnonzero(reached & ~over)
                self.settle(p, line[doubtful] + lines.start, other[doubtful] + first, tile)

    def _rows_in_full(self, scores: np.ndarray, masks: Masks, lines: slice, tile: OpenTile) -> None:
        """Compare each row with both levels of each of its positives; the first mask holds the lowest."""
        n = len(scores)
        for p, levels in enumerate(self.few[:, :, lines]):
            found = np.empty((2, n), np.int64)
            for i, compare in enumerate(SURE):
                if i or len(self.few) > 1:
                    compare(scores, levels[i][:, None], out=masks[i])
                bytewise = np.add.reduce(masks[i].view(np.uint64), axis=1).view(np.uint8)
                found[i] = bytewise.reshape(n, 8).sum(axis=1, dtype=np.int64)
            self.few_counts[p, :, lines] += found
            if not self.exact:
                doubtful = np.flatnonzero(found[0] != found[1])  # few rows: the others need no second look
                line, other = _between([mask[doubtful] for mask in masks])
                self.settle(p, doubtful[line] + tile.start, other + tile.left, tile)

    def _columns_in_full(self, scores: np.ndarray, masks: Masks, lines: slice, tile: OpenTile) -> None:
        """Compare each column with both levels of each of its positives; the first mask holds the lowest."""
        n, width = scores.shape
        for p, levels in enumerate(self.few[:, :, lines.start : lines.start + width]):
            found = np.zeros((2, width), np.int64)
            for i, compare in enumerate(SURE):
                for low, high in spans(0, n, BYTE):
                    part = masks[i][low:high]
                    if i or len(self.few) > 1:
                        compare(scores[low:high], levels[i], out=part)
                    found[i] += np.add.reduce(part.view(np.uint8), axis=0, dtype=np.uint8)
            with self.lock:
                self.few_counts[p, :, lines] += found[:, : tile.shape[1]]
            if not self.exact:
                other, line = _between(masks)
                self.settle(p, line + tile.left, other + tile.start, tile)

    def settle(self, p: int, lines: np.ndarray, others: np.ndarray, tile: OpenTile) -> None:
        """Hand on the open entries of lines with few positives: pairs of a line and an item of it."""
        if len(lines):
            self.verdicts.settle(self.positives.indptr[lines] + p, others, tile)

    def _look_up(self, scores: np.ndarray, lines: slice, first: int, tile: OpenTile) -> None:
        """Sort the lines that have many positives and find the place of each positive's levels.

        ``first`` is the number of the first entry of every line.
        """
        for line in lines.start + np.flatnonzero(self.many[lines]):
            values = scores[line - lines.start]
            ordered = np.sort(values)
            lower, upper = self.levels[:, self.positives.indptr[line] : self.positives.indptr[line + 1]]
            reached = len(ordered) - np.searchsorted(ordered, lower, side="left")
            over = len(ordered) - np.searchsorted(ordered, upper, side="right")
            self.take(line, (reached, over), lambda values=values: first + np.argsort(-values), tile)

    def take(
        self,
        line: int,
        found: tuple[np.ndarray, np.ndarray],
        falling: Callable[[], np.ndarray],
        tile: OpenTile,
    ) -> None:
        """Add what was found in a line with many positives, in the order of their levels.

        ``found`` says how many entries reach the lower, and are over the upper level; ``falling`` gives the
        items of the line from the highest score to the lowest.
        """
        reached, over = found
        own = self.positives.indptr[line]
        with self.lock:
            self.counts[:, own : own + len(over)] += found
        between = reached - over
        if self.exact or not between.any():
            return
        # the open entries of a positive are those behind all that are over it
        entry = np.repeat(np.arange(len(between)), between)
        place = np.arange(len(entry)) - np.repeat(np.cumsum(between) - between, between) + over[entry]
        self.verdicts.settle(own + entry, falling()[place], tile)

    def totals(self) -> tuple[PerPositive, PerPositive, PerPositive | None]:
        """Return, for every positive, how many negatives of its line lie above it, and how many tie.

        And how many of these stand ahead of it in the order, where one was given and scores are products.
        """
        reached, over = self.counts.copy()
        for p, lines, entries in self._few():
            reached[entries], over[entries] = self.few_counts[p][:, lines]
        if self.exact:
            return over, reached - over, None
        ahead = None if self.verdicts.order is None else self.verdicts.ahead
        return over + self.verdicts.above, self.verdicts.tied, ahead

    def _few(self) -> list[tuple[int, np.ndarray, np.ndarray]]:
        """Return (p, lines, entries): which lines with few positives have a p-th one, and where it stands."""
        found = []
        for p in range(len(self.few)):
            lines = np.flatnonzero((self.positives.counts > p) & ~self.many)
            found.append((p, lines, self.positives.indptr[lines] + p))
        return found


def _levels(scores: Weights, margins: Weights, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores less and plus the margins in ``dtype``, rounded outwards."""
    levels = []
    for bound, towards in ((scores - margins, -np.inf), (scores + margins, np.inf)):
        rounded = bound.astype(dtype)
        outside = rounded > bound if towards < 0 else rounded < bound
        levels.append(np.where(outside, np.nextafter(rounded, dtype.type(towards)), rounded))
    return levels[0], levels[1]


def _rare(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return (row, column) of the true entries; None where they are too many to be looked at one by one."""
    words = mask.view(np.uint64).ravel()
    some = np.flatnonzero(words != 0)  # of truth values: those are skipped many at a time
    return _places(words, some, mask.shape[1]) if len(some) * RARE <= len(words) else None


def _between(masks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return (row, column) of the entries that reach the lower level and are not over the upper one."""
    words = np.bitwise_xor(*(mask.view(np.uint64) for mask in masks)).ravel()
    return _places(words, np.flatnonzero(words != 0), masks[0].shape[1])


def _places(words: np.ndarray, some: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (row, column) of the bytes that are not 0 among some words of a mask."""
    word, byte = np.nonzero(words[some, None].view(np.uint8))
    row, column = np.divmod(some[word] * 8 + byte, width)
    return row, column
