"""Hand out rows ready for the matrix product: checked, in the computing dtype, normalised."""

from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from alignkit.duplicates import duplicate_labels
from alignkit.errors import DataError
from alignkit.retrieval.exact.tiles import spans
from alignkit.rows import Rows, computing_dtype
from alignkit.shapes import Labels, Weights

Similarity: TypeAlias = Literal["cosine", "dot", "euclidean"]
SIMILARITIES = ("cosine", "dot", "euclidean")
SHORT = 1e-30  # lengths from which float32 holds all of its digits
SCAN = 1 << 19  # numbers looked at together while rows are checked: 4 MB of float64


class PreparedRows:
    """Rows whose products are the scores; the stored rows are read in blocks and never modified.

    ``cosine`` divides each row by its length. ``euclidean`` appends two columns, so that the product is
    2xy - |x|^2 - |y|^2, the negative squared distance, computed in float64.

    Raises
    ------
    DataError
        If a row holds NaN or infinity or, for ``cosine``, has no direction; the row is named.
    """

    def __init__(
        self, rows: Rows, similarity: Similarity, dtype: np.dtype, *, name: str, gallery: bool
    ) -> None:
        self.rows, self.similarity, self.dtype, self.gallery = rows, similarity, dtype, gallery
        self.dim = rows.shape[1] + (2 if similarity == "euclidean" else 0)
        self.lengths = _lengths(rows, dtype, name)
        if similarity == "cosine":
            flat = np.flatnonzero(self.lengths == 0)
            if len(flat):
                raise DataError(
                    f"row {flat[0]} of the {name} is all zeros and has no direction ({len(flat)} such rows): "
                    "remove them, or score by dot product."
                )

    def __len__(self) -> int:
        return self.rows.shape[0]

    @cached_property
    def copies(self) -> Labels:
        """Labels of rows that are equal to the last byte: they score alike with everything."""
        return duplicate_labels(self.rows)

    def fill(self, which: slice | np.ndarray, out: np.ndarray) -> None:
        """Write the prepared rows into the first rows of ``out``, in its type, and zeros into the others."""
        stored, lengths = self.rows[which], self.lengths[which]
        n, d = len(lengths), self.rows.shape[1]
        if self.similarity == "cosine":
            # a length that is small for float32 would have lost digits there
            narrow = lengths.min(initial=1) > SHORT
            divisors = lengths.astype(out.dtype) if narrow else lengths
            np.divide(stored, divisors[:, None], out=out[:n, :d], casting="same_kind")
        else:
            out[:n, :d] = stored
        if self.similarity == "euclidean":
            squares = -np.square(lengths)
            out[:n, :d] *= 1 if self.gallery else 2
            out[:n, d], out[:n, d + 1] = (1, squares) if self.gallery else (squares, 1)
        out[n:] = 0

    def block(self, which: slice | np.ndarray, n: int, dtype: np.dtype | None = None) -> np.ndarray:
        """Return the prepared rows, followed by rows of zeros up to ``n``."""
        out = np.empty((n, self.dim), dtype or self.dtype)
        self.fill(which, out)
        return out


def prepare(queries: Rows, gallery: Rows, similarity: Similarity) -> tuple[PreparedRows, PreparedRows]:
    """Return both sides, ready for one product.

    Raises
    ------
    DataError
        If their dimensions differ, or a row cannot be scored.
    """
    if queries.shape[1] != gallery.shape[1]:
        raise DataError(
            f"queries have {queries.shape[1]} dimensions and the gallery has {gallery.shape[1]}: "
            "map one into the space of the other first."
        )
    dtype = np.result_type(computing_dtype(queries.dtype), computing_dtype(gallery.dtype))
    if similarity == "euclidean":
        dtype = np.dtype(np.float64)
    left = PreparedRows(queries, similarity, dtype, name="queries", gallery=False)
    right = PreparedRows(gallery, similarity, dtype, name="gallery", gallery=True)
    longest = max(float(side.lengths.max(initial=0)) for side in (left, right))
    if similarity != "cosine" and 8 * longest * longest > float(np.finfo(dtype).max):
        raise DataError(
            f"rows of length {longest:.3g} have products beyond {dtype}: "
            "scale the rows down, or score by cosine."
        )
    return left, right


def _lengths(rows: Rows, dtype: np.dtype, name: str) -> Weights:
    """Return the length of every row, float64; one that the computing dtype cannot hold is refused."""
    n, d = rows.shape
    lengths = np.empty(n)
    for start, stop in spans(0, n, max(1, SCAN // max(d, 1))):
        # one contiguous row at a time, so that equal rows have equal lengths to the last bit
        block = np.ascontiguousarray(rows[start:stop], dtype=np.float64)
        lengths[start:stop] = np.sqrt(np.einsum("ij,ij->i", block, block))
        wrong = np.flatnonzero(~(lengths[start:stop] <= np.finfo(dtype).max))
        if len(wrong):
            raise DataError(
                f"row {start + wrong[0]} of the {name} holds NaN or infinity: repair or remove it."
            )
    return lengths
