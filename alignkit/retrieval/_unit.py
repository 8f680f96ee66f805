"""Rows at unit length, made when they are read, and the cosines between two blocks of them."""

from dataclasses import dataclass

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.exact.tiles import spans
from alignkit.rows import Rows
from alignkit.shapes import Gallery, Queries, ScoreMatrix

SCAN = 4096  # rows checked at a time


@dataclass(frozen=True, slots=True)
class Block:
    """Say how many queries and gallery items are looked at together; no answer depends on it.

    With the default a block of float64 cosines takes 16 MB.

    Raises
    ------
    ParameterError
        If a side is below 1.
    """

    queries: int = 1024
    gallery: int = 2048

    def __post_init__(self) -> None:
        if self.queries < 1 or self.gallery < 1:
            raise ParameterError(
                f"a block of {self.queries} queries and {self.gallery} items is impossible: give at least 1."
            )


class UnitRows:
    """Show rows at unit length in float64; the stored rows, a memory map perhaps, are read block by block.

    Raises
    ------
    DataError
        If there are no rows, or a row holds NaN or infinity or has no direction; the row is named.

    Examples
    --------
    >>> UnitRows(np.array([[3.0, 4.0], [0.0, 2.0]]), "queries")[0:2].tolist()
    [[0.6, 0.8], [0.0, 1.0]]
    """

    def __init__(self, rows: Rows, name: str) -> None:
        self.rows = rows
        if not len(rows):
            raise DataError(f"there are no {name}: give at least one row.")
        for start, stop in spans(0, len(rows), SCAN):
            peaks = np.abs(np.asarray(rows[start:stop], np.float64)).max(axis=1)
            wrong = np.flatnonzero(~np.isfinite(peaks))
            if len(wrong):
                raise DataError(
                    f"row {start + wrong[0]} of the {name} holds NaN or infinity: repair or remove it."
                )
            flat = np.flatnonzero(peaks == 0)
            if len(flat):
                raise DataError(
                    f"row {start + flat[0]} of the {name} is all zeros and has no direction: remove it."
                )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and dimensions."""
        return len(self.rows), self.rows.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """The number format of what is read."""
        return np.dtype(np.float64)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: slice | np.ndarray, /) -> np.ndarray:
        block = np.array(self.rows[key], np.float64, order="C")
        block /= np.abs(block).max(axis=1, keepdims=True)  # squares of any size then stay in range
        block /= np.sqrt(np.einsum("nd,nd->n", block, block))[:, None]
        return block


def unit_sides(left: Rows, right: Rows, *, names: tuple[str, str]) -> tuple[UnitRows, UnitRows]:
    """Return both sides at unit length.

    Raises
    ------
    DataError
        If their dimensions differ, or a row cannot be scored.
    """
    check_widths(left, right, names=names)
    return UnitRows(left, names[0]), UnitRows(right, names[1])


def check_widths(left: Rows, right: Rows, *, names: tuple[str, str]) -> None:
    """Raise DataError unless both sides have as many dimensions."""
    if left.shape[1] != right.shape[1]:
        raise DataError(
            f"the {names[0]} and the {names[1]} have {left.shape[1]} and {right.shape[1]} dimensions: take "
            "both into the joint frame of one map."
        )


def cosines(left: Queries, right: Gallery) -> ScoreMatrix:
    """Return the products of two blocks of unit rows in float64, each rounded to a float32.

    A BLAS may add a product's terms in another order in another block. That moves the last bit of a float64
    and, but for one in some ten million, no bit of a float32: equal rows get equal cosines in any block.
    """
    return np.matmul(left, right.T).astype(np.float32).astype(np.float64)
