"""Find the k best items of every query exactly, from blocked products that keep no score matrix."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from alignkit.retrieval.exact.scores import SLACK
from alignkit.retrieval.exact.tiles import padded, spans
from alignkit.row_products import row_products
from alignkit.rows import Rows

STRIP = 1024  # queries that one worker carries through the whole gallery
PANEL = 8192  # gallery rows of one product
SPARE = 8  # candidates beyond those wanted, so that the exact scores seldom leave a doubt
GROUPS = 16  # groups per item wanted: so few of the best share a group
WAITING = 4  # times k: entries of a query that wait, on average, before they are sorted in
ONE_ROW = 16  # numbers in numpy's buffer of broadcast operands: with fewer than a row none is made


def best(queries: Rows, gallery: Rows, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (rows, scores) of the ``k`` greatest products of every query, from high to low.

    The lower row wins a tie; where the gallery has fewer than ``k`` rows, all of them are returned. Blocked
    float32 products find a few candidates more than wanted, and their exact scores decide; where rows
    beyond them could still be among the best, by what such a product can err, all that could are looked at.
    So the answer is that of float64, in any batch, for any number of threads, on any machine; the scores
    are returned as float32. Queries and gallery may be memory maps of float32; held in memory are the
    answer, and for every thread 40 MB.

    Examples
    --------
    >>> rows, scores = best(np.eye(2), np.array([[1.0, 2.0], [3.0, 1.0], [0.0, 0.0]]), 2)
    >>> rows.tolist(), scores.tolist()
    ([[1, 0], [0, 1]], [[3.0, 1.0], [2.0, 1.0]])
    """
    q, k = len(queries), min(k, len(gallery))
    rows, scores = np.empty((q, k), np.int64), np.empty((q, k), np.float32)
    blas = _blas()
    threads = max([1, *(library["num_threads"] for library in blas.info())])

    def strip(start: int, stop: int) -> None:
        found = _Strip(np.asarray(queries[start:stop]), min(k + SPARE, len(gallery)))
        for left, right in spans(0, len(gallery), PANEL):
            found.look_at(np.asarray(gallery[left:right]), left)
        rows[start:stop], scores[start:stop] = found.decided(gallery, k)

    with blas.limit(limits=1), ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(strip, *span) for span in spans(0, q, STRIP)]:
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
        self.queries = np.ascontiguousarray(queries, np.float32)
        self.longest = 0.0  # row of the gallery
        # pages are given once, not for every product
        self.scores = np.empty(self.n * padded(PANEL), np.float32)
        self.mask = np.empty(self.scores.shape, bool)
        self.levels = np.full(self.n, -np.inf, np.float32)
        self.kept = _no_entries()
        self.waiting: list[tuple[np.ndarray, ...]] = []

    def look_at(self, items: np.ndarray, first: int) -> None:
        """Meet the items whose numbers start at ``first``."""
        width, items = len(items), np.ascontiguousarray(items, np.float32)
        self.longest = max(self.longest, _longest(items))
        shape = self.n, padded(width)
        scores, mask = (buffer[: shape[0] * shape[1]].reshape(shape) for buffer in (self.scores, self.mask))
        np.matmul(self.queries, items.T, out=scores[:, :width])
        scores[:, width:] = -np.inf  # the padding reaches nobody
        if first == 0:
            self.levels = _bound(scores[:, :width], self.k)
        with np.errstate():
            np.setbufsize(ONE_ROW)  # comparing with one number a row then reads it in place
            np.greater(scores, self.levels[:, None], out=mask)
        line, column = _hits(mask)
        self.waiting.append((line, column + first, scores[line, column]))
        if sum(len(lines) for lines, _, _ in self.waiting) > WAITING * self.k * self.n:
            self._sort_in()

    def decided(self, gallery: Rows, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (items, scores) of every query: the ``k`` best of those met, by their exact scores."""
        self._sort_in()
        _, items, scores = (part.reshape(self.n, self.k) for part in self.kept)
        near = np.sort(items, axis=1)
        line = np.repeat(np.arange(self.n), self.k)
        exact = row_products(self.queries, line, gallery, near.ravel()).reshape(near.shape)
        order = np.argsort(-exact, axis=1, kind="stable")[:, :k]  # the lower item first where equal
        near, exact = (np.take_along_axis(part, order, axis=1) for part in (near, exact))
        if self.k < len(gallery):
            lengths = np.sqrt(np.einsum("qd,qd->q", self.queries, self.queries))
            unit = float(np.finfo(np.float32).eps) / 2
            error = unit * (self.queries.shape[1] + SLACK) * self.longest * lengths
            # what was not kept scores no more than the last one kept, but for the product's error
            for query in np.flatnonzero(exact[:, -1] <= scores[:, -1] + error).tolist():
                near[query], exact[query] = self._all_that_could(
                    query, gallery, k, exact[query, -1] - error[query]
                )
        return near, exact.astype(np.float32)

    def _all_that_could(
        self, query: int, gallery: Rows, k: int, level: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the best of all items whose product reaches a level below the ``k``-th score."""
        found = []
        for left, right in spans(0, len(gallery), PANEL):
            products = np.asarray(gallery[left:right], np.float32) @ self.queries[query]
            found.append(left + np.flatnonzero(products >= level))
        items = np.concatenate(found)
        exact = row_products(self.queries, np.full(len(items), query), gallery, items)
        order = np.argsort(-exact, kind="stable")[:k]
        return items[order], exact[order]

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


def _no_entries() -> tuple[np.ndarray, ...]:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)


def _longest(rows: np.ndarray) -> float:
    return float(np.sqrt(np.einsum("gd,gd->g", rows, rows).max(initial=0)))


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
