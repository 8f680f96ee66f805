"""Rows of numbers that may not fit in memory: one array, a memory map, or shards laid end to end."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Rows(Protocol):
    """What every matrix of embeddings can do, however it is stored; numpy arrays are Rows."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and dimensions."""
        ...

    @property
    def dtype(self) -> np.dtype:
        """The stored number format."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, key: slice | np.ndarray, /) -> np.ndarray: ...


class ShardedRows:
    """Show several matrices of equal width as one, without copying any of them.

    A slice that lies in one part is a view of it; one that crosses a border, and any array of row
    numbers, is a copy.

    Examples
    --------
    >>> rows = ShardedRows([np.zeros((2, 3)), np.ones((4, 3))])
    >>> rows.shape, rows[1:3].sum()
    ((6, 3), np.float64(3.0))
    """

    def __init__(self, parts: Sequence[Rows]) -> None:
        if len({part.shape[1] for part in parts}) != 1 or len({part.dtype for part in parts}) != 1:
            raise ValueError("parts of one matrix must share their width and dtype")
        self.parts = list(parts)
        self._starts = [0, *accumulate(len(part) for part in self.parts)]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and dimensions."""
        return self._starts[-1], self.parts[0].shape[1]

    @property
    def dtype(self) -> np.dtype:
        """The stored number format, the same in all parts."""
        return self.parts[0].dtype

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, key: slice | np.ndarray, /) -> np.ndarray:
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step != 1:
                return self[np.arange(start, stop, step)]
            return self._contiguous(start, max(start, stop))
        key = np.asarray(key)
        if key.dtype == bool:
            key = np.flatnonzero(key)
        out = np.empty((len(key), self.shape[1]), dtype=self.dtype)
        home = np.searchsorted(self._starts, key, side="right") - 1
        for part in np.unique(home):
            here = home == part
            out[here] = self.parts[part][key[here] - self._starts[part]]
        return out

    def _contiguous(self, start: int, stop: int) -> np.ndarray:
        first = bisect_right(self._starts, start) - 1
        pieces = []
        for part in range(max(first, 0), len(self.parts)):
            low, high = self._starts[part], self._starts[part + 1]
            if low >= stop:
                break
            pieces.append(self.parts[part][max(start - low, 0) : min(stop, high) - low])
        if len(pieces) == 1:
            return pieces[0]
        return np.concatenate(pieces) if pieces else np.empty((0, self.shape[1]), self.dtype)


def computing_dtype(dtype: np.dtype | type) -> np.dtype:
    """Return the float type in which rows stored as ``dtype`` are computed with: float32, or float64.

    Half precision and small integers fit in float32 without loss; 32-bit integers and doubles need float64.

    Examples
    --------
    >>> computing_dtype(np.float16), computing_dtype(np.float64)
    (dtype('float32'), dtype('float64'))
    """
    dtype = np.dtype(dtype)
    small = (dtype.kind == "f" and dtype.itemsize <= 4) or (dtype.kind in "iu" and dtype.itemsize <= 2)
    return np.dtype(np.float32 if small else np.float64)


class ChosenRows:
    """Show some rows of a matrix without copying them: they are read when they are asked for."""

    def __init__(self, rows: Rows, chosen: np.ndarray) -> None:
        self.rows, self.chosen = rows, chosen

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and dimensions."""
        return len(self.chosen), self.rows.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """The stored number format."""
        return self.rows.dtype

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, key: slice | np.ndarray, /) -> np.ndarray:
        return np.asarray(self.rows[self.chosen[key]])
