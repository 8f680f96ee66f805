"""Columns of an Arrow table that hold vectors, ids and metadata."""

import json

import numpy as np
import pyarrow as pa

from alignkit.errors import DataError
from alignkit.formats._base import ID_NAMES, ArrayInfo, SeveralArraysError, Source
from alignkit.spaces import Embeddings, Space

VECTOR_COLUMN = "embedding"
_METADATA_KEY = b"alignkit"


def items_table(embeddings: Embeddings) -> pa.Table:
    """Return ids, as the first column ``id``, and metadata as one table; without ids the row numbers."""
    items = embeddings.items
    if "id" in items.column_names:
        raise DataError(f"{embeddings.name} has metadata called 'id' beside its ids: rename that column.")
    columns = {"id": embeddings.ids, **{name: items[name] for name in items.column_names}}
    return pa.table(columns)


def space_metadata(embeddings: Embeddings) -> dict[bytes, bytes]:
    """Return the space and modality as key-value metadata of a table or tensor file."""
    space = embeddings.space
    facts = {
        "space": space.to_json(),
        "modality": embeddings.modality,
    }
    return {_METADATA_KEY: json.dumps(facts, ensure_ascii=False).encode()}


def read_space_metadata(metadata: dict[bytes, bytes] | None, name: str) -> tuple[Space | None, str]:
    """Return what `space_metadata` wrote, or (None, "") where it is absent.

    Raises
    ------
    DataError
        If it is there and makes no sense.
    """
    text = (metadata or {}).get(_METADATA_KEY)
    if text is None:
        return None, ""
    try:
        facts = json.loads(text)
        said = facts["space"]
        norm = "unit" if said["norm"] == "unit" else "raw"
        named = {"dim": int(said["dim"]), "name": str(said["name"]), "revision": str(said["revision"])}
        mark = said.get("fingerprint")
        return Space.from_json({**named, "norm": norm, "fingerprint": mark}), str(facts["modality"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{name} carries alignkit metadata that makes no sense: write it again.") from error


def vector_column(schema: pa.Schema, source: Source) -> str:
    """Return the name of the column of vectors: the chosen one, or the only list of numbers.

    Raises
    ------
    DataError
        If there is none, or (SeveralArraysError) more than one and none was chosen.
    """
    lists = [field for field in schema if is_vector(field.type)]
    names = [field.name for field in lists]
    if source.selector:
        if names.count(source.selector) != 1:
            raise DataError(
                f"{source.path} has no column of vectors {source.selector!r}; it has: {_listed(names)}."
            )
        return source.selector
    floats = [field.name for field in lists if pa.types.is_floating(field.type.value_type)] or names
    if len(floats) == 1:
        return floats[0]
    if not floats:
        raise DataError(
            f"{source.path} has no column of vectors, only {_listed(schema.names)}: embeddings are a column "
            "of type list<float> or fixed_size_list<float>."
        )
    arrays = tuple(ArrayInfo(field.name, _shape(field.type), str(field.type.value_type)) for field in lists)
    raise SeveralArraysError(
        f"{source.path} has several columns of vectors ({_listed(floats)}): choose one with "
        f"{source.path}::{floats[0]}.",
        arrays,
    )


def id_column(schema: pa.Schema, source: Source) -> str:
    """Return the name of the id column, or an empty string where the row number is the id."""
    if source.ids:
        if schema.names.count(source.ids) != 1:
            raise DataError(
                f"{source.path} has no column {source.ids!r} for the ids; it has: {_listed(schema.names)}."
            )
        return source.ids
    return next((name for name in ID_NAMES if schema.names.count(name) == 1), "")


def item_columns(schema: pa.Schema, *taken: str) -> list[str]:
    """Return the metadata columns: all that are neither vectors nor already ``taken``."""
    return [
        f.name
        for f in schema
        if f.name not in taken and not is_vector(f.type) and schema.names.count(f.name) == 1
    ]


def is_vector(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds a list of numbers in each row."""
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return listed and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type))


def matrix(
    column: "pa.Array | pa.ChunkedArray", first_row: int, name: str, dim: int | None = None
) -> np.ndarray:
    """Return a column of equally long lists as a matrix, through its buffers: no copy where it is one piece.

    Raises
    ------
    DataError
        If a row or a number is null, or a row is shorter or longer than the first; the row is named.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # combine_chunks keeps two pieces where offsets would overflow
        parts = [matrix(chunk, first_row, name, dim) for chunk in array.chunks]
        return np.concatenate(parts)
    array.validate()
    if array.null_count:
        row = first_row + int(np.argmax(array.is_null().to_numpy(zero_copy_only=False)))
        raise DataError(f"{name}: row {row} has no vector (null): remove or re-encode that item.")
    lengths, width = _lengths(array)
    dim = dim if dim is not None else width
    if lengths is not None:
        uneven = np.flatnonzero(lengths != dim)
        if len(uneven):
            row = int(uneven[0])
            raise DataError(
                f"{name}: row {first_row + row} has {lengths[row]} numbers where row 0 has {dim}: "
                "all vectors of one matrix are equally long."
            )
    flat = array.flatten()
    if flat.null_count:
        row = first_row + int(np.argmax(flat.is_null().to_numpy(zero_copy_only=False))) // max(1, dim)
        raise DataError(f"{name}: row {row} holds a null among its numbers: remove or re-encode that item.")
    return flat.to_numpy(zero_copy_only=False).reshape(len(array), dim)


def _lengths(array: pa.Array) -> tuple[np.ndarray | None, int]:
    """Return the length of each list (None where the type fixes it) and the length of the first."""
    if pa.types.is_fixed_size_list(array.type):
        return None, array.type.list_size
    offsets = array.offsets.to_numpy()
    lengths = np.diff(offsets)
    if len(offsets) and (offsets[0] < 0 or (lengths < 0).any() or offsets[-1] > len(array.values)):
        raise pa.ArrowInvalid("list offsets point outside the values")
    return lengths, int(lengths[0]) if len(lengths) else 0


def _shape(kind: pa.DataType) -> tuple[int, ...]:
    return (kind.list_size,) if pa.types.is_fixed_size_list(kind) else ()


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
