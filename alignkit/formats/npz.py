"""Arrays in a `.npz` archive, never unpickled; members that are not compressed are memory-mapped."""

import math
import zipfile
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np

from alignkit.errors import DataError
from alignkit.formats._arrays import StoredArray, arrange
from alignkit.formats._base import Contents, Format, Source, reading
from alignkit.formats._npy import NpyHeader, check_size, map_array, read_npy_header
from alignkit.formats._rows import DeferredRows

_DAMAGE = (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, RuntimeError, KeyError)
_LARGEST_EXPANSION, _HARMLESS = (
    200,
    256 << 20,
)  # embeddings compress to a half or a tenth, not to a thousandth


class Npz(Format):
    """Read numpy's archive of named arrays; ``file.npz::name`` chooses the matrix among several.

    Arrays of one value per row (words, labels, folds) become metadata; ``id`` or ``ids``, or the one that
    the caller names, holds the ids.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".npz",)

    def _contents(self, source: Source) -> Contents:
        with reading(source.path, "a .npz archive", *_DAMAGE), zipfile.ZipFile(source.path) as archive:
            arrays = {
                member.filename.removesuffix(".npy"): _stored(source.path, archive, member)
                for member in archive.infolist()
                if member.filename.endswith(".npy")
            }
        if not arrays:
            raise DataError(f"{source.path} holds no .npy member: it is no .npz archive of arrays.")
        return arrange(arrays, source)


def _stored(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> StoredArray:
    name = f"{path}::{member.filename.removesuffix('.npy')}"
    with archive.open(member) as handle:
        header = read_npy_header(handle, name)
    if header.dtype.hasobject:
        return StoredArray(header.shape, header.dtype, lambda: _refused(header, name))
    check_size(header, member.file_size - header.offset, name)
    _check_expansion(member, name)
    if member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 1:
        return StoredArray(header.shape, header.dtype, lambda: _mapped(path, member, header, name))

    def load() -> DeferredRows:
        return DeferredRows(
            header.shape, header.dtype, lambda: _decompressed(path, member.filename, header, name)
        )

    return StoredArray(header.shape, header.dtype, load)


def _check_expansion(member: zipfile.ZipInfo, name: str) -> None:
    if member.file_size > max(_HARMLESS, _LARGEST_EXPANSION * member.compress_size):
        raise DataError(
            f"{name} would grow from {member.compress_size} to {member.file_size} bytes, as no embeddings "
            "do: it looks like a zip bomb; if you trust it, unpack it yourself and give the .npy."
        )


def _refused(header: NpyHeader, name: str) -> np.ndarray:
    check_size(header, header.nbytes, name)
    raise AssertionError("object arrays are refused above")


def _mapped(path: Path, member: zipfile.ZipInfo, header: NpyHeader, name: str) -> np.ndarray:
    with reading(path, "a .npz archive"), path.open("rb") as handle:
        handle.seek(member.header_offset)
        local = handle.read(30)  # the archive's directory does not say how long this header is
    skip = 30 + int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    start = member.header_offset + skip + header.offset
    if len(local) < 30 or start + header.nbytes > path.stat().st_size:
        raise DataError(f"{name} lies beyond the end of the file: the archive is cut short; copy it again.")
    return map_array(path, NpyHeader(header.shape, header.dtype, header.fortran_order, start), name)


def _decompressed(path: Path, member: str, header: NpyHeader, name: str) -> np.ndarray:
    with (
        reading(path, "a .npz archive", *_DAMAGE),
        zipfile.ZipFile(path) as archive,
        archive.open(member) as handle,
    ):
        handle.read(header.offset)
        flat = np.empty(math.prod(header.shape), header.dtype)
        view = flat.view(np.uint8)
        position = 0
        while position < flat.nbytes:
            piece = handle.read(min(1 << 24, flat.nbytes - position))
            if not piece:
                raise DataError(f"{name} is cut short: {position} of {flat.nbytes} bytes; copy it again.")
            view[position : position + len(piece)] = np.frombuffer(piece, np.uint8)
            position += len(piece)
        return flat.reshape(header.shape, order="F" if header.fortran_order else "C")
