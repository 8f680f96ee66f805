"""The products of every two spaces over the items that both hold: all that a closed-form frame needs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alignkit.aligners._frame import Frame
from alignkit.errors import DataError
from alignkit.joint._base import BLOCK
from alignkit.rows import Rows


@dataclass(frozen=True, slots=True)
class Products:
    """Hold the products of framed rows, in O(D^2) memory with D the dimensions of all spaces together.

    An item that ``k`` spaces hold counts with weight ``1 / k`` in every product, so that the distances to
    its mean over these spaces are what is summed (Commandeur 1991), and a space that lacks it has no part.

    Parameters
    ----------
    whole
        Sum over the items of ``s s' / k``, with ``s`` the item's rows of all spaces side by side and zeros
        where it is missing.
    own
        For every space, the sum of ``x x'``, each item once.
    counts
        Items that each space holds.
    shares
        The sum of ``1 / k`` over these items.
    starts
        Where each space begins in ``whole``, and the end.
    """

    whole: np.ndarray
    own: tuple[np.ndarray, ...]
    counts: np.ndarray
    shares: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, sides: Sequence[Rows], rows: np.ndarray, frames: Sequence[Frame]) -> "Products":
        """Return the products, read a block of items at a time.

        Raises
        ------
        DataError
            If they leave the range of float64.
        """
        held = rows >= 0
        weights = 1 / held.sum(axis=1)
        starts = np.cumsum([0, *(side.shape[1] for side in sides)])
        whole = np.zeros((starts[-1], starts[-1]))
        own = [np.zeros((side.shape[1],) * 2) for side in sides]
        for start in range(0, len(rows), BLOCK):
            part = slice(start, start + BLOCK)
            stacked = np.zeros((len(rows[part]), starts[-1]))
            for i, (side, frame) in enumerate(zip(sides, frames, strict=True)):
                here = held[part, i]
                block = frame.apply(np.asarray(side[rows[part][here, i]]), dtype=np.float64)
                stacked[here, starts[i] : starts[i + 1]] = block
                if not held.all():
                    own[i] += block.T @ block
            stacked *= np.sqrt(weights[part])[:, None]
            whole += stacked.T @ stacked
        if not np.isfinite(whole).all():
            raise DataError("the products of the rows leave the range of float64: scale the rows down.")
        products = cls(whole, tuple(own), held.sum(axis=0), weights @ held, starts)
        if held.all():  # then an item's weight is the same everywhere
            own = [products.block(i, i) * len(sides) for i in range(len(sides))]
        return cls(whole, tuple(own), products.counts, products.shares, starts)

    def block(self, i: int, j: int) -> np.ndarray:
        """Return the weighted products of the spaces ``i`` and ``j``."""
        return self.whole[self.part(i), self.part(j)]

    def part(self, i: int) -> slice:
        """Return which of all dimensions are those of space ``i``."""
        return slice(int(self.starts[i]), int(self.starts[i + 1]))
