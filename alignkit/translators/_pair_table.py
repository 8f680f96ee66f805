"""The pairs of a training run in an order that their content decides, gathered batch by batch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from alignkit.aligners._folds import assign_folds, pair_keys, row_keys
from alignkit.aligners._frame import Frame, FrameFit, Normalize
from alignkit.errors import DataError
from alignkit.rows import Rows
from alignkit.shapes import Links, Weights

BLOCK = 8192  # rows read at a time
IN_MEMORY = 2**30  # bytes of framed rows that are kept; above, every batch is read again


@dataclass(slots=True, eq=False)
class PairTable:
    """Distinct pairs with weights, the frames of both sides, and who is nobody's negative.

    Copies of a pair are one pair with their summed weight; pairs without weight are left out. The order is
    that of the framed rows along a fixed direction: whoever permutes the rows, moves the cloud or repeats a
    pair instead of weighing it trains on the same batches.
    """

    source: Rows
    target: Rows
    links: Links
    weight: Weights
    items: np.ndarray  # a number for source, target and group of every pair: equal ones share it
    frames: tuple[Frame, Frame]
    numbers: np.ndarray  # where each pair stood among those given
    kept: tuple[np.ndarray, np.ndarray] | None = None  # all framed rows, where they fit

    @classmethod
    def of(
        cls, source: Rows, target: Rows, links: Links, weight: Weights | None, groups: Any, steps: Normalize
    ) -> "PairTable":
        """Return the table of pairs of rows; they may be memory maps and are read a block at a time.

        Raises
        ------
        DataError
            If fewer than two distinct pairs have a weight.
        """
        weight = np.ones(len(links)) if weight is None else np.asarray(weight, np.float64)
        used = np.flatnonzero(weight > 0)
        sides = [_ranked(rows, links[used, side], steps) for side, rows in enumerate((source, target))]
        keys = pair_keys(*(side.astype(np.uint64) for side in sides))
        _, first, copy = np.unique(keys, return_index=True, return_inverse=True)
        order = np.lexsort((sides[1][first], sides[0][first]))
        summed, first = np.bincount(copy, weight[used])[order], first[order]
        if len(first) < 2:
            raise DataError(
                f"a network learns from two distinct pairs or more, and {len(first)} was given, in rows of "
                f"{source.shape[1]} feature(s): add pairs."
            )
        label = np.arange(len(first)) if groups is None else np.asarray(groups)[used[first]]
        items = np.stack([sides[0][first], sides[1][first], np.unique(label, return_inverse=True)[1]])
        known = links[used[first]]
        frames = (
            _frame(source, known[:, 0], steps, summed),
            _frame(target, known[:, 1], steps, summed),
        )
        table = cls(source, target, known, summed, items, frames, used[first])
        if sum(rows.shape[1] for rows in (source, target)) * 4 * len(known) <= IN_MEMORY:
            table.kept = table._read(np.arange(len(known)))
        return table

    def __len__(self) -> int:
        return len(self.links)

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return framed source and target rows of some pairs, float32."""
        if self.kept is not None:
            return self.kept[0][rows], self.kept[1][rows]
        return self._read(rows)

    def blocks(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, Weights]]:
        """Yield framed rows of both sides of some pairs, and their weights: float64, a block at a time."""
        for start in range(0, len(rows), BLOCK):
            part = rows[start : start + BLOCK]
            X, Y = (side.astype(np.float64) for side in self.batch(part))
            yield X, Y, self.weight[part]

    def split(self, share: float, most: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the pairs to learn from and those to be judged by: the first of as many `folds` as fit.

        Without a share, and where everything hangs together, none is held out.
        """
        folds = self.folds(max(2, round(1 / share)), most) if share else []
        return folds[0] if folds else (np.arange(len(self)), np.zeros(0, np.int64))

    def folds(self, count: int, most: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the pairs to learn from and those to be judged by, ``count`` times or as often as can be.

        They share no item and no group, and every pair is held out once. Of pairs that hang together one is
        judged by, of all no more than ``most`` a time. Where everything hangs together there is no fold.
        """
        source, target, group = self.items
        dealt = assign_folds(source.astype(np.uint64), target.astype(np.uint64), group, count)
        found = []
        for fold in range(dealt.max(initial=0) + 1 if dealt.any() else 0):
            held = np.flatnonzero(dealt == fold)
            one = np.unique(_components(self.items[:, held]), return_index=True)[1]
            found.append((np.flatnonzero(dealt != fold), held[np.sort(one)][:most]))
        return found

    def _read(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        out = []
        for side, frame in zip((self.source, self.target), self.frames, strict=True):
            column = self.links[rows, len(out)]
            framed = np.empty((len(rows), side.shape[1]), np.float32)
            for start in range(0, len(rows), BLOCK):
                part = slice(start, start + BLOCK)
                framed[part] = frame.apply(np.asarray(side[column[part]]), dtype=np.float64)
            out.append(framed)
        return out[0], out[1]


def _ranked(rows: Rows, column: np.ndarray, steps: Normalize) -> np.ndarray:
    """Return a number for every row of a column: equal rows share one, in the order along a direction."""
    unit, directions, keys = FrameFit(steps), FrameFit("unit"), []
    for start in range(0, len(column), BLOCK):
        block = np.asarray(rows[column[start : start + BLOCK]])
        if steps.startswith("unit"):
            directions.update(block)  # which names a row that has none
        keys.append(row_keys(unit.unit(block)))
    if not keys:
        return np.zeros(0, np.int64)
    distinct, first, which = np.unique(np.concatenate(keys), return_index=True, return_inverse=True)
    once, along = column[first], np.random.default_rng(0).normal(size=rows.shape[1])
    frame, place = _frame(rows, once, steps, np.ones(len(once))), np.empty(len(distinct))
    for start in range(0, len(once), BLOCK):
        part = slice(start, start + BLOCK)
        framed = frame.apply(np.asarray(rows[once[part]]), dtype=np.float64)
        place[part] = (framed * along).sum(axis=1)
    rank = np.empty(len(distinct), np.int64)
    rank[np.argsort(place, kind="stable")] = np.arange(len(distinct))
    return rank[which]


def _frame(rows: Rows, column: np.ndarray, steps: Normalize, weight: Weights) -> Frame:
    fit = FrameFit(steps)
    for start in range(0, len(column), BLOCK):
        part = slice(start, start + BLOCK)
        fit.update(np.asarray(rows[column[part]]), weight[part])
    return fit.frame()


def _components(items: np.ndarray) -> np.ndarray:
    """Return a number for every pair: pairs that share an item, or a chain of them, have the same."""
    source, target, group = (row.astype(np.uint64) for row in items)
    return assign_folds(source, target, group, items.shape[1])  # as many folds as there can be components
