"""Nearest rows and CSLS matches by torch, tile by tile, on a graphics card or on the processor."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import numpy as np

from alignkit.devices import import_torch, whole_float32
from alignkit.shapes import SourceRows, TargetRows

Tensor: TypeAlias = Any  # torch is imported where it is used, and may be absent
Found: TypeAlias = tuple[np.ndarray, np.ndarray]  # indices and scores

PANEL = 1 << 14  # columns of a tile
CARD = 16  # times the processor's tile: a card is fed by few large products


class TorchProducts:
    """The scores ``A B'`` in float32 on one device, a tile at a time, never all of them in memory.

    Every pass cuts the same tiles, so that a score is the same in all passes. Scores differ from those of
    numpy by the rounding of float32; ties are decided as there, for the lower index.
    """

    def __init__(self, A: SourceRows, B: TargetRows, *, device: str, tile: int) -> None:
        self.torch, self.device = import_torch(f"device {device}"), device
        self.n, self.m = len(A), len(B)
        with self._computing():
            self.A, self.B = (self._there(np.asarray(side, np.float32)) for side in (A, B))
        self.width = min(PANEL, self.m)
        self.rows = max(1, tile // 4 * (1 if device == "cpu" else CARD) // self.width)

    def nearest(self, k: int) -> Found:
        """Return the ``k`` best of every row."""
        with self._computing():
            rows = _Kept(self, self.n, min(k, self.m))
            for top, left, scores in self._tiles():
                rows.take(top, left, scores)
            return rows.found()

    def nearest_both(self, k: int) -> tuple[Found, Found]:
        """Return the ``k`` best of every row and of every column, from one pass."""
        with self._computing():
            rows, columns = _Kept(self, self.n, min(k, self.m)), _Kept(self, self.m, min(k, self.n))
            for top, left, scores in self._tiles():
                rows.take(top, left, scores)
                columns.take(left, top, scores.T.contiguous())
            return rows.found(), columns.found()

    def csls(self, source_means: np.ndarray, target_means: np.ndarray) -> tuple[Found, Found]:
        """Return every line's best partner by ``2 score - mean of the partner``, and the plain score."""
        with self._computing():
            here, there = (self._there(means) for means in (source_means, target_means))
            rows, columns = _Best(self, self.n), _Best(self, self.m)
            for top, left, scores in self._tiles():
                twice = 2 * scores.double()
                rows.take(top, left, twice - there[left : left + scores.shape[1]], scores)
                twice -= here[top : top + len(scores), None]
                columns.take(left, top, twice.T, scores.T)
            return rows.found(), columns.found()

    def _tiles(self) -> Iterator[tuple[int, int, Tensor]]:
        for top in range(0, self.n, self.rows):
            for left in range(0, self.m, self.width):
                yield top, left, self.A[top : top + self.rows] @ self.B[left : left + self.width].T

    def _there(self, array: np.ndarray) -> Tensor:
        return self.torch.tensor(array, device=self.device)

    def _computing(self) -> AbstractContextManager[None]:
        return whole_float32(self.device, f"{self.n} and {self.m} rows")


class _Kept:
    """The ``k`` best scores of every line so far; the entries of a line arrive with rising indices."""

    def __init__(self, products: TorchProducts, lines: int, k: int) -> None:
        self.k, torch = k, products.torch
        self.scores = torch.full((lines, k), -torch.inf, device=products.device)
        self.indices = torch.zeros((lines, k), dtype=torch.int64, device=products.device)
        self.cat = torch.cat

    def take(self, start: int, offset: int, scores: Tensor) -> None:
        """Look at more entries of the lines from ``start`` on: those of the partners from ``offset`` on."""
        here = slice(start, start + len(scores))
        values, indices = _best(scores, min(self.k, scores.shape[1]))
        values = self.cat([self.scores[here], values], dim=1)
        indices = self.cat([self.indices[here], indices + offset], dim=1)
        values, order = values.sort(dim=1, descending=True, stable=True)
        self.scores[here] = values[:, : self.k]
        self.indices[here] = indices.gather(1, order)[:, : self.k]

    def found(self) -> Found:
        return self.indices.cpu().numpy(), self.scores.cpu().numpy()


class _Best:
    """The partner of every line with the highest criterion so far, and its score."""

    def __init__(self, products: TorchProducts, lines: int) -> None:
        torch, device = products.torch, products.device
        self.criterion = torch.full((lines,), -torch.inf, dtype=torch.float64, device=device)
        self.indices = torch.zeros(lines, dtype=torch.int64, device=device)
        self.scores = torch.zeros(lines, device=device)
        self.where = torch.where

    def take(self, start: int, offset: int, criterion: Tensor, scores: Tensor) -> None:
        here = slice(start, start + len(criterion))
        found, first = criterion.max(dim=1)  # the first of equal ones
        better = found > self.criterion[here]
        own = scores.gather(1, first[:, None])[:, 0]
        self.indices[here] = self.where(better, first + offset, self.indices[here])
        self.scores[here] = self.where(better, own, self.scores[here])
        self.criterion[here] = self.where(better, found, self.criterion[here])

    def found(self) -> Found:
        return self.indices.cpu().numpy(), self.scores.cpu().numpy()


def _best(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the ``k`` best scores of every row and their places; the lower place first where equal."""
    values, places = scores.topk(k, dim=1)
    # topk keeps any of the scores that are equal to the last one: where that leaves some out, sort all
    crowded = (scores >= values[:, -1:]).sum(dim=1) > k
    if crowded.any():
        whole = scores[crowded].sort(dim=1, descending=True, stable=True)
        values[crowded], places[crowded] = whole.values[:, :k], whole.indices[:, :k]
    places, order = places.sort(dim=1)
    values, order = values.gather(1, order).sort(dim=1, descending=True, stable=True)
    return values, places.gather(1, order)
