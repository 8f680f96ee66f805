"""The rows that an index compares: of unit length, with a column for the hub correction, equally long.

They are read a block at a time, and a gallery that lies on the disk gets an index that lies there too.
"""

import mmap
import os
import tempfile

import numpy as np

from alignkit.errors import DataError, OutputError, ParameterError
from alignkit.retrieval.exact.tiles import spans
from alignkit.retrieval.search._flat import best
from alignkit.rows import Rows

BLOCK = 8192  # rows read at a time
IN_MEMORY = 256 << 20  # bytes of vectors that are held in memory wherever the gallery is
WIDE, NARROW = 64, 16  # numbers of columns that PQ64 and PQ16 divide
_SQUARES_OUT_OF_RANGE = 1e-150  # lengths whose squares lose digits in float64


def index_vectors(gallery: Rows, bank: np.ndarray | None, neighbours: int) -> np.ndarray:
    """Return ``[2 y, -r(y)]`` for every row, or ``y`` without a bank, whose rows are of unit length already.

    Raises
    ------
    DataError
        If there is no row, or one is not finite.
    OutputError
        If the vectors need the disk and it has no room for them.
    """
    n, d = gallery.shape
    if not n:
        raise DataError("the gallery has no rows: give at least one.")
    vectors = _room((n, d + (bank is not None)), gallery)
    for start, stop in spans(0, n, BLOCK):
        unit = unit_rows(np.asarray(gallery[start:stop]), "gallery", start)
        if bank is None:
            vectors[start:stop] = unit
            continue
        _, cosines = best(unit, bank, neighbours)
        np.multiply(unit, 2, out=vectors[start:stop, :-1])
        vectors[start:stop, -1] = -cosines.mean(axis=1, dtype=np.float64)
    return vectors


def check_bank(bank: np.ndarray | None, neighbours: int) -> None:
    """Raise ParameterError unless there are rows that stand for the queries, and enough of them."""
    if bank is None:
        raise ParameterError(
            "CSLS needs a bank: mapped sources that stand for the queries and are none of them; give one, or "
            "choose no hub correction."
        )
    if neighbours > len(bank):
        raise ParameterError(
            f"neighbours is {neighbours} but the bank has {len(bank)} rows: give a larger bank or fewer."
        )


def _room(shape: tuple[int, int], gallery: Rows) -> np.ndarray:
    """Return an array for the vectors: in memory, or where the gallery is not, in a nameless file."""
    size = shape[0] * shape[1] * 4
    if size <= IN_MEMORY or not on_disk(gallery):
        return np.empty(shape, np.float32)
    try:
        with tempfile.TemporaryFile(prefix="alignkit-") as file:
            if hasattr(os, "posix_fallocate"):  # a map of a file that cannot grow would end the process
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
            return np.memmap(file, np.float32, "r+", shape=shape)
    except OSError as error:
        raise OutputError(
            f"{tempfile.gettempdir()} has no room for {size} bytes of vectors ({error.strerror or error}): "
            "free some, or name another folder in TMPDIR."
        ) from error


def on_disk(rows: object) -> bool:
    """Say whether rows are anything but an array in memory: shards, a view of a file, rows to be computed."""
    if not isinstance(rows, np.ndarray):
        return True
    while isinstance(rows, np.ndarray) and not isinstance(rows, np.memmap):
        rows = rows.base
    return isinstance(rows, np.memmap | mmap.mmap)


class ForFaiss:
    """Show vectors as faiss compares them: with a column that makes all as long as the longest, and zeros.

    The column is for the hub correction, under which lengths differ. Zeros bring other kinds than ours to a
    width that codes of the usual lengths divide.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, vectors: np.ndarray, *, level: bool, widen: bool) -> None:
        self.vectors, self.level, self.longest = vectors, level, 0.0
        columns = vectors.shape[1] + level
        grain = (WIDE if columns > WIDE else NARROW) if widen else 1
        self.shape = len(vectors), columns + -columns % grain
        if level:
            blocks = (vectors[start:stop] for start, stop in spans(0, len(vectors), BLOCK))
            self.longest = max(float(_squares(block).max()) for block in blocks)

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, key: slice | np.ndarray) -> np.ndarray:
        rows = np.asarray(self.vectors[key])
        shown = np.zeros((len(rows), self.shape[1]), np.float32)
        shown[:, : rows.shape[1]] = rows
        if self.level:
            # a sum may differ in its last bit by the place of its row, and the longest fall below itself
            shown[:, rows.shape[1]] = np.sqrt(np.maximum(self.longest - _squares(rows), 0))
        return shown


def _squares(rows: np.ndarray) -> np.ndarray:
    return np.einsum("gd,gd->g", rows, rows, dtype=np.float64)


def unit_rows(rows: Rows, name: str, first: int = 0) -> np.ndarray:
    """Return float32 rows of length 1, or 0; squares are summed in float64; they count from ``first``."""
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
                f"row {first + start + wrong[0]} of the {name} holds NaN or infinity: repair or remove it."
            )
        unit[start:stop] = block / np.where(lengths > 0, lengths, 1)[:, None]
    return unit


def _to_scale(rows: np.ndarray) -> np.ndarray:
    """Return each row times the power of two that brings its largest number to between 1/2 and 1."""
    return np.ldexp(rows, -np.frexp(np.abs(rows).max(axis=1, initial=0))[1][:, None])
