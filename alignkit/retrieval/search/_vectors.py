"""The rows that an index compares: of unit length, with a column for the hub correction, equally long."""

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.exact.tiles import spans
from alignkit.retrieval.search._flat import best
from alignkit.rows import Rows

BLOCK = 8192  # rows normalised at a time
WIDE, NARROW = 64, 16  # numbers of columns that PQ64 and PQ16 divide
_SQUARES_OUT_OF_RANGE = 1e-150  # lengths whose squares lose digits in float64


def corrected(rows: np.ndarray, bank: np.ndarray | None, neighbours: int) -> np.ndarray:
    """Return ``[2 y, -r(y)]`` for every gallery row."""
    if bank is None:
        raise ParameterError(
            "CSLS needs a bank: mapped sources that stand for the queries and are none of them; give one, or "
            "choose no hub correction."
        )
    if neighbours > len(bank):
        raise ParameterError(
            f"neighbours is {neighbours} but the bank has {len(bank)} rows: give a larger bank or fewer."
        )
    _, cosines = best(rows, bank, neighbours)
    vectors = np.empty((len(rows), rows.shape[1] + 1), np.float32)
    np.multiply(rows, 2, out=vectors[:, :-1])
    vectors[:, -1] = -cosines.mean(axis=1, dtype=np.float64)
    return vectors


def of_one_length(vectors: np.ndarray) -> np.ndarray:
    """Return the rows with one more column that makes all as long as the longest."""
    squares = np.einsum("gd,gd->g", vectors, vectors, dtype=np.float64)
    missing = np.sqrt(squares.max() - squares).astype(np.float32)
    return np.hstack([vectors, missing[:, None]])


def widened(vectors: np.ndarray) -> np.ndarray:
    """Return the rows with columns of zeros up to a width that codes of the usual lengths divide."""
    grain = WIDE if vectors.shape[1] > WIDE else NARROW
    return np.pad(vectors, ((0, 0), (0, -vectors.shape[1] % grain)))


def unit_rows(rows: Rows, name: str) -> np.ndarray:
    """Return float32 rows of length 1, or 0; squares are summed in float64."""
    n, d = rows.shape
    if not n:
        raise DataError(f"the {name} has no rows: give at least one." if name != "queries" else "no queries.")
    unit = np.empty((n, d), np.float32)
    for start, stop in spans(0, n, BLOCK):
        block = np.ascontiguousarray(rows[start:stop], np.float64)
        lengths = np.sqrt(np.einsum("nd,nd->n", block, block))
        if lengths.min() < _SQUARES_OUT_OF_RANGE or not np.isfinite(lengths).all():
            block = _to_scale(block)
            lengths = np.sqrt(np.einsum("nd,nd->n", block, block))
        wrong = np.flatnonzero(~np.isfinite(lengths))
        if len(wrong):
            raise DataError(
                f"row {start + wrong[0]} of the {name} holds NaN or infinity: repair or remove it."
            )
        unit[start:stop] = block / np.where(lengths > 0, lengths, 1)[:, None]
    return unit


def _to_scale(rows: np.ndarray) -> np.ndarray:
    """Return each row times the power of two that brings its largest number to between 1/2 and 1."""
    return np.ldexp(rows, -np.frexp(np.abs(rows).max(axis=1, initial=0))[1][:, None])
