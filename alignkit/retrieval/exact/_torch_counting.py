"""Count in both directions by torch, tile by tile, on a graphics card or on the processor."""

from typing import Any, TypeAlias

import numpy as np

from alignkit.devices import import_torch, whole_float32
from alignkit.retrieval.exact.counters import Counter
from alignkit.retrieval.exact.homes import homes_of
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.scores import ScoreSource
from alignkit.retrieval.exact.tiles import spans
from alignkit.retrieval.exact.verdicts import OpenTile

Tensor: TypeAlias = Any  # torch is imported where it is used, and may be absent

TILE = 2048, 8192  # queries, gallery items: 64 MB of scores
PANEL_BYTES = 4 << 30  # of prepared gallery rows held on the device


def sweep_by_torch(source: ScoreSource, positives: Positives, counters: list[Counter], device: str) -> None:
    """Fill the counters from products on ``device``, in whole float32, with the counts of numpy.

    The product's error has one bound whatever the order of its sums, so the card's products leave other
    entries open than numpy's, and the exact scores decide both alike.
    """
    queries, gallery = TILE
    masked = homes_of(positives, queries, gallery)
    panel = max(1, PANEL_BYTES // (source.row_bytes * gallery)) * gallery
    with whole_float32(device, f"{positives.n_queries} queries and {positives.n_gallery} items"):
        lines = [_Lines(counter, device) for counter in counters]
        for left, right in spans(0, positives.n_gallery, panel):
            items = _there(source.panel(left, right)[: right - left], device)
            for start, stop in spans(0, positives.n_queries, queries):
                block = _there(source.block(start, stop, (left, right))[: stop - start], device)
                for low, high in spans(left, right, gallery):
                    scores = block @ items[low - left : high - left].T
                    for homes in masked:
                        own = tuple(_there(side, device) for side in homes.inside(start, low))
                        scores[own] = -np.inf
                    tile = OpenTile(source, start, low, (stop - start, high - low))
                    lines[0].take(scores, start, low, tile)
                    for backward in lines[1:]:
                        backward.take(scores.T, low, start, tile)
        for direction in lines:
            direction.hand_back()


class _Lines:
    """The lines of one direction: their levels and counts, on the device."""

    def __init__(self, counter: Counter, device: str) -> None:
        self.counter, self.device, self.torch = counter, device, import_torch(f"device {device}")
        self.few, self.levels = (_there(levels, device) for levels in (counter.few, counter.levels))
        self.counts = _there(counter.few_counts, device)

    def take(self, scores: Tensor, first: int, other: int, tile: OpenTile) -> None:
        """Count along the rows of ``scores``: from line ``first`` on, with the items from ``other`` on."""
        here = slice(first, first + len(scores))
        for p, counts in enumerate(self.counts):
            lower, upper = self.few[p, :, here, None]
            reached, over = scores >= lower, scores > upper
            found = self.torch.stack([reached.sum(dim=1), over.sum(dim=1)])
            counts[:, here] += found
            if bool((found[0] != found[1]).any()):
                line, item = (self._back(side) for side in (reached & ~over).nonzero(as_tuple=True))
                self.counter.settle(p, line + first, item + other, tile)
        many = np.flatnonzero(self.counter.many[here])
        if len(many):
            self._look_up(scores[_there(many, self.device)], first + many, other, tile)

    def _look_up(self, scores: Tensor, lines: np.ndarray, other: int, tile: OpenTile) -> None:
        """Sort lines that have many positives and find the place of each positive's levels."""
        ordered, order = scores.contiguous().sort(dim=1)
        indptr, width = self.counter.positives.indptr, scores.shape[1]
        for line, values, places in zip(lines, ordered, order, strict=True):
            lower, upper = self.levels[:, indptr[line] : indptr[line + 1]].contiguous()
            reached = width - self.torch.searchsorted(values, lower)
            over = width - self.torch.searchsorted(values, upper, right=True)
            found = self._back(reached), self._back(over)
            self.counter.take(line, found, lambda places=places: other + self._back(places)[::-1], tile)

    def hand_back(self) -> None:
        """Give the counts to the counter."""
        self.counter.few_counts[:] = self._back(self.counts)

    def _back(self, values: Tensor) -> np.ndarray:
        return values.cpu().numpy()


def _there(values: np.ndarray, device: str) -> Tensor:
    return import_torch(f"device {device}").tensor(values, device=device)
