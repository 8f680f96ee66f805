"""The gap of rows that stream by: all that adds up, in memory that the number of rows does not change."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from alignkit.errors import DataError
from alignkit.gaps._clouds import unit_rows
from alignkit.gaps._measure_all import chosen_measures, full_name
from alignkit.gaps._products import Products
from alignkit.gaps._replicas import BLOCKS, NULLS, Replicas, total, without_each
from alignkit.gaps._replicated import Replicated
from alignkit.gaps._spectra import Spectra, spectra_of, spectra_without_blocks
from alignkit.gaps._spread import Spread, middle
from alignkit.gaps._sums import Sums, permuted_sums, sums_of_rows, sums_of_side
from alignkit.reports import Score
from alignkit.shapes import SourceRows, TargetRows, Vectors

JACKKNIFE = "Student with the variance of a delete-a-block jackknife over 20 blocks of chunks"


class GapStream:
    """Add chunks of rows, then ask for scores; rows are normalised on the way and never kept.

    Chunks go to 20 blocks in turn, so they should be small beside the whole, and in no order that matters.
    Pairs must be one-to-one: row i of one chunk with row i of the other. Memory is 60 matrices of d x d.

    Examples
    --------
    >>> stream = GapStream()
    >>> for seed in range(40):
    ...     x = np.random.default_rng(seed).normal(size=(20, 4))
    ...     stream.add_pairs(x + 1, x - 1)
    >>> round(stream.scores(["centroid_distance"])["centroid_distance"].value, 1)
    1.4
    """

    def __init__(self) -> None:
        self.paired: bool | None = None
        self._chunks = {"x": 0, "y": 0}
        self._origin = np.zeros(0)
        self._sums: list[Sums | None] = [None] * BLOCKS
        self._spreads: dict[str, list[Spread | None]] = {"x": [None] * BLOCKS, "y": [None] * BLOCKS}
        self._shared: list[np.ndarray | float] = [0.0] * BLOCKS
        self._permuted: list[Sums] = []

    def add_pairs(self, x: SourceRows, y: TargetRows) -> None:
        """Add rows of which row i of x belongs to row i of y."""
        self._expect(paired=True)
        if x.shape != y.shape:
            raise DataError(
                f"rows of shape {x.shape} and {y.shape} do not lie side by side: give equally many."
            )
        x, y = unit_rows(x, "x"), unit_rows(y, "y")
        block, first = self._chunks["x"] % BLOCKS, not len(self._origin)
        if first:
            self._origin = middle(x, y)
        self._add_sums(block, sums_of_rows(x, y))
        drawn = permuted_sums(x, y, [np.random.default_rng([9, self._chunks["x"], d]) for d in range(NULLS)])
        self._permuted = (
            [a + b for a, b in zip(self._permuted, drawn, strict=True)] if self._permuted else drawn
        )
        found = Products.of(x, y, self._origin)
        self._add_spread("x", block, found.spread_x)
        self._add_spread("y", block, found.spread_y)
        self._shared[block] = self._shared[block] + found.xy
        self._chunks["x"] += 1

    def add_side(self, side: str, rows: Vectors) -> None:
        """Add rows of side ``"x"`` or ``"y"`` of which nobody knows the partners."""
        self._expect(paired=False)
        rows = unit_rows(rows, side)
        if not len(self._origin):
            self._origin = rows.mean(axis=0, dtype=np.float64)
        block = self._chunks[side] % BLOCKS
        self._add_sums(block, sums_of_side(rows, first=side == "x"))
        self._add_spread(side, block, Spread.of(rows, self._origin))
        self._chunks[side] += 1

    def scores(self, measures: Iterable[str] | None = None, *, seed: int = 0) -> dict[str, Score]:
        """Return the scores of the measures that add up; others are left out.

        Raises
        ------
        DataError
            If fewer than 20 chunks of a side were added.
        """
        chunks = [self._chunks["x"]] if self.paired else list(self._chunks.values())
        if min(chunks) < BLOCKS:
            raise DataError(f"{min(chunks)} chunks of rows are too few: give {BLOCKS} or more, smaller ones.")
        read: dict[str, Replicas[Any]] = {}
        out = {}
        for name, measure in chosen_measures(None if measures is None else list(measures)).items():
            if not isinstance(measure, Replicated) or measure.reads == "rows":
                continue
            if measure.needs_pairs and not self.paired:
                continue
            key = f"{measure.reads} {measure.needs_pairs}"
            if key not in read:
                read[key] = self._replicas(measure.reads, measure.needs_pairs, seed)
            for part, score in measure.of_replicas(read[key], self.items).items():
                out[full_name(name, part)] = score
        return out

    @property
    def items(self) -> int:
        """Pairs, or rows of the smaller side."""
        whole = total([part for part in self._sums if part is not None])
        return int(min(whole.n, whole.m))

    def _replicas(self, reads: str, pairs: bool, seed: int) -> Replicas[Any]:
        if reads == "sums":
            parts = [part for part in self._sums if part is not None]
            nulls = self._permuted_nulls(total(parts)) if pairs else list(self._split_sums(parts, seed))
            return without_each(parts, nulls)
        x, y = ([part for part in self._spreads[side] if part is not None] for side in "xy")
        if reads == "spectra":
            whole = spectra_of(total(x), total(y), self._origin)
            left_out = spectra_without_blocks(x, y, self._origin)
            return Replicas(whole, list(left_out), list(self._split_spectra(x, y, seed)))
        products = [
            Products(a.n, a.total, b.total, a.products, np.asarray(xy), b.products, self._origin)
            for a, b, xy in zip(x, y, self._shared, strict=True)
        ]
        return without_each(products, ())

    def _permuted_nulls(self, whole: Sums) -> list[Sums]:
        return [whole.repaired(one.cosine, one.distance) for one in self._permuted]

    def _split_sums(self, parts: list[Sums], seed: int) -> Iterator[Sums]:
        halves = [(part.n, part.x) for part in parts] + [(part.m, part.y) for part in parts]
        rows = sum(part.n for part in parts), sum(part.m for part in parts)
        for sides in _splits(*rows, seed):
            n, m = (sum(halves[i][0] for i in side) for side in sides)
            x, y = (sum((halves[i][1] for i in side), np.zeros_like(self._origin)) for side in sides)
            yield Sums(n, m, min(n, m), x, y, n, m, 0.0)

    def _split_spectra(self, x: list[Spread], y: list[Spread], seed: int) -> Iterator[Spectra]:
        halves = x + y
        for sides in _splits(total(x).n, total(y).n, seed):
            one, other = (total([halves[i] for i in side]) for side in sides)
            yield spectra_of(one, other, self._origin)

    def _add_sums(self, block: int, found: Sums) -> None:
        held = self._sums[block]
        self._sums[block] = found if held is None else held + found

    def _add_spread(self, side: str, block: int, found: Spread) -> None:
        held = self._spreads[side][block]
        self._spreads[side][block] = found if held is None else held + found

    def _expect(self, *, paired: bool) -> None:
        if self.paired is None:
            self.paired = paired
        elif self.paired != paired:
            raise DataError("a stream holds pairs or single sides, not both: begin another one.")


def _splits(x_rows: float, y_rows: float, seed: int) -> Iterator[tuple[list[int], list[int]]]:
    """Yield random splits of the blocks of x (0 to 19) and of y (20 to 39), the first about as large as x.

    Each side gets the same share of both modalities: blocks are so few that their numbers would differ by
    chance, and a share of the gap would be left.
    """
    kept = int(np.clip(round(BLOCKS * x_rows / (x_rows + y_rows)), 1, BLOCKS - 1))
    for draw in range(NULLS):
        rng = np.random.default_rng([seed, 5, draw])
        orders = (rng.permutation(BLOCKS), BLOCKS + rng.permutation(BLOCKS))
        first, second = ([order[:kept].tolist(), order[kept:].tolist()] for order in orders)
        yield first[0] + second[0], first[1] + second[1]
