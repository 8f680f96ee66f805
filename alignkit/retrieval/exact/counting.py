"""Pass once over all tiles of a score matrix and count in both directions, on every core."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import local
from typing import TypeAlias

import numpy as np
from threadpoolctl import ThreadpoolController

from alignkit.devices import torch_device
from alignkit.errors import DataError
from alignkit.retrieval.exact._torch_counting import sweep_by_torch
from alignkit.retrieval.exact.counters import FEW, Counter, Masks
from alignkit.retrieval.exact.homes import homes_of
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.scores import ScoreSource
from alignkit.retrieval.exact.tiles import LARGEST, Tiles, padded, spans
from alignkit.retrieval.exact.verdicts import OpenTile, Verdicts
from alignkit.shapes import ItemPlaces, PerPositive, QueryPlaces, Weights

# per positive: score, negatives above, tied, and of the tied those ahead in a given order
Counts: TypeAlias = tuple[Weights, PerPositive, PerPositive, PerPositive | None]
Orders: TypeAlias = tuple[ItemPlaces | None, QueryPlaces | None]  # places of the items, of the queries
TILE_BYTES = 48 << 20  # of all workers' tiles and masks together
ONE_ROW = 16  # numbers in numpy's buffer of broadcast operands: with fewer than a row none is made
SHARE = 1 << 14  # positives scored by one worker at a time


def count(
    source: ScoreSource,
    positives: Positives,
    tiles: Tiles | None = None,
    *,
    backward: bool,
    orders: Orders = (None, None),
) -> list[Counts]:
    """Return the forward counts and, where asked, the backward ones, all from the same tiles.

    Every positive's score is computed exactly beforehand and its own entry taken out of the tile, so an
    item never competes with itself; entries of excluded pairs are taken out as well. On a torch device (see
    `on_device`) the tiles are computed and compared there; the counts are the same.
    """
    tiles = tiles or _fitting_tiles(positives)
    with _workers(tiles, source.dtype) as pool:
        scores = _scores_of(source, positives, pool)
        counters = [Counter(Verdicts(source, positives, scores, backward=False, order=orders[0]))]
        if backward:
            turned = positives.transpose()
            scores = scores[positives.by_item]
            counters.append(Counter(Verdicts(source, turned, scores, backward=True, order=orders[1])))
        if (device := torch_device()) is not None and not source.exact:
            sweep_by_torch(source, positives, counters, device)
        else:
            _Sweep(source, positives, tiles, counters).run(pool)
    return [(counter.verdicts.scores, *counter.totals()) for counter in counters]


def _fitting_tiles(positives: Positives) -> Tiles:
    """Return square tiles where lines must be sorted, since a line is better sorted in few long pieces."""
    most = max(positives.counts.max(initial=0), np.bincount(positives.indices).max(initial=0))
    return Tiles(queries=LARGEST) if most > FEW else Tiles()


def _scores_of(source: ScoreSource, positives: Positives, pool: ThreadPoolExecutor) -> Weights:
    scores = np.empty(len(positives))

    def fill(start: int, stop: int) -> None:
        scores[start:stop] = source.of(positives.queries[start:stop], positives.indices[start:stop])

    for done in [pool.submit(fill, *span) for span in spans(0, len(positives), SHARE)]:
        done.result()
    wrong = np.flatnonzero(~np.isfinite(scores))
    if len(wrong):
        raise DataError(
            f"query {positives.queries[wrong[0]]} scores {scores[wrong[0]]} with its positive "
            f"{positives.indices[wrong[0]]}: scores of positives must be finite."
        )
    return scores


class _Sweep:
    """One pass over all tiles, whose negatives feed the counters."""

    def __init__(
        self, source: ScoreSource, positives: Positives, tiles: Tiles, counters: list[Counter]
    ) -> None:
        self.source, self.positives, self.tiles, self.counters = source, positives, tiles, counters
        self.held = local()
        self.homes = homes_of(positives, tiles.queries, tiles.gallery)

    def run(self, pool: ThreadPoolExecutor) -> None:
        """Fill the counters."""
        n, size = self.positives.n_queries, self.tiles.queries
        for panel in self.tiles.panels(self.positives.n_gallery, self.source.row_bytes):
            items = self.source.panel(*panel)
            work = [pool.submit(self._strip, start, stop, panel, items) for start, stop in spans(0, n, size)]
            for done in work:
                done.result()

    def _strip(self, start: int, stop: int, panel: tuple[int, int], items: np.ndarray) -> None:
        """Count one block of queries against one panel of the gallery."""
        block = self.source.block(start, stop, panel)
        with np.errstate():
            np.setbufsize(ONE_ROW)  # comparing with one number a row then reads it in place: twice as fast
            for left, right in spans(*panel, self.tiles.gallery):
                scores, masks = self._buffers(stop - start, right - left)
                columns = slice(left - panel[0], left - panel[0] + scores.shape[1])
                self.source.tile(block, items, columns, scores)
                scores[stop - start :] = -np.inf  # the padding reaches nobody
                scores[:, right - left :] = -np.inf
                for homes in self.homes:
                    scores[homes.inside(start, left)] = -np.inf
                tile = OpenTile(self.source, start, left, (stop - start, right - left))
                self.counters[0].rows(scores, masks, tile)
                for backward in self.counters[1:]:
                    backward.columns(scores, masks, tile)

    def _buffers(self, rows: int, columns: int) -> tuple[np.ndarray, Masks]:
        """Return this thread's tile and its masks, padded."""
        if not hasattr(self.held, "scores"):
            size = self.tiles.queries * self.tiles.gallery
            self.held.scores, self.held.masks = np.empty(size, self.source.dtype), np.empty((2, size), bool)
        shape = padded(rows), padded(columns)
        size = shape[0] * shape[1]
        first, second = (mask[:size].reshape(shape) for mask in self.held.masks)
        return self.held.scores[:size].reshape(shape), (first, second)


@contextmanager
def _workers(tiles: Tiles, dtype: np.dtype) -> Iterator[ThreadPoolExecutor]:
    """Give as many threads as the BLAS would use; while they run, each product keeps to one.

    So comparisons run in parallel as well as products, and a tile's numbers do not depend on the threads.
    """
    blas = ThreadpoolController().select(user_api="blas")
    threads = max([1, *(library["num_threads"] for library in blas.info())])
    most = max(1, TILE_BYTES // (tiles.queries * tiles.gallery * (dtype.itemsize + 2)))
    with blas.limit(limits=1), ThreadPoolExecutor(min(threads, most)) as pool:
        yield pool
