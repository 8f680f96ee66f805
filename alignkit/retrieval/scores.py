"""Where the scores of a tile come from: a product of prepared rows, or a matrix that is there already."""

import math
from abc import ABC, abstractmethod

import numpy as np

from alignkit.errors import DataError
from alignkit.retrieval.positives import Positives
from alignkit.retrieval.tiles import GRAIN, padded, spans
from alignkit.retrieval.vectors import PreparedRows

SMALL = 1 << 20  # multiplications below which a BLAS may take another inner loop (OpenBLAS: 100 cubed)


class ScoreSource(ABC):
    """Hand out tiles of scores: a gallery panel is prepared once, a block of queries for each panel.

    ``least`` is the shortest side that a tile may be padded to; ``row_bytes`` the size of a prepared row.
    """

    dtype: np.dtype
    row_bytes: int
    least: int

    @abstractmethod
    def panel(self, start: int, stop: int) -> np.ndarray:
        """Prepare a panel of the gallery, with ``least`` rows of padding."""

    @abstractmethod
    def block(self, start: int, stop: int, panel: tuple[int, int]) -> np.ndarray:
        """Prepare a block of queries for one panel."""

    @abstractmethod
    def tile(self, block: np.ndarray, panel: np.ndarray, columns: slice, out: np.ndarray) -> None:
        """Write the scores of a block against some columns of the panel into the padded ``out``."""

    @abstractmethod
    def of(self, positives: Positives) -> np.ndarray:
        """Return every positive's score, as far as possible to the last bit as a tile gives it."""


class ProductScores(ScoreSource):
    """Scores are products of prepared rows.

    Every product is padded until no BLAS takes it for small: then each entry is summed in one order, whatever
    the shape of its tile and its place in it, and equal rows get equal scores.
    """

    def __init__(self, queries: PreparedRows, gallery: PreparedRows) -> None:
        self.left, self.right = queries, gallery
        self.dtype = queries.dtype
        self.row_bytes = queries.dim * self.dtype.itemsize
        self.least = padded(math.isqrt(SMALL // queries.dim) + 1)

    def panel(self, start: int, stop: int) -> np.ndarray:  # noqa: D102
        return self.right.block(slice(start, stop), padded(stop - start) + self.least)

    def block(self, start: int, stop: int, panel: tuple[int, int]) -> np.ndarray:  # noqa: ARG002, D102
        return self.left.block(slice(start, stop), padded(stop - start, self.least))

    def tile(self, block: np.ndarray, panel: np.ndarray, columns: slice, out: np.ndarray) -> None:  # noqa: D102
        np.matmul(block, panel[columns].T, out=out)

    def of(self, positives: Positives) -> np.ndarray:
        """Score the positives on the diagonals of the smallest products that count as large."""
        scores = np.empty(len(positives), self.dtype)
        left, right = (np.empty((self.least, side.dim), self.dtype) for side in (self.left, self.right))
        product = np.empty((self.least, self.least), self.dtype)
        for start, stop in spans(0, len(positives), self.least):
            self.left.fill(positives.queries[start:stop], left)
            self.right.fill(positives.indices[start:stop], right)
            np.matmul(left, right.T, out=product)
            scores[start:stop] = product.diagonal()[: stop - start]
        return scores


class MatrixScores(ScoreSource):
    """Scores stand in a matrix, queries by gallery."""

    least = GRAIN

    def __init__(self, scores: np.ndarray) -> None:
        if scores.dtype.kind not in "fiub":
            raise DataError(f"scores have type {scores.dtype}; give real numbers.")
        self.scores = scores
        self.dtype = np.result_type(scores.dtype, np.float32)
        self.row_bytes = self.dtype.itemsize

    def panel(self, start: int, stop: int) -> np.ndarray:  # noqa: D102
        return np.empty((stop - start, 0))

    def block(self, start: int, stop: int, panel: tuple[int, int]) -> np.ndarray:  # noqa: D102
        block = self.scores[start:stop, slice(*panel)]
        if np.isnan(block).any():
            row = start + int(np.argmax(np.isnan(block).any(axis=1)))
            raise DataError(f"row {row} of the scores holds NaN: repair or remove it.")
        return block

    def tile(self, block: np.ndarray, panel: np.ndarray, columns: slice, out: np.ndarray) -> None:  # noqa: ARG002, D102
        part = block[:, columns]
        out[: part.shape[0], : part.shape[1]] = part

    def of(self, positives: Positives) -> np.ndarray:  # noqa: D102
        return self.scores[positives.queries, positives.indices].astype(self.dtype)
