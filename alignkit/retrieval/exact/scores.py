"""Where the scores of a tile come from: a product of prepared rows, or a matrix that is there already."""

from abc import ABC, abstractmethod

import numpy as np

from alignkit.errors import DataError
from alignkit.retrieval.exact.tiles import padded
from alignkit.retrieval.exact.vectors import PreparedRows
from alignkit.row_products import row_distances, row_products
from alignkit.shapes import PerItem, PerQuery, Weights

SLACK = 8  # roundings of a score beside those of its sum: lengths, divisions, the stored squares


class ScoreSource(ABC):
    """Hand out tiles of scores: a gallery panel is prepared once, a block of queries for each panel.

    A tile's entry lies within a margin of the exact score, which `of` gives for single pairs. ``exact``
    says that there is no margin: the tile holds the scores themselves. ``dtype`` is that of a tile,
    ``row_bytes`` the size of a prepared row.
    """

    dtype: np.dtype
    row_bytes: int
    exact: bool

    @abstractmethod
    def panel(self, start: int, stop: int) -> np.ndarray:
        """Prepare a panel of the gallery."""

    @abstractmethod
    def block(self, start: int, stop: int, panel: tuple[int, int]) -> np.ndarray:
        """Prepare a block of queries for one panel."""

    @abstractmethod
    def tile(self, block: np.ndarray, panel: np.ndarray, columns: slice, out: np.ndarray) -> None:
        """Write the scores of a block against some columns of the panel into the padded ``out``."""

    @abstractmethod
    def of(self, queries: np.ndarray, items: np.ndarray) -> Weights:
        """Return the exact scores of pairs (query, item), float64: they depend on the two rows alone."""

    @abstractmethod
    def margins(self, dtype: np.dtype) -> tuple[PerQuery, PerItem]:
        """Return how far a product in ``dtype`` may be from the exact score: a query's, an item's worst."""

    @abstractmethod
    def doubles(self, queries: slice, items: slice) -> np.ndarray | None:
        """Return a tile by a float64 product; None where tiles are float64 already."""

    @abstractmethod
    def copies(self) -> tuple[np.ndarray, np.ndarray]:
        """Return labels of queries, and of items: rows of one label score alike with everything."""


class ProductScores(ScoreSource):
    """Scores are products of prepared rows.

    A product of float32 rows, summed in any order, is within ``d`` roundings of the exact one (Higham 2002,
    *Accuracy and Stability of Numerical Algorithms*, section 3.1); entries nearer than that to the score
    that they are compared with are decided by `of`. So no count depends on the BLAS, the processor, or the
    place of a row in its block.
    """

    exact = False

    def __init__(self, queries: PreparedRows, gallery: PreparedRows) -> None:
        self.left, self.right = queries, gallery
        self.dtype = queries.dtype
        self.row_bytes = queries.dim * self.dtype.itemsize

    def panel(self, start: int, stop: int) -> np.ndarray:  # noqa: D102
        return self.right.block(slice(start, stop), padded(stop - start))

    def block(self, start: int, stop: int, panel: tuple[int, int]) -> np.ndarray:  # noqa: ARG002, D102
        return self.left.block(slice(start, stop), padded(stop - start))

    def tile(self, block: np.ndarray, panel: np.ndarray, columns: slice, out: np.ndarray) -> None:  # noqa: D102
        np.matmul(block, panel[columns].T, out=out)

    def of(self, queries: np.ndarray, items: np.ndarray) -> Weights:  # noqa: D102
        left, right = self.left, self.right
        if left.similarity == "euclidean":
            return -row_distances(left.rows, queries, right.rows, items)
        products = row_products(left.rows, queries, right.rows, items)
        if left.similarity == "cosine":
            products /= left.lengths[queries] * right.lengths[items]
        return products

    def margins(self, dtype: np.dtype) -> tuple[PerQuery, PerItem]:  # noqa: D102
        unit = float(np.finfo(dtype).eps) / 2
        # in float64 the exact score has roundings of its own
        relative = unit * (self.left.dim + SLACK) * (2 if dtype == np.float64 else 1)
        if self.left.similarity == "cosine":
            return np.full(len(self.left), relative), np.full(len(self.right), relative)
        lengths = self.left.lengths, self.right.lengths
        longest = [float(side.max(initial=0)) for side in lengths]
        tiny = float(np.finfo(dtype).tiny)
        if self.left.similarity == "dot":
            worst = lengths[0] * longest[1], lengths[1] * longest[0]
        else:
            worst = (lengths[0] + longest[1]) ** 2, (lengths[1] + longest[0]) ** 2
        return relative * worst[0] + tiny, relative * worst[1] + tiny

    def doubles(self, queries: slice, items: slice) -> np.ndarray | None:  # noqa: D102
        if self.dtype == np.float64:
            return None
        sides = ((self.left, queries), (self.right, items))
        left, right = (side.block(span, span.stop - span.start, np.dtype(np.float64)) for side, span in sides)
        return left @ right.T

    def copies(self) -> tuple[np.ndarray, np.ndarray]:  # noqa: D102
        return self.left.copies, self.right.copies


class MatrixScores(ScoreSource):
    """Scores stand in a matrix, queries by gallery."""

    exact = True

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

    def of(self, queries: np.ndarray, items: np.ndarray) -> Weights:  # noqa: D102
        return self.scores[queries, items].astype(np.float64)

    def margins(self, dtype: np.dtype) -> tuple[PerQuery, PerItem]:  # noqa: ARG002, D102
        return np.zeros(self.scores.shape[0]), np.zeros(self.scores.shape[1])

    def doubles(self, queries: slice, items: slice) -> np.ndarray | None:  # noqa: ARG002, D102
        return None

    def copies(self) -> tuple[np.ndarray, np.ndarray]:  # noqa: D102
        return np.arange(self.scores.shape[0]), np.arange(self.scores.shape[1])
