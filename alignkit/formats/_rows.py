"""Rows that are made when they are first used: decoded, converted or cast on the way out."""

from collections.abc import Callable, Iterator

import numpy as np

from alignkit.errors import DataError
from alignkit.rows import Rows
from alignkit.spaces import Embeddings

BLOCK_BYTES = 16 << 20  # what is read or written at a time


class DeferredRows:
    """Know shape and dtype now, call ``load`` at the first access and keep what it returns."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, load: Callable[[], Rows]) -> None:
        self.shape, self.dtype, self._load = shape, dtype, load
        self._rows: Rows | None = None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: slice | np.ndarray) -> np.ndarray:
        if self._rows is None:
            self._rows = self._load()
        return self._rows[key]


class ConvertedRows:
    """Show ``rows`` through ``convert``, a function that maps each block to ``dtype``."""

    def __init__(self, rows: Rows, dtype: np.dtype, convert: Callable[[np.ndarray], np.ndarray]) -> None:
        self.rows, self.dtype, self._convert = rows, dtype, convert

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and dimensions."""
        return self.rows.shape

    def __len__(self) -> int:
        return self.rows.shape[0]

    def __getitem__(self, key: slice | np.ndarray) -> np.ndarray:
        return self._convert(np.asarray(self.rows[key]))


def widened_bfloat16(words: np.ndarray) -> np.ndarray:
    """Return the float32 numbers whose upper halves are ``words``: bfloat16 loses nothing.

    Examples
    --------
    >>> widened_bfloat16(np.array([0x3F80, 0xC000], np.uint16)).tolist()
    [1.0, -2.0]
    """
    return (words.astype(np.uint32) << np.uint32(16)).view(np.float32)


def stored_blocks(embeddings: Embeddings, start: int = 0, stop: int | None = None) -> Iterator[np.ndarray]:
    """Yield rows in order, little-endian and C-ordered, in their stored dtype, checked to be finite.

    Raises
    ------
    DataError
        If a row holds NaN or an infinite value; the row is named.
    """
    dtype = embeddings.vectors.dtype.newbyteorder("<")
    size = max(1, BLOCK_BYTES // max(1, embeddings.dim * dtype.itemsize))
    stop = len(embeddings) if stop is None else min(stop, len(embeddings))
    for first in range(start, stop, size):
        block = np.asarray(embeddings.vectors[first : min(first + size, stop)]).astype(dtype, copy=False)
        if dtype.kind == "f":
            bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
            if len(bad):
                refuse_row(embeddings, first + int(bad[0]), "holds NaN or an infinite value")
        yield np.ascontiguousarray(block)


def cast(embeddings: Embeddings, dtype: np.dtype) -> Embeddings:
    """Return the same embeddings stored as ``dtype``; a number that does not fit is refused when read.

    Raises
    ------
    DataError
        At reading, if a finite value becomes infinite in ``dtype``.
    """

    def convert(block: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            narrow = block.astype(dtype)
        lost = np.isfinite(block) & ~np.isfinite(narrow)
        if lost.any():
            raise DataError(
                f"{embeddings.name} holds {block[lost][0]:g}, which is too large for {dtype}: "
                "choose float32, or divide the rows by their length first."
            )
        return narrow

    return Embeddings(
        ConvertedRows(embeddings.vectors, dtype, convert),
        ids=(lambda: embeddings.ids) if embeddings.has_ids else None,
        space=embeddings.space,
        modality=embeddings.modality,
        items=lambda: embeddings.items,
        name=embeddings.name,
    )


def refuse_row(embeddings: Embeddings, row: int, fault: str) -> None:
    """Raise DataError for one row, with its id where there are ids."""
    label = f" (id {embeddings.id_at(row)!r})" if embeddings.has_ids else ""
    raise DataError(f"{embeddings.name}: row {row}{label} {fault}: remove or re-encode that item.")
