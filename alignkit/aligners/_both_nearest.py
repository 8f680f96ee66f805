"""Find the nearest rows of two sets in both directions, exactly, from one sweep of matrix products."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from alignkit.aligners._kept import Kept, bound, keys_of
from alignkit.aligners._torch_nearest import TorchProducts
from alignkit.devices import torch_device
from alignkit.shapes import SourceRows, TargetRows

GRAIN = 16  # sides of a product are padded to multiples of this: masks are read eight bytes at a time
TILE_BYTES = 16 << 20  # of one worker's tile of scores; its mask takes a quarter more
PANEL = 1 << 15  # columns at a time: they are sorted as 16-bit numbers
SPARE = 8  # candidates beyond those wanted, of which float64 decides
EXACT_BLOCK = 512  # rows whose candidates are gathered at a time
ONE_ROW = 16  # numbers in numpy's buffer of broadcast operands: with fewer than a row none is made


@dataclass(frozen=True, slots=True)
class Nearest:
    """The best scores of every line, from high to low, and whose they are; the lower index where equal."""

    indices: np.ndarray
    scores: np.ndarray


def nearest_both(A: SourceRows, B: TargetRows, k: int, *, tile: int = TILE_BYTES) -> tuple[Nearest, Nearest]:
    """Return the ``k`` best columns of every row of ``A B'``, and the ``k`` best rows of every column.

    Both come from the same products, each computed once in float32, a tile at a time: memory is a tile
    for every thread and ``k`` entries for every line. The threads change no bit; another ``tile``, or a
    torch device (see `on_device`), may change an entry by the rounding of float32.
    Where a line has fewer than ``k`` entries, it returns as many as there are.
    """
    if (device := torch_device()) is not None:
        rows, columns = TorchProducts(A, B, device=device, tile=tile).nearest_both(k)
        return Nearest(*rows), Nearest(*columns)
    row_table, column_table = Kept(len(A), min(k, len(B))), Kept(len(B), min(k, len(A)))
    _Sweep(A, B, tile).run(row_table, column_table)
    return Nearest(*row_table.sorted()), Nearest(*column_table.sorted())


def nearest(A: SourceRows, B: TargetRows, k: int, *, tile: int = TILE_BYTES) -> Nearest:
    """Return the ``k`` best columns of every row of ``A B'``: half of `nearest_both`."""
    if (device := torch_device()) is not None:
        return Nearest(*TorchProducts(A, B, device=device, tile=tile).nearest(k))
    rows = Kept(len(A), min(k, len(B)))
    _Sweep(A, B, tile).run(rows, None)
    return Nearest(*rows.sorted())


def nearest_exactly(A: SourceRows, B: TargetRows, k: int, *, tile: int = TILE_BYTES) -> Nearest:
    """Return what `nearest` does, chosen among a few more candidates by their scores in float64.

    Two devices round float32 in two ways and would disagree on the last place where scores nearly tie.
    """
    near = np.sort(nearest(A, B, k + SPARE, tile=tile).indices, axis=1)
    scores = np.empty(near.shape)
    for start in range(0, len(A), EXACT_BLOCK):
        some = slice(start, start + EXACT_BLOCK)
        scores[some] = np.matmul(B[near[some]], A[some, :, None], dtype=np.float64)[:, :, 0]
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]  # the lower index first where equal
    return Nearest(np.take_along_axis(near, order, axis=1), np.take_along_axis(scores, order, axis=1))


def tiles(A: SourceRows, B: TargetRows, *, tile: int = TILE_BYTES) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (first row, first column, scores) of the tiles of ``A B'``; a panel's rows in ascending order.

    For the few rows that are computed again, in which an entry may differ by the rounding of float32.
    """
    sweep = _Sweep(A, B, tile)
    with _blas().limit(limits=1):
        for left, right, panel in sweep.panels():
            for start in range(0, sweep.n, sweep.rows):
                scores = sweep.product(start, panel)
                yield start, left, scores[: min(sweep.rows, sweep.n - start), : right - left]


class _Sweep:
    """One pass over the tiles of a product, whose best entries are handed to `Kept`."""

    def __init__(self, A: SourceRows, B: TargetRows, tile: int) -> None:
        self.A, self.B = (np.ascontiguousarray(side, np.float32) for side in (A, B))
        self.n, self.m = len(A), len(B)
        self.width = min(PANEL, _padded(self.m))
        self.rows = max(tile // (4 * self.width) // GRAIN * GRAIN, GRAIN)

    def run(self, rows: Kept, columns: Kept | None) -> None:
        """Fill both tables, on as many threads as the BLAS would use."""
        blas = _blas()
        threads = max([1, *(library["num_threads"] for library in blas.info())])
        with blas.limit(limits=1), ThreadPoolExecutor(threads) as pool:
            for left, right, panel in self.panels():
                part = None if columns is None else columns.part(left, right)
                ahead: deque[Future] = deque()
                for start in range(0, self.n, self.rows):
                    ahead.append(pool.submit(self._strip, start, left, right, panel, rows, part))
                    if start == 0 or len(ahead) > threads:  # the first strip gives the columns their levels
                        _collect(ahead, part)
                while ahead:
                    _collect(ahead, part)
                if part is not None:
                    part.merge()

    def panels(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield (first column, last column, padded rows of ``B``)."""
        for left in range(0, self.m, PANEL):
            right = min(left + PANEL, self.m)
            yield left, right, _pad(self.B[left:right], _padded(right - left))

    def product(self, start: int, panel: np.ndarray) -> np.ndarray:
        """Return the padded scores of the rows from ``start`` against a panel."""
        block = self.A[start : start + self.rows]
        return _pad(block, _padded(len(block))) @ panel.T

    def _strip(
        self, start: int, left: int, right: int, panel: np.ndarray, rows: Kept, columns: Kept | None
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Hand one tile's best to the rows; return what may be the columns' best (index, key)."""
        stop, width = min(start + self.rows, self.n), right - left
        scores = self.product(start, panel)
        scores[stop - start :] = -np.inf  # the padding reaches nobody
        scores[:, width:] = -np.inf
        mask = np.empty(scores.shape, bool)
        mine = rows.part(start, stop)
        levels = mine.levels() if left else bound(scores[: stop - start, :width], mine.k)
        with np.errstate():
            np.setbufsize(ONE_ROW)  # comparing with one number a row then reads it in place
            np.greater(scores[: stop - start], levels[:, None], out=mask[: stop - start])
        mask[stop - start :] = False
        line, column = _hits(mask)
        mine.add(line, keys_of(scores[line, column], column + left))
        mine.merge()
        if columns is None:
            return None
        if start == 0:
            columns.raise_to(bound(np.ascontiguousarray(scores[:stop, :width].T), columns.k))
        levels = np.full(scores.shape[1], np.inf, np.float32)
        levels[:width] = columns.levels()
        np.greater(scores, levels, out=mask)
        line, column = _hits(mask)
        return column, keys_of(scores[line, column], line + start)


@cache
def _blas() -> ThreadpoolController:
    """Return numpy's BLAS; finding it takes milliseconds, so it is done once."""
    return ThreadpoolController().select(user_api="blas")


def _collect(ahead: "deque[Future]", columns: Kept | None) -> None:
    """Take the oldest strip's result: in this order a column's equal scores come lowest index first."""
    found = ahead.popleft().result()
    if columns is not None:
        columns.add(*found)
        if columns.is_full:
            columns.merge()


def _hits(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where a sparse mask is true, row by row; eight bytes are looked at together."""
    words = np.flatnonzero(mask.view(np.uint64))
    word, byte = np.nonzero(mask.reshape(-1, 8)[words])
    return np.divmod(words[word] * 8 + byte, mask.shape[1])


def _padded(size: int) -> int:
    return -(-size // GRAIN) * GRAIN


def _pad(rows: np.ndarray, size: int) -> np.ndarray:
    if len(rows) == size:
        return rows
    padded = np.zeros((size, rows.shape[1]), rows.dtype)
    padded[: len(rows)] = rows
    return padded
