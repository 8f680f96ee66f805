"""What is refused of vectors and ids before they become embeddings, and in which words."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alignkit.errors import DataError
from alignkit.rows import Rows


def kind_of(row: np.ndarray) -> str:
    """Return what is wrong with a row that is not finite."""
    return "holds NaN" if np.isnan(row).any() else "holds an infinite value"


def checked_matrix(vectors: Rows, name: str) -> Rows:
    """Return vectors as rows, or raise DataError where they are no matrix of real numbers."""
    if not isinstance(vectors, Rows):
        vectors = np.asarray(vectors)
    shape, dtype = vectors.shape, vectors.dtype
    if dtype.kind == "O":
        raise DataError(f"{name} holds Python objects, not numbers: save it again as a float32 matrix.")
    if dtype.kind == "c":
        raise DataError(f"{name} holds complex numbers: save their real part, or both parts as columns.")
    if dtype.kind not in "fiu" or dtype.itemsize > 8:
        raise DataError(
            f"{name} holds {dtype}, which is no embedding type: save it as float16, float32 or float64."
        )
    if dtype.kind in "iu" and dtype.itemsize > 4:
        raise DataError(
            f"{name} holds {dtype}, whose large values no float holds exactly: save embeddings as float32 "
            "(64-bit integers are usually labels or indices)."
        )
    if len(shape) != 2:
        raise DataError(
            f"{name} has shape {shape}; embeddings are a matrix with one row per item: reshape it to 2-D."
        )
    if shape[0] == 0 or shape[1] == 0:
        raise DataError(f"{name} is empty (shape {shape}): it needs at least one row and one dimension.")
    return vectors


def as_arrow(ids: Any) -> pa.Array:
    """Turn a list, a numpy array or either kind of Arrow column into one Arrow array."""
    if isinstance(ids, pa.ChunkedArray):
        return ids.combine_chunks()
    return ids if isinstance(ids, pa.Array) else pa.array(ids)


def checked_ids(ids: "pa.Array | pa.ChunkedArray", rows: int, name: str) -> pa.Array:
    """Return ids as one array, or raise DataError unless there is one for each row and none twice."""
    ids = as_arrow(ids)
    if pa.types.is_dictionary(ids.type):
        ids = ids.dictionary_decode()
    if not (
        pa.types.is_integer(ids.type) or pa.types.is_string(ids.type) or pa.types.is_large_string(ids.type)
    ):
        raise DataError(
            f"{name} has ids of type {ids.type}: ids are strings or integers; convert that column."
        )
    if len(ids) != rows:
        raise DataError(f"{name} has {rows} vectors but {len(ids)} ids: write one id per row.")
    if ids.null_count:
        row = pc.index(ids.is_null(), True).as_py()
        raise DataError(f"{name}: row {row} has no id: give every row one.")
    if pc.count_distinct(ids).as_py() != rows:
        values = ids.value_counts()
        twice = values.filter(pc.greater(values.field("counts"), 1))[0]["values"].as_py()
        first, second = np.flatnonzero(pc.equal(ids, twice).to_numpy(zero_copy_only=False))[:2]
        raise DataError(
            f"{name}: id {twice!r} stands in row {first} and again in row {second}: ids name one row each; "
            "remove the repeats, or number the frames of one item and pool them."
        )
    return ids
