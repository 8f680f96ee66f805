"""Add up the moments of one shard's framed rows: one conversion, at most one scaling, one product a block."""

import numpy as np
from scipy.linalg import blas

from alignkit.aligners._frame import Frame, Normalize, row_lengths
from alignkit.aligners._halves import widen
from alignkit.errors import DataError
from alignkit.moments import Moments, Parts
from alignkit.shards import Pooled

# rows converted and multiplied at a time: few stay in the cache, many spare passes over the sums
BLOCKS: dict[Parts, int] = {"cross": 512, "all": 1024}
_CLOSE = 1e-2  # squared distance from the mean below which a row is subtracted before it is measured
_TINY = 4 * np.finfo(np.float64).tiny  # lengths whose reciprocals leave the range of float64
_SIDES = ("source", "target")


class Workspace:
    """Hold one block of both sides as float64; sums that are made in turn may share it."""

    def __init__(self, dims: tuple[int, int], parts: Parts) -> None:
        (ds, dt), self.rows = dims, BLOCKS[parts]
        self.both = np.empty((self.rows, ds + dt)) if parts == "all" else None
        if self.both is None:
            self.sides = np.empty((self.rows, ds)), np.empty((self.rows, dt))
        else:
            self.sides = self.both[:, :ds], self.both[:, ds:]
        self.bits = np.empty((self.rows, ds), np.int32), np.empty((self.rows, dt), np.int32)


class ShardSum:
    r"""Accumulate products of rows in their frames, without centring or normalising them one by one.

    A block of stored rows is converted to float64 in place, scaled where a unit step asks for it, and
    multiplied. Means enter as columns instead: rows ``z - b m'`` (``b`` is 1, or the second reciprocal
    length of `unit-center-unit`) have the products ``Z'Z - Z'b m' - m b'Z + m b'b m'``, so three thin
    products a block and one correction a shard take the place of two passes over every block. Unit rows
    lie within 1 of the origin, so the correction costs them no digits that matter; raw rows are shifted
    by the mean of the shard's first block beforehand, so a far cloud loses none either.

    Frames are as in `Frame`: for ``unit-center-unit`` they must be given and the sums are those of rows in
    the joint frame; for the other steps the sums are those of rows before the mean is subtracted, which
    the sums themselves tell.
    """

    def __init__(
        self,
        dims: tuple[int, int],
        steps: Normalize,
        parts: Parts,
        frames: tuple[Frame, Frame] | None = None,
        workspace: "Workspace | None" = None,
    ) -> None:
        ds, dt = self.dims = dims
        self.unit, self.parts, self.frames = steps.startswith("unit"), parts, frames
        self.rows = 0
        self.shift: np.ndarray | None = None
        D, shape = ds + dt, (ds + dt, ds + dt) if parts == "all" else (ds, dt)
        self.products = np.zeros(shape, order="F")
        self.by_columns = np.zeros((D, 3))  # Z' times the columns b of source and target, and ones
        self.columns = np.zeros((3, 3))
        self.squares, self.lengths = np.zeros(2), np.zeros(2)
        self._workspace = workspace or Workspace(dims, parts)

    def add(self, X: np.ndarray, Y: np.ndarray, weight: np.ndarray | None, first_row: int = 0) -> None:
        """Add pairs; ``first_row`` is what the first of them is called in a message.

        Raises
        ------
        DataError
            If a row is not finite, or is all zeros where a direction is needed; side and row are named.
        """
        size = self._workspace.rows
        for start in range(0, len(X), size):
            part = slice(start, start + size)
            self._add_block((X[part], Y[part]), None if weight is None else weight[part], first_row + start)

    def pooled(self) -> Pooled:
        """Return the moments of all pairs added, with the means put in; nothing can be added afterwards."""
        ds, total = self.dims[0], float(self.columns[2, 2])
        if total == 0:
            mean, products = np.zeros(len(self.by_columns)), np.zeros_like(self.products)
            nothing = Moments.from_products((self.rows, 0.0), mean, products, source_dim=ds)
            return Pooled(nothing, np.zeros(2), np.zeros(2))
        anchors = np.zeros((len(self.by_columns), 2))
        if self.frames is not None:
            anchors[:ds, 0], anchors[ds:, 1] = (frame.mean for frame in self.frames)
        ones = self.by_columns[:, 2] - anchors @ self.columns[:2, 2]
        # Z'Z - Z'b m' - m b'Z + m b'b m' - (sum of rows)(sum of rows)' / weight, as one product
        half = self.by_columns[:, :2] - anchors @ self.columns[:2, :2] / 2
        left = np.column_stack([half, anchors, ones / np.sqrt(total)])
        right = np.column_stack([anchors, half, ones / np.sqrt(total)])
        if self.parts == "cross":
            left, right = left[:ds], right[ds:]
        products = blas.dgemm(-1.0, left, right, beta=1.0, c=self.products, trans_b=1, overwrite_c=1)
        mean = ones / total if self.shift is None else self.shift + ones / total
        squared = np.array([np.sum(part * part) for part in (ones[:ds], ones[ds:])])
        spreads = np.maximum(self.squares - squared / total, 0)
        moments = Moments.from_products((self.rows, total), mean, products, source_dim=ds)
        return Pooled(moments, spreads, self.lengths)

    def _add_block(self, rows: tuple[np.ndarray, np.ndarray], weight: np.ndarray | None, first: int) -> None:
        count = len(rows[0])
        columns = np.zeros((3, count))
        columns[2] = 1 if weight is None else np.sqrt(weight)
        sides = [side[:count] for side in self._workspace.sides]
        scales: list[np.ndarray | None] = []
        for z, given, bits in zip(sides, rows, self._workspace.bits, strict=True):
            widen(given, z, bits)
        with np.errstate(over="ignore", invalid="ignore"):  # the sums are looked at
            for side, z in enumerate(sides):
                if self.unit:
                    scale, columns[side] = self._directions(side, z, columns[2], first)
                else:
                    scale = self._shifted(side, z, weight)
                scales.append(scale)
            sums = self._thin_products(sides, scales, columns)
        if not np.isfinite(sums).all():
            _refuse(rows, first)
        self._multiply(sides, scales, count)
        self.by_columns += sums
        self.columns += columns @ columns.T
        self.rows += count

    def _thin_products(
        self, sides: list[np.ndarray], scales: list[np.ndarray | None], columns: np.ndarray
    ) -> np.ndarray:
        """Return ``Z'b`` for the columns that the correction asks for; the rows are not scaled yet."""
        sums = np.zeros((sum(self.dims), 3))
        for side, (z, scale) in enumerate(zip(sides, scales, strict=True)):
            needed = [2] if self.frames is None else [0, 1, 2] if self.parts == "all" else [1 - side, 2]
            here = slice(self.dims[0]) if side == 0 else slice(self.dims[0], None)
            for column in needed:
                b = columns[column] if scale is None else columns[column] * scale
                sums[here, column] = b @ z
        return sums

    def _multiply(self, sides: list[np.ndarray], scales: list[np.ndarray | None], count: int) -> None:
        both = self._workspace.both
        if both is not None:
            for z, scale in zip(sides, scales, strict=True):
                if scale is not None:
                    np.multiply(z, scale[:, None], out=z)
            self.products = blas.dsyrk(1.0, both[:count].T, beta=1.0, c=self.products, lower=1, overwrite_c=1)
            return
        if scales[0] is not None and scales[1] is not None:  # for X'Y one side may bear both scales
            sides[0] *= (scales[0] * scales[1])[:, None]
        x, y = (side.T for side in sides)
        self.products = blas.dgemm(1.0, x, y, beta=1.0, c=self.products, trans_b=1, overwrite_c=1)

    def _directions(
        self, side: int, z: np.ndarray, root: np.ndarray, first: int
    ) -> tuple[np.ndarray, np.ndarray | float]:
        """Return what scales each row to the length its frame gives it, and what multiplies the mean."""
        try:
            lengths = row_lengths(z, first)
        except DataError as error:
            raise DataError(f"{_SIDES[side]} {error}") from error
        weight = root * root
        self.lengths[side] += weight @ lengths
        if lengths.min(initial=1) > _TINY:
            scale = 1 / lengths
        else:
            z /= lengths[:, None]
            scale = np.ones(len(z))
        if self.frames is None:
            self.squares[side] += weight.sum()
            return scale * root, 0.0
        inverse = _reciprocal_distances(z, scale, self.frames[side].mean) * root
        self.squares[side] += weight @ (inverse > 0)
        return scale * inverse, inverse

    def _shifted(self, side: int, z: np.ndarray, weight: np.ndarray | None) -> np.ndarray | None:
        """Subtract the first block's mean in place, and return what scales each row for its weight."""
        if self.shift is None:
            self.shift = np.zeros(sum(self.dims))
        here = slice(self.dims[0]) if side == 0 else slice(self.dims[0], None)
        if not self.rows:
            mean = z.mean(axis=0)
            self.shift[here] = np.where(np.isfinite(mean), mean, 0)
        z -= self.shift[here]
        if weight is None:
            self.squares[side] += np.vdot(z, z) if z.flags.c_contiguous else np.einsum("nd,nd->", z, z)
            return None
        self.squares[side] += weight @ np.einsum("nd,nd->n", z, z)
        return np.sqrt(weight)


def _reciprocal_distances(z: np.ndarray, scale: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return 1 / |unit row - mean|, and 0 for rows that equal the mean to rounding, as `Frame.apply` does."""
    squares = 1 + mean @ mean - 2 * scale * (z @ mean)
    close = np.flatnonzero(squares < _CLOSE)  # there the sum above cancels
    if len(close):
        apart = z[close] * scale[close, None] - mean
        squares[close] = np.einsum("nd,nd->n", apart, apart)
    zero = np.sqrt(squares) <= 8 * np.finfo(np.float64).eps
    squares[zero] = 1
    return np.where(zero, 0.0, 1 / np.sqrt(squares))


def _refuse(rows: tuple[np.ndarray, np.ndarray], first: int) -> None:
    for side, given in zip(_SIDES, rows, strict=True):
        bad = np.flatnonzero(~np.isfinite(given).all(axis=1))
        if len(bad):
            kind = "NaN" if np.isnan(given[bad[0]]).any() else "an infinite value (inf)"
            raise DataError(f"{side} row {first + int(bad[0])} holds {kind}: remove or re-encode that item.")
    raise DataError("the sum of the rows leaves the range of float64: scale them down.")
