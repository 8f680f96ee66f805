"""Pass once over all tiles of a score matrix and count in both directions, on every core."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import local
from typing import TypeAlias

import numpy as np
from threadpoolctl import ThreadpoolController

from alignkit.errors import DataError
from alignkit.retrieval.counters import FEW, Counter
from alignkit.retrieval.positives import Positives
from alignkit.retrieval.scores import ScoreSource
from alignkit.retrieval.tiles import LARGEST, Tiles, padded, spans
from alignkit.shapes import PerPositive

Counts: TypeAlias = tuple[
    np.ndarray, PerPositive, PerPositive
]  # per positive: score, scores above, scores reaching
TILE_BYTES = 48 << 20  # of all workers' tiles and masks together
ONE_ROW = 16  # numbers in numpy's buffer of broadcast operands: with fewer than a row none is made
REPEATS = 3


def count(
    source: ScoreSource, positives: Positives, tiles: Tiles | None = None, *, backward: bool
) -> list[Counts]:
    """Return the forward counts and, where asked, the backward ones, all from the same tiles.

    Both directions need every positive's score before the first tile, so it is computed beforehand and each
    tile verifies the positives that lie in it, bit for bit. A score that differs is replaced by the tile's
    and the pass is repeated: so an item never meets a score of its own from another product.
    """
    tiles = tiles or _fitting_tiles(positives)
    with _workers(tiles, source.dtype) as pool:
        scores = _scores_beforehand(source, positives, tiles, pool)
        for _ in range(REPEATS):
            counters = [Counter(positives, scores)]
            if backward:
                counters.append(Counter(positives.transpose(), scores[positives.by_item]))
            sweep = _Sweep(source, positives, scores, tiles, counters)
            if sweep.run(pool):
                return [(counter.scores, *counter.totals()) for counter in counters]
    raise DataError("the matrix product gives other numbers on every run: use another BLAS build of numpy.")


def _fitting_tiles(positives: Positives) -> Tiles:
    """Return square tiles where lines must be sorted, since a line is better sorted in few long pieces."""
    most = max(positives.counts.max(initial=0), np.bincount(positives.indices).max(initial=0))
    return Tiles(queries=LARGEST) if most > FEW else Tiles()


def _scores_beforehand(
    source: ScoreSource, positives: Positives, tiles: Tiles, pool: ThreadPoolExecutor
) -> np.ndarray:
    """Return the positives' scores, by small products or, where those cost more, by a pass of their own."""
    if len(positives) * source.least < positives.n_queries * positives.n_gallery:
        scores = source.of(positives)
    else:
        scores = np.full(len(positives), np.nan, source.dtype)
        _Sweep(source, positives, scores, tiles, []).run(pool)
    wrong = np.flatnonzero(~np.isfinite(scores))
    if len(wrong):
        raise DataError(
            f"query {positives.queries[wrong[0]]} scores {scores[wrong[0]]} with its positive "
            f"{positives.indices[wrong[0]]}: scores of positives must be finite."
        )
    return scores


class _Sweep:
    """One pass over all tiles: verify ``scores``, the positives' own, and feed the counters."""

    def __init__(
        self,
        source: ScoreSource,
        positives: Positives,
        scores: np.ndarray,
        tiles: Tiles,
        counters: list[Counter],
    ) -> None:
        self.source, self.positives, self.scores, self.tiles = source, positives, scores, tiles
        self.counters = counters
        self.found = scores.copy()
        self.buffers = local()
        # positives in the order of the tiles that hold them, and where each tile's begin
        self.across = -(-positives.n_gallery // tiles.gallery)
        home = positives.queries // tiles.queries * self.across + positives.indices // tiles.gallery
        self.order = np.argsort(home, kind="stable")
        down = -(-positives.n_queries // tiles.queries)
        self.homes = np.searchsorted(home[self.order], np.arange(down * self.across + 1))

    def run(self, pool: ThreadPoolExecutor) -> bool:
        """Fill the counters and return whether all scores stood; the others are corrected in place."""
        n, size = self.positives.n_queries, self.tiles.queries
        for panel in self.tiles.panels(self.positives.n_gallery, self.source.row_bytes):
            items = self.source.panel(*panel)
            work = [pool.submit(self._strip, start, stop, panel, items) for start, stop in spans(0, n, size)]
            for done in work:
                done.result()
        stood = np.array_equal(self.scores, self.found)
        self.scores[:] = self.found
        return stood

    def _strip(self, start: int, stop: int, panel: tuple[int, int], items: np.ndarray) -> None:
        """Count one block of queries against one panel of the gallery."""
        block = self.source.block(start, stop, panel)
        with np.errstate():
            np.setbufsize(ONE_ROW)  # comparing with one number a row then reads it in place: twice as fast
            for left, right in spans(*panel, self.tiles.gallery):
                scores, mask = self._buffer(stop - start, right - left)
                columns = slice(left - panel[0], left - panel[0] + scores.shape[1])
                self.source.tile(block, items, columns, scores)
                scores[stop - start :] = -np.inf  # the padding reaches nobody
                scores[:, right - left :] = -np.inf
                self._verify(scores, start, left)
                for counter, add in zip(self.counters, (Counter.rows, Counter.columns), strict=False):
                    add(counter, scores, mask, start if add is Counter.rows else left)

    def _verify(self, scores: np.ndarray, start: int, left: int) -> None:
        home = start // self.tiles.queries * self.across + left // self.tiles.gallery
        inside = self.order[self.homes[home] : self.homes[home + 1]]
        rows, columns = self.positives.queries[inside] - start, self.positives.indices[inside] - left
        self.found[inside] = scores[rows, columns]

    def _buffer(self, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
        """Return this thread's tile and mask, padded."""
        least = self.source.least
        if not hasattr(self.buffers, "scores"):
            size = max(self.tiles.queries, least) * max(self.tiles.gallery, least)
            self.buffers.scores, self.buffers.mask = np.empty(size, self.source.dtype), np.empty(size, bool)
        shape = padded(rows, least), padded(columns, least)
        size = shape[0] * shape[1]
        return self.buffers.scores[:size].reshape(shape), self.buffers.mask[:size].reshape(shape)


@contextmanager
def _workers(tiles: Tiles, dtype: np.dtype) -> Iterator[ThreadPoolExecutor]:
    """Give as many threads as the BLAS would use; while they run, each product keeps to one.

    So comparisons run in parallel as well as products, and a tile's numbers do not depend on the threads.
    """
    blas = ThreadpoolController().select(user_api="blas")
    threads = max([1, *(library["num_threads"] for library in blas.info())])
    most = max(1, TILE_BYTES // (tiles.queries * tiles.gallery * (dtype.itemsize + 1)))
    with blas.limit(limits=1), ThreadPoolExecutor(min(threads, most)) as pool:
        yield pool
