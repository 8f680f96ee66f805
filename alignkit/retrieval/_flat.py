"""Find the k best items of every query exactly, from blocked products that keep no score matrix."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from alignkit.retrieval.scores import SMALL
from alignkit.retrieval.tiles import GRAIN, padded, spans
from alignkit.rows import Rows

STRIP = 1024  # queries that one worker carries through the whole gallery
PANEL = 8192  # gallery rows of one product
GROUPS = 16  # groups per item wanted: so few of the best share a group
WAITING = 4  # times k: entries of a query that wait, on average, before they are sorted in
ONE_ROW = 16  # numbers in numpy's buffer of broadcast operands: with fewer than a row none is made


def best(queries: Rows, gallery: Rows, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (rows, scores) of the ``k`` greatest products of every query, from high to low.

    The lower row wins a tie; where the gallery has fewer than ``k`` rows, all of them are returned. Products
    are float32. Queries and gallery may be memory maps; held in memory are the answer, and for every thread
    40 MB. A query's answer is the same to the last bit in any batch and for any number of threads.

    Examples
    --------
    >>> rows, scores = best(np.eye(2), np.array([[1.0, 2.0], [3.0, 1.0], [0.0, 0.0]]), 2)
    >>> rows.tolist(), scores.tolist()
    ([[1, 0], [0, 1]], [[3.0, 1.0], [2.0, 1.0]])
    """
    q, k = len(queries), min(k, len(gallery))
    rows, scores = np.empty((q, k), np.int64), np.empty((q, k), np.float32)
    size = max(GRAIN, STRIP * PANEL // max(PANEL, _least(gallery.shape[1])))
    blas = _blas()
    threads = max([1, *(library["num_threads"] for library in blas.info())])

    def strip(start: int, stop: int) -> None:
        found = _Strip(np.asarray(queries[start:stop]), k)
        for left, right in spans(0, len(gallery), found.width):
            found.look_at(np.asarray(gallery[left:right]), left)
        rows[start:stop], scores[start:stop] = found.sorted()

    with blas.limit(limits=1), ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(strip, *span) for span in spans(0, q, size)]:
            done.result()
    return rows, scores


@cache
def _blas() -> ThreadpoolController:
    """Return numpy's BLAS; finding it takes milliseconds, so it is done once."""
    return ThreadpoolController().select(user_api="blas")


class _Strip:
    """Some queries, and the best items that they have met so far; items arrive in ascending order."""

    def __init__(self, queries: np.ndarray, k: int) -> None:
        self.n, self.k = len(queries), k
        self.block = _pad(queries, padded(self.n))
        self.least = _least(queries.shape[1])
        self.width = max(PANEL, self.least)
        # pages are given once, not for every product
        self.scores = np.empty(len(self.block) * self.width, np.float32)
        self.mask = np.empty(self.scores.shape, bool)
        self.levels = np.full(self.n, -np.inf, np.float32)
        self.kept = _no_entries()
        self.waiting: list[tuple[np.ndarray, ...]] = []

    def look_at(self, items: np.ndarray, first: int) -> None:
        """Meet the items whose numbers start at ``first``."""
        width = len(items)
        items = _pad(items, padded(width, self.least))
        scores, mask = (buffer[: len(self.block) * len(items)] for buffer in (self.scores, self.mask))
        scores, mask = (part.reshape(len(self.block), len(items)) for part in (scores, mask))
        np.matmul(self.block, items.T, out=scores)
        scores[:, width:] = -np.inf  # the padding reaches nobody
        scores, mask = scores[: self.n], mask[: self.n]
        if first == 0:
            self.levels = _bound(scores[:, :width], self.k)
        with np.errstate():
            np.setbufsize(ONE_ROW)  # comparing with one number a row then reads it in place
            np.greater(scores, self.levels[:, None], out=mask)
        line, column = _hits(mask)
        self.waiting.append((line, column + first, scores[line, column]))
        if sum(len(lines) for lines, _, _ in self.waiting) > WAITING * self.k * self.n:
            self._sort_in()

    def sorted(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (items, scores) of every query."""
        self._sort_in()
        _, items, scores = self.kept
        return items.reshape(self.n, self.k), scores.reshape(self.n, self.k)

    def _sort_in(self) -> None:
        """Keep the best of what is kept and what waits, and raise the levels."""
        line, items, scores = (
            np.concatenate(column) for column in zip(self.kept, *self.waiting, strict=True)
        )
        self.waiting.clear()
        # both sorts are stable and items of a line come in ascending order, so the lower one wins a tie
        order = np.argsort(-scores, kind="stable")
        order = order[np.argsort(line[order].astype(np.uint16), kind="stable")]
        counts = np.bincount(line, minlength=self.n)
        place = np.arange(len(line)) - np.repeat(np.cumsum(counts) - counts, counts)
        order = order[place < self.k]
        self.kept = line[order], items[order], scores[order]
        full = np.flatnonzero(counts >= self.k)
        last = np.cumsum(np.minimum(counts, self.k)) - 1
        self.levels[full] = self.kept[2][last[full]]


def _least(d: int) -> int:
    """Return how long a panel must be that no BLAS takes the product for small, and sums in another order."""
    return padded(SMALL // (GRAIN * d) + 1)


def _no_entries() -> tuple[np.ndarray, ...]:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)


def _pad(rows: np.ndarray, size: int) -> np.ndarray:
    """Return float32 rows in one piece, followed by rows of zeros up to ``size``."""
    if len(rows) == size:
        return np.ascontiguousarray(rows, np.float32)
    wide = np.zeros((size, rows.shape[1]), np.float32)
    wide[: len(rows)] = rows
    return wide


def _bound(scores: np.ndarray, k: int) -> np.ndarray:
    """Return for every row a level just below some score that at least ``k`` of its entries reach.

    The maxima of disjoint groups are entries themselves, so their k-th largest is such a score.
    """
    width = scores.shape[1]
    if width < k:
        return np.full(len(scores), -np.inf, np.float32)
    groups, maxima = GROUPS * k, scores
    if slabs := width // groups:
        maxima = scores[:, : slabs * groups].reshape(len(scores), slabs, groups).max(axis=1)
    at = maxima.shape[1] - k
    return np.nextafter(np.partition(maxima, at, axis=1)[:, at], np.float32(-np.inf))


def _hits(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where a sparse mask is true, row by row; eight bytes are looked at together."""
    words = np.flatnonzero(mask.view(np.uint64) != 0)  # of truth values: those are skipped many at a time
    word, byte = np.nonzero(mask.reshape(-1, 8)[words])
    return np.divmod(words[word] * 8 + byte, mask.shape[1])
