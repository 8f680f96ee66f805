"""Count, tile by tile, how many scores lie above or level with each positive's score."""

from threading import Lock

import numpy as np

from alignkit.retrieval.positives import Positives
from alignkit.retrieval.tiles import spans
from alignkit.shapes import PerPositive

FEW = 64  # positives up to which comparing each with the whole line is cheaper than sorting the line
BYTE = 240  # masks that are added in one byte: at most 255, a multiple of the grain
SORTED = 128  # lines that are copied and sorted together


class Counter:
    """Counts for the lines of one direction: rows of the score matrix (queries) or its columns (gallery).

    A line with at most `FEW` positives is compared with each of their scores: two masks, whose bytes are
    summed eight at a time. A line with more is sorted once per tile and its positives looked up in it.
    All counts include the positives themselves; they are integers, so the order of tiles cannot matter.

    ``levels`` holds the p-th positive's score of every line, infinity where it has none: nothing exceeds it.
    """

    def __init__(self, positives: Positives, scores: np.ndarray) -> None:
        self.positives, self.scores = positives, scores
        self.lock = Lock()  # a column is counted by every worker, a row by one
        self.many = positives.counts > FEW
        depth = int(positives.counts[~self.many].max(initial=0))
        self.levels = np.full((depth, positives.n_queries), np.inf, scores.dtype)
        self.level_counts = np.zeros((2, depth, positives.n_queries), np.int64)
        for p, lines, entries in self._few():
            self.levels[p, lines] = scores[entries]
        # lines with many: their positives in ascending order of score
        self.order = positives.order_by(scores) if self.many.any() else np.arange(len(scores))
        self.ascending = scores[self.order]
        self.ascending_counts = np.zeros((2, len(scores)), np.int64)

    def rows(self, scores: np.ndarray, mask: np.ndarray, start: int) -> None:
        """Count along the rows of a tile whose first row is line ``start``."""
        stop = min(start + len(scores), self.positives.n_queries)
        n = stop - start
        words = mask.view(np.uint64)[:n]
        for p, level in enumerate(self.levels[:, start:stop]):
            for compare, counts in zip((np.greater, np.greater_equal), self.level_counts, strict=True):
                compare(scores[:n], level[:, None], out=mask[:n])
                sums = np.add.reduce(words, axis=1)
                counts[p, start:stop] += sums.view(np.uint8).reshape(n, 8).sum(axis=1, dtype=np.int64)
        self._look_up(scores, start, stop)

    def columns(self, scores: np.ndarray, mask: np.ndarray, start: int) -> None:
        """Count along the columns of a tile whose first column is line ``start``."""
        stop = min(start + scores.shape[1], self.positives.n_queries)
        n = stop - start
        for p, level in enumerate(self.levels[:, start:stop]):
            for compare, counts in zip((np.greater, np.greater_equal), self.level_counts, strict=True):
                for low, high in spans(0, len(scores), BYTE):
                    part = mask[low:high, :n]
                    compare(scores[low:high, :n], level, out=part)
                    sums = np.add.reduce(part.view(np.uint8), axis=0, dtype=np.uint8)
                    with self.lock:
                        counts[p, start:stop] += sums
        self._look_up(scores.T, start, stop)

    def _look_up(self, scores: np.ndarray, start: int, stop: int) -> None:
        """Sort the lines that have many positives and find each positive's place."""
        for low, high in spans(start, stop, SORTED):
            lines = low + np.flatnonzero(self.many[low:high])
            if not len(lines):
                continue
            ordered = np.sort(scores[lines - start], axis=1)
            for line, values in zip(lines, ordered, strict=True):
                own = slice(self.positives.indptr[line], self.positives.indptr[line + 1])
                wanted = self.ascending[own]
                below = np.stack([np.searchsorted(values, wanted, side=side) for side in ("right", "left")])
                with self.lock:
                    self.ascending_counts[:, own] += len(values) - below

    def totals(self) -> tuple[PerPositive, PerPositive]:
        """Return, for every positive, how many scores of its line lie above it, and how many reach it."""
        counts = np.empty_like(self.ascending_counts)
        counts[:, self.order] = self.ascending_counts
        for p, lines, entries in self._few():
            counts[:, entries] = self.level_counts[:, p, lines]
        return counts[0], counts[1]

    def _few(self) -> list[tuple[int, np.ndarray, np.ndarray]]:
        """Return (p, lines, entries): which lines with few positives have a p-th one, and where it stands."""
        found = []
        for p in range(len(self.levels)):
            lines = np.flatnonzero((self.positives.counts > p) & ~self.many)
            found.append((p, lines, self.positives.indptr[lines] + p))
        return found
