"""Nested dictionaries and lists, as checkpoints and pickles hold them, seen as named arrays."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from alignkit.errors import DataError
from alignkit.formats._arrays import StoredArray
from alignkit.formats._base import Source

_DEEPEST = 8
_MOST = 10_000  # arrays: a checkpoint of a model has fewer
_VISITS = 10_000_000  # lists that share their parts have few objects and endless paths


def named_arrays(
    tree: Any,
    source: Source,
    convert: Callable[[Any], Any],  # Any: whatever was stored
) -> dict[str, StoredArray]:
    """Return every array of a tree under the path of keys that leads to it, like ``audio.embeddings``.

    ``convert`` turns what stands for an array into a `StoredArray` and leaves the rest alone. A dictionary
    whose values are all vectors of one length is one matrix, ``vectors``, with its keys as ``id``; so is a
    list of them, without ids. Lists of strings or numbers become columns.

    Raises
    ------
    DataError
        If the tree is nested too deeply, or holds nothing that is an array.
    """
    arrays: dict[str, StoredArray] = {}
    for name, value in _Walk(str(source.path), convert).leaves(convert(tree), ""):
        if len(arrays) >= _MOST:
            raise DataError(f"{source.path} holds more than {_MOST} arrays: it is no file of embeddings.")
        arrays[name or "vectors"] = value
    if not arrays:
        raise DataError(f"{source.path} holds a {type(tree).__name__} without any array in it.")
    return arrays


class _Walk:
    """Go through a tree, to a bounded depth and for a bounded time."""

    def __init__(self, name: str, convert: Callable[[Any], Any]) -> None:
        self.name, self.convert, self.visits = name, convert, 0

    def leaves(self, value: Any, name: str, depth: int = 0) -> Iterator[tuple[str, StoredArray]]:
        if isinstance(value, StoredArray):
            yield name, value
        elif isinstance(value, Mapping):
            self._count(len(value), depth)
            children = {key: self.convert(child) for key, child in value.items()}
            stacked = _stacked(list(children.values()))
            if stacked is not None:
                yield f"{name}.vectors".lstrip("."), stacked
                yield f"{name}.id".lstrip("."), _column([str(key) for key in value])
                return
            for key, child in children.items():
                yield from self.leaves(child, f"{name}.{key}".lstrip("."), depth + 1)
        elif isinstance(value, list | tuple):
            self._count(len(value), depth)
            yield from self._of_list([self.convert(child) for child in value], name, depth)

    def _of_list(self, values: list, name: str, depth: int) -> Iterator[tuple[str, StoredArray]]:
        if values and all(isinstance(value, str | int | float) for value in values):
            if len({isinstance(value, str) for value in values}) == 1:
                yield name, _column(values)
            return
        stacked = _stacked(values)
        if stacked is not None:
            yield name, stacked
            return
        for index, child in enumerate(values):
            yield from self.leaves(child, f"{name}.{index}".lstrip("."), depth + 1)

    def _count(self, children: int, depth: int) -> None:
        self.visits += children + 1
        if depth > _DEEPEST or self.visits > _VISITS:
            raise DataError(
                f"{self.name} is nested more than {_DEEPEST} levels deep, or endlessly: "
                "it is no file of embeddings."
            )


def _stacked(values: list) -> StoredArray | None:
    """Return equally long vectors of floats as one matrix, or None if they are something else."""
    if not values or not all(
        isinstance(v, StoredArray) and len(v.shape) == 1 and v.dtype.kind == "f" for v in values
    ):
        return None
    shape, dtype = values[0].shape, values[0].dtype
    if any(v.shape != shape or v.dtype != dtype for v in values):
        return None
    return StoredArray(
        (len(values), *shape), dtype, lambda: np.stack([np.asarray(v.load()[:]) for v in values])
    )


def _column(values: list) -> StoredArray:
    try:
        column = pa.array(values)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        return StoredArray((len(values),), np.dtype(object), lambda: np.empty((0, 0)))  # listed, never used
    text = pa.types.is_string(column.type)
    dtype = np.dtype(np.str_) if text else np.dtype(column.type.to_pandas_dtype())
    return StoredArray((len(values),), dtype, lambda: column)
