"""Named tensors in a safetensors file, memory-mapped through its own header."""

import json
import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alignkit.errors import DataError
from alignkit.formats._arrays import StoredArray, arrange
from alignkit.formats._base import Contents, Format, Source, Target, reading
from alignkit.formats._npy import NpyHeader, map_array
from alignkit.formats._rows import ConvertedRows, stored_blocks, widened_bfloat16
from alignkit.formats._tables import VECTOR_COLUMN, items_table, read_space_metadata, space_metadata
from alignkit.spaces import Embeddings

_DTYPES = {
    "F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2", "BOOL": "|b1",
    "I8": "|i1", "I16": "<i2", "I32": "<i4", "I64": "<i8",
    "U8": "|u1", "U16": "<u2", "U32": "<u4", "U64": "<u8",
}  # fmt: skip
_CODES = {code: name for name, code in _DTYPES.items() if name != "BF16"}
_LONGEST_HEADER = 100 << 20  # the limit of the reference implementation
_TEXT, _ENDS = ".utf8", ".ends"  # a column of strings is stored as its bytes and where each string ends


class Safetensors(Format):
    """Read and write tensors; ``file.safetensors::name`` chooses the matrix among several.

    bfloat16 is read as float32, which loses nothing. Written, the matrix is called ``embedding``; a column
    of numbers is a tensor of its name, a column ``c`` of strings two tensors, ``c.utf8`` (bytes) and
    ``c.ends`` (where each string ends). Columns of other types, and with nulls, are left out.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".safetensors",)
    writable: ClassVar[bool] = True

    def _contents(self, source: Source) -> Contents:
        header, start = _read_header(source.path)
        metadata = header.pop("__metadata__", None) or {}
        with reading(source.path, "a safetensors file", KeyError, TypeError, ValueError, OverflowError):
            arrays = {name: _stored(source.path, name, entry, start) for name, entry in header.items()}
            said = {str(key).encode(): str(value).encode() for key, value in metadata.items()}
        strings = {
            name.removesuffix(_ENDS): _strings(arrays, name, source.path)
            for name in arrays
            if _paired(arrays, name)
        }
        numbers = {
            n: a
            for n, a in arrays.items()
            if not (n.endswith((_TEXT, _ENDS)) and n.rpartition(".")[0] in strings)
        }
        contents = arrange({**numbers, **strings}, source)
        space, modality = read_space_metadata(said, str(source.path))
        return Contents(
            contents.vectors,
            contents.id_name,
            contents.ids,
            contents.columns,
            contents.items,
            space,
            modality,
        )

    def _write(self, embeddings: Embeddings, target: Target) -> tuple[str, ...]:
        tensors, notes = _columns(items_table(embeddings))
        dtype = embeddings.vectors.dtype.newbyteorder("<")
        metadata = {key.decode(): value.decode() for key, value in space_metadata(embeddings).items()}
        header: dict[str, Any] = {"__metadata__": metadata}
        position = 0
        shapes = {VECTOR_COLUMN: ((len(embeddings), embeddings.dim), dtype)}
        shapes |= {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}
        for name, (shape, kind) in sorted(shapes.items(), key=lambda entry: -entry[1][1].itemsize):
            # wide numbers first, as the reference implementation does: every tensor starts aligned
            end = position + math.prod(shape) * kind.itemsize
            header[name] = {"dtype": _CODES[kind.str], "shape": list(shape), "data_offsets": [position, end]}
            position = end
        text = json.dumps(header, ensure_ascii=False).encode()
        text += b" " * (-len(text) % 8)
        with target.path.open("wb") as handle:
            handle.write(len(text).to_bytes(8, "little") + text)
            for name in list(header)[1:]:
                for block in stored_blocks(embeddings) if name == VECTOR_COLUMN else [tensors[name]]:
                    handle.write(np.ascontiguousarray(block).data)
        return notes


def _read_header(path: Path) -> tuple[dict[str, Any], int]:
    """Return the JSON header and the position of the first tensor."""
    with reading(path, "a safetensors file", ValueError, RecursionError), path.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        if length > min(_LONGEST_HEADER, path.stat().st_size - 8):
            raise DataError(
                f"{path} claims a header of {length} bytes, more than the file holds: it is cut short."
            )
        header = json.loads(handle.read(length))
    if not isinstance(header, dict) or not isinstance(header.get("__metadata__") or {}, dict):
        raise DataError(f"{path} has no list of tensors in its header: it is no safetensors file.")
    return header, 8 + length


def _stored(path: Path, name: str, entry: dict[str, Any], start: int) -> StoredArray:
    code, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    if code not in _DTYPES:
        raise DataError(f"{path}::{name} holds {code}, which is no embedding type: store it as F16 or F32.")
    if not all(type(size) is int and size >= 0 for size in (*shape, begin, end)):
        raise ValueError(f"shape {shape}, bytes {begin} to {end}")
    header = NpyHeader(shape, np.dtype(_DTYPES[code]), False, start + begin)
    if header.nbytes != end - begin or start + end > path.stat().st_size:
        raise DataError(
            f"{path}::{name} is cut short: shape {shape} of {code} needs {header.nbytes} bytes, the header "
            f"gives {end - begin} and the file ends at {path.stat().st_size}; copy or write it again."
        )
    if code == "BF16":
        wide = np.dtype(np.float32)
        return StoredArray(
            shape, wide, lambda: ConvertedRows(map_array(path, header, name), wide, widened_bfloat16)
        )
    return StoredArray(shape, header.dtype, lambda: map_array(path, header, name))


def _paired(arrays: dict[str, StoredArray], name: str) -> bool:
    text = arrays.get(name.removesuffix(_ENDS) + _TEXT)
    return (
        name.endswith(_ENDS)
        and text is not None
        and text.dtype == np.uint8
        and arrays[name].dtype == np.int64
    )


def _strings(arrays: dict[str, StoredArray], name: str, path: Path) -> StoredArray:
    """Return a column of strings from its bytes and ends."""
    ends, text = arrays[name], arrays[name.removesuffix(_ENDS) + _TEXT]

    def load() -> pa.Array:
        offsets = np.concatenate([[0], np.asarray(ends.load()[:])]).astype(np.int64)
        if (np.diff(offsets) < 0).any() or offsets[-1] != text.shape[0]:
            raise DataError(f"{path}::{name} does not fit its text: the file is damaged; write it again.")
        letters = np.ascontiguousarray(text.load()[:])
        column = pa.LargeStringArray.from_buffers(
            len(ends.load()), pa.py_buffer(offsets), pa.py_buffer(letters)
        )
        with reading(path, "a safetensors file"):
            column.validate(full=True)
        return column

    return StoredArray(ends.shape, np.dtype(np.str_), load)


def _columns(items: pa.Table) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    tensors: dict[str, np.ndarray] = {}
    left_out = []
    for name in items.column_names:
        column = items[name].combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if column.null_count or name == VECTOR_COLUMN:
            left_out.append(name)
        elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            text = pc.cast(column, pa.large_binary()).to_pylist()
            tensors[name + _ENDS] = np.cumsum([len(piece) for piece in text], dtype=np.int64)
            tensors[name + _TEXT] = np.frombuffer(b"".join(text), np.uint8)
        elif (values := column.to_numpy(zero_copy_only=False)).dtype.newbyteorder("<").str in _CODES:
            tensors[name] = values.astype(values.dtype.newbyteorder("<"))
        else:
            left_out.append(name)
    if left_out:
        return tensors, (f"safetensors holds no nulls and no such types: {', '.join(left_out)} left out",)
    return tensors, ()
