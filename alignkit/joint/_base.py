"""The contract of every method that places several spaces in one joint frame."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self, TypeAlias

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.base import BaseEstimator

from alignkit.aligners._base import FEWEST_ROWS, Aligner
from alignkit.aligners._frame import Frame, FrameFit, Normalize, check_normalize
from alignkit.errors import DataError, PairingError
from alignkit.rows import Rows
from alignkit.shapes import JointVectors, Labels

ArrayLike: TypeAlias = Any  # whatever numpy turns into whole numbers
BLOCK = 2048  # items framed at a time
FEWEST_SPACES = 2


class JointAligner(BaseEstimator, ABC):
    """Place two or more spaces in one joint frame, in which the rows of one item meet.

    A leaf fills `_fit`, which sets ``maps_``: one map per space, whose `transform` takes its rows into
    the joint frame and whose `inverse_transform` takes joint rows out of it, into the space's own frame.
    Dimensions may differ, and an item may be missing in some spaces: every method uses all spaces that
    hold it and says how. Items that one space alone holds teach nothing and are left out.

    Attributes
    ----------
    maps_
        One map per space, in the order in which the spaces were given.
    """

    normalize: Normalize
    maps_: tuple[Aligner, ...]

    def fit(self, sides: Sequence[Rows], rows: ArrayLike = None, *, groups: "Labels | None" = None) -> Self:
        """Learn the maps and return self.

        ``rows`` has one line per item and one column per space: the item's row there, or -1 where the
        space does not hold it. Without it, row i of every side is item i. ``groups`` labels items that
        belong together, for pairwise methods that hold out some of them.

        Raises
        ------
        DataError
            If a side is no matrix of numbers, or a row is not finite or has no direction where one is
            needed.
        PairingError
            If ``rows`` does not fit the sides, or some of the spaces share no item with the others.
        ParameterError
            If a parameter makes no sense.
        """
        check_normalize(self.normalize)
        self._check_params()
        sides = [side if isinstance(side, Rows) else np.asarray(side) for side in sides]
        rows = _checked_rows(sides, rows)
        shared = (rows >= 0).sum(axis=1) >= FEWEST_SPACES
        _check_connected(rows[shared])
        self._fit(sides, rows[shared], None if groups is None else np.asarray(groups)[shared])
        return self

    def project(self, side: int, X: Rows) -> JointVectors:
        """Return rows of the space ``side`` in the joint frame (half precision answers in float32)."""
        return self.maps_[side].project_source(X)

    @abstractmethod
    def _fit(self, sides: Sequence[Rows], rows: np.ndarray, groups: "Labels | None") -> None: ...

    def _check_params(self) -> None:
        """Raise ParameterError where a parameter makes no sense."""

    def _frames(self, sides: Sequence[Rows], rows: np.ndarray) -> list[Frame]:
        """Return the frame of every space, fitted to its rows among the items."""
        return [
            frame_of(side, column[column >= 0], self.normalize, number)
            for number, (side, column) in enumerate(zip(sides, rows.T, strict=True))
        ]


def frame_of(side: Rows, rows: np.ndarray, normalize: Normalize, number: int) -> Frame:
    """Return the frame of some rows of one side, read a block at a time; errors name space ``number``."""
    fit = FrameFit(normalize)
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        block = np.asarray(side[part])
        bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
        if len(bad):
            raise DataError(
                f"space {number}, row {part[bad[0]]} holds NaN or inf: remove or re-encode that item."
            )
        fit.update(block)
    return fit.frame()


def _checked_rows(sides: Sequence[Rows], rows: ArrayLike) -> np.ndarray:
    if len(sides) < FEWEST_SPACES:
        raise PairingError(f"there is {len(sides)} space: a joint frame joins two or more.")
    for number, side in enumerate(sides):
        if len(side.shape) != 2 or side.dtype.kind not in "fiu":
            raise DataError(
                f"space {number} has shape {tuple(side.shape)} and type {side.dtype}: give a matrix of "
                "numbers, one row per item."
            )
    lengths = [len(side) for side in sides]
    if rows is None:
        if len(set(lengths)) > 1:
            raise PairingError(
                f"the spaces have {', '.join(map(str, lengths))} rows: say with `rows` which belong together."
            )
        rows = np.tile(np.arange(lengths[0])[:, None], len(sides))
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.shape[1] != len(sides) or rows.dtype.kind not in "iu":
        raise PairingError(
            f"rows have shape {rows.shape} and type {rows.dtype}: give whole numbers, a column for each of "
            f"{len(sides)} spaces."
        )
    bad = np.argwhere((rows < -1) | (rows >= lengths))
    if len(bad):
        item, number = bad[0]
        raise PairingError(
            f"item {item} names row {rows[item, number]} of space {number}, which has {lengths[number]}: "
            "count from 0, and write -1 where an item is missing."
        )
    return rows.astype(np.int64)


def _check_connected(rows: np.ndarray) -> None:
    """See that every space holds shared items, and that no two camps of spaces share none."""
    held = rows >= 0
    counts = held.sum(axis=0)
    if len(rows) == 0 or counts.min() < FEWEST_ROWS:
        raise PairingError(
            f"space {int(counts.argmin())} shares {int(counts.min())} items with the other spaces: at least "
            f"{FEWEST_ROWS} are needed."
        )
    items, spaces = np.nonzero(held)
    nodes = len(rows) + held.shape[1]
    graph = coo_array((np.ones(len(items), bool), (items, spaces + len(rows))), shape=(nodes, nodes))
    camps = connected_components(graph, directed=False)[1][len(rows) :]
    if camps.max() > 0:
        apart = [int(space) for space in np.flatnonzero(camps != camps[0])]
        raise PairingError(
            f"spaces {apart} share no item with space 0, directly or by way of others: one frame cannot "
            "hold them; join them apart, or add items that both hold."
        )
