"""The `.npy` header and its memory map: read and written here, because numpy trusts what it reads."""

import ast
import math
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from alignkit.errors import DataError
from alignkit.formats._base import reading
from alignkit.formats._rows import DeferredRows
from alignkit.spaces import Embeddings

MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 1 << 16
_DAMAGE = (ValueError, SyntaxError, TypeError, KeyError, RecursionError, OverflowError)


@dataclass(frozen=True, slots=True)
class NpyHeader:
    """Shape, dtype and order of one stored array, and the offset of its first number."""

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran_order: bool
    offset: int

    @property
    def nbytes(self) -> int:
        """The bytes that the numbers take, as the header promises."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_npy_header(handle: IO[bytes], name: str) -> NpyHeader:
    """Return the header of the array that starts at the handle's position; nothing is evaluated or unpickled.

    Raises
    ------
    DataError
        If the bytes are no `.npy` header of version 1, 2 or 3.
    """
    start = handle.read(8)
    if not start:
        raise DataError(f"{name} is empty: it holds no array; write it again.")
    if start[:6] != MAGIC:
        raise DataError(
            f"{name} is not an .npy file (it starts with {start[:6]!r}): save it with numpy.save."
        )
    if len(start) < 8 or start[6] not in (1, 2, 3):
        raise DataError(f"{name} has an unknown .npy version: save it again with numpy.save.")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(handle.read(width), "little")
    if length > _LONGEST_HEADER:
        raise DataError(
            f"{name} claims a header of {length} bytes, more than any array needs: it is damaged."
        )
    text = handle.read(length)
    if len(text) < length:
        raise DataError(f"{name} is cut short inside its header: copy or write it again.")
    with reading(name, "an .npy array", *_DAMAGE):
        fields = ast.literal_eval(text.decode("utf-8" if start[6] == 3 else "latin1").strip())
        shape, dtype = fields["shape"], np.lib.format.descr_to_dtype(fields["descr"])
        if not all(type(size) is int and size >= 0 for size in shape) or type(shape) is not tuple:
            raise ValueError(f"shape {shape!r}")
        return NpyHeader(shape, dtype, bool(fields["fortran_order"]), 8 + width + length)


def check_size(header: NpyHeader, available: int, name: str) -> None:
    """Raise DataError unless exactly the promised bytes follow the header; object arrays are refused too."""
    if header.dtype.hasobject:
        raise DataError(
            f"{name} holds pickled Python objects, which alignkit never unpickles from here: "
            "save it again as a float32 matrix."
        )
    promise = f"its header promises shape {header.shape} of {header.dtype} ({header.nbytes} bytes)"
    if available < header.nbytes:
        raise DataError(
            f"{name} is cut short: {promise} but {available} bytes follow; copy or write it again."
        )
    if available > header.nbytes:
        raise DataError(
            f"{name} is longer than it says: {promise} but {available} bytes follow; "
            "keep one array in a file."
        )


def check_matrix(shape: tuple[int, ...], dtype: np.dtype, name: str) -> None:
    """Raise DataError unless an array of this shape and dtype can be embeddings; nothing is read."""
    Embeddings(DeferredRows(shape, dtype, lambda: np.empty((0, 0))), name=name)


def map_npy(path: Path, name: str | None = None) -> np.ndarray:
    """Return the array of a `.npy` file as a read-only memory map, checked against the file's size.

    Raises
    ------
    DataError
        If the file is empty, truncated, no `.npy`, or holds Python objects.
    """
    name = name or str(path)
    with reading(path, "an .npy array"):
        with path.open("rb") as handle:
            header = read_npy_header(handle, name)
        check_size(header, path.stat().st_size - header.offset, name)
        return map_array(path, header, name)


def map_array(path: Path, header: NpyHeader, name: str) -> np.ndarray:
    """Map the numbers at ``header.offset``; an array without numbers cannot be mapped and is made."""
    with reading(name, "an .npy array", ValueError, OverflowError):
        if header.nbytes == 0:
            return np.empty(header.shape, header.dtype)
        order = "F" if header.fortran_order else "C"
        return np.memmap(path, header.dtype, "r", header.offset, header.shape, order)


def npy_preamble(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """Return the bytes that stand before a C-ordered array, as numpy.save writes them."""
    text = f"{{'descr': {dtype.str!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    padding = -(len(MAGIC) + 4 + len(text) + 1) % 64  # the numbers start at a multiple of 64
    text += " " * padding + "\n"
    return MAGIC + b"\x01\x00" + len(text).to_bytes(2, "little") + text.encode("latin1")
