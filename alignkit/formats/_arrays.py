"""Files that hold several named arrays: which is the matrix, which the ids, which are metadata."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from alignkit.errors import DataError
from alignkit.formats._base import ID_NAMES, ArrayInfo, Contents, SeveralArraysError, Source
from alignkit.formats._npy import check_matrix
from alignkit.rows import Rows


@dataclass(frozen=True, slots=True)
class StoredArray:
    """One array of a file: shape and dtype are known, ``load`` reads or maps it (strings: as Arrow)."""

    shape: tuple[int, ...]
    dtype: np.dtype
    load: Callable[[], Rows | pa.Array]

    def info(self, name: str) -> ArrayInfo:
        """Return what lists of arrays show."""
        return ArrayInfo(name, self.shape, str(self.dtype))


def arrange(arrays: Mapping[str, StoredArray], source: Source) -> Contents:
    """Return the matrix among ``arrays``, its ids, and every other array of one value per row as metadata.

    The matrix is the one that ``::name`` chose, else the only two-dimensional array of floats, else the
    only one of integers.

    Raises
    ------
    DataError
        If there is no matrix or no array of that name; SeveralArraysError if more than one could be it.
    """
    name = source.selector or _only_matrix(arrays, source)
    if name not in arrays:
        raise DataError(f"{source.path} has no array {name!r}; it has: {_listed(arrays)}.")
    chosen = arrays[name]
    check_matrix(chosen.shape, chosen.dtype, source.name)
    vectors, rows = chosen.load(), chosen.shape[0]
    columns = [other for other, array in arrays.items() if array.shape == (rows,) and _is_column(array.dtype)]
    id_name = _id_array(arrays, columns, rows, source)
    items = [other for other in columns if other != id_name]
    return Contents(
        vectors,
        id_name,
        (lambda: _column(arrays[id_name], id_name)) if id_name else None,
        tuple(items),
        (lambda: pa.table({other: _column(arrays[other], other) for other in items})) if items else None,
    )


def _only_matrix(arrays: Mapping[str, StoredArray], source: Source) -> str:
    for kinds in ("f", "iu", "c", "O"):
        found = [
            name for name, array in arrays.items() if len(array.shape) == 2 and array.dtype.kind in kinds
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise SeveralArraysError(
                f"{source.path} holds several matrices ({_listed({n: arrays[n] for n in found})}): "
                f"choose one with {source.path}::{found[0]}.",
                tuple(array.info(name) for name, array in arrays.items()),
            )
    raise DataError(
        f"{source.path} holds no matrix of numbers, only {_listed(arrays)}: "
        "embeddings are a two-dimensional array."
    )


def _id_array(arrays: Mapping[str, StoredArray], columns: list[str], rows: int, source: Source) -> str:
    if not source.ids:
        return next((name for name in ID_NAMES if name in columns), "")
    if source.ids not in arrays:
        raise DataError(f"{source.path} has no array {source.ids!r} for the ids; it has: {_listed(arrays)}.")
    if source.ids not in columns:
        raise DataError(
            f"{source.path}: array {arrays[source.ids].info(source.ids)} cannot hold the ids of {rows} rows: "
            "ids are one string or integer per row."
        )
    return source.ids


def _is_column(dtype: np.dtype) -> bool:
    return dtype.kind in "biufUS"


def _column(array: StoredArray, name: str) -> pa.Array:
    loaded = array.load()
    if isinstance(loaded, pa.Array):
        return loaded
    values = np.asarray(loaded[:])
    if values.dtype.kind == "S":
        try:
            values = np.char.decode(values, "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"array {name!r} holds bytes that are no UTF-8 text ({error}): store it as text."
            ) from error
    return pa.array(values.astype(values.dtype.newbyteorder("="), copy=False))


def _listed(arrays: Mapping[str, StoredArray]) -> str:
    shown = [str(array.info(name)) for name, array in list(arrays.items())[:8]]
    more = f", and {len(arrays) - 8} more" if len(arrays) > 8 else ""
    return ", ".join(shown) + more or "nothing"
