"""Streaming, mergeable means and centred products of paired rows: all that a linear map is fitted from."""

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy.linalg import blas

from alignkit.devices import import_torch, torch_device
from alignkit.errors import DataError, ParameterError
from alignkit.rows import Rows

Parts: TypeAlias = Literal["all", "cross"]
Block: TypeAlias = tuple[Rows, Rows] | tuple[Rows, Rows, "np.ndarray | None"]
BLOCK = 2048  # rows converted and multiplied at a time: 16 MB of float64 at 512 + 512 dimensions


class Moments:
    """Hold the weight, the means and the centred products of a set of pairs, in O(d^2) memory.

    Rows come in blocks of any size, in any order, from arrays, memory maps or other machines; each block
    is centred by its own mean before it is multiplied and then merged (Chan, Golub and LeVeque 1979), so
    nothing cancels however far the cloud lies from the origin. Everything is float64.

    Parameters
    ----------
    source_dim, target_dim
        Dimensions of the two sides.
    parts
        ``"all"`` keeps ``xx``, ``xy`` and ``yy``; ``"cross"`` only ``xy``, at half the cost.

    Examples
    --------
    >>> X, Y = np.eye(3), np.ones((3, 2))
    >>> whole = Moments.from_arrays(X, Y)
    >>> parts = Moments.from_arrays(X[:1], Y[:1]) + Moments.from_arrays(X[1:], Y[1:])
    >>> bool(np.allclose(whole.xx, parts.xx)), whole.n
    (True, 3)
    """

    def __init__(self, source_dim: int, target_dim: int, *, parts: Parts = "all") -> None:
        self.source_dim, self.target_dim = source_dim, target_dim
        self.parts: Parts = parts
        self.n = 0
        self.weight = 0.0
        self._mean = np.zeros(source_dim + target_dim)
        shape = (source_dim + target_dim,) * 2 if parts == "all" else (source_dim, target_dim)
        self._elsewhere: dict[str, Any] = {}  # by torch device, sums that wait to be fetched from there
        self._products = np.zeros(shape, order="F")  # "all": the lower triangle of [x y]'[x y]
        self._buffers: tuple[np.ndarray, np.ndarray, np.ndarray | None] | None = None

    @classmethod
    def from_arrays(
        cls, X: Rows, Y: Rows, sample_weight: np.ndarray | None = None, *, parts: Parts = "all"
    ) -> "Moments":
        """Return the moments of rows that lie side by side; memory maps are read a block at a time."""
        return cls(X.shape[1], Y.shape[1], parts=parts).update(X, Y, sample_weight)

    @classmethod
    def from_blocks(cls, blocks: Iterable[Block], *, parts: Parts = "all") -> "Moments":
        """Return the moments of an iterable of ``(X, Y)`` or ``(X, Y, sample_weight)``.

        Raises
        ------
        DataError
            If there is no block, widths change on the way, or a row is not finite (it is named).
        """
        moments = None
        for X, Y, *weight in blocks:
            if moments is None:
                moments = cls(X.shape[1], Y.shape[1], parts=parts)
            moments.update(X, Y, weight[0] if weight else None)
        if moments is None:
            raise DataError("there was no block to take moments of: give at least one.")
        moments._buffers = None
        return moments

    @classmethod
    def from_products(
        cls, counts: tuple[int, float], mean: np.ndarray, products: np.ndarray, *, source_dim: int
    ) -> "Moments":
        """Return moments made elsewhere: (pairs, weight), the mean of ``[x y]``, and the centred products.

        These are ``xy``, or ``[x y]'[x y]``, of which the lower triangle counts.
        """
        parts: Parts = "all" if products.shape == (len(mean),) * 2 else "cross"
        result = cls(source_dim, len(mean) - source_dim, parts=parts)
        result.n, result.weight = counts
        result._mean, result._products = mean, np.asfortranarray(products)
        return result

    def update(self, X: Rows, Y: Rows, sample_weight: np.ndarray | None = None) -> "Moments":
        """Add the given pairs, in place, and return self."""
        if len(X) != len(Y) or X.shape[1] != self.source_dim or Y.shape[1] != self.target_dim:
            raise DataError(
                f"rows of shape {tuple(X.shape)} and {tuple(Y.shape)} do not lie side by side as (n, "
                f"{self.source_dim}) and (n, {self.target_dim}): give equally many rows of these widths."
            )
        weights = None if sample_weight is None else _checked_weights(sample_weight, len(X))
        for start in range(0, len(X), BLOCK):
            part = slice(start, start + BLOCK)
            self._add(np.asarray(X[part]), np.asarray(Y[part]), None if weights is None else weights[part])
        return self

    def merge(self, other: "Moments") -> "Moments":
        """Return the moments of both sets of pairs together."""
        return self._combine(other, +1)

    def __add__(self, other: "Moments") -> "Moments":
        return self.merge(other)

    def without(self, other: "Moments") -> "Moments":
        """Return the moments of these pairs less ``other``, which must be among them: a fold held out."""
        if other.n >= self.n or other.weight >= self.weight:
            raise ParameterError(f"{other.n} of {self.n} pairs cannot be taken away: some must remain.")
        return self._combine(other, -1)

    @property
    def mean_x(self) -> np.ndarray:
        """Weighted mean of the source rows."""
        return self._mean[: self.source_dim]

    @property
    def mean_y(self) -> np.ndarray:
        """Weighted mean of the target rows."""
        return self._mean[self.source_dim :]

    @property
    def xx(self) -> np.ndarray:
        """Sum of ``w (x - mean_x)(x - mean_x)'``."""
        return self._symmetric(slice(None, self.source_dim))

    @property
    def yy(self) -> np.ndarray:
        """Sum of ``w (y - mean_y)(y - mean_y)'``."""
        return self._symmetric(slice(self.source_dim, None))

    @property
    def xy(self) -> np.ndarray:
        """Sum of ``w (x - mean_x)(y - mean_y)'``."""
        if self.parts == "cross":
            return self._products.copy()
        return self._products[self.source_dim :, : self.source_dim].T.copy()

    @property
    def cov_xx(self) -> np.ndarray:
        """``xx`` per unit of weight."""
        return self.xx / self.weight

    @property
    def cov_xy(self) -> np.ndarray:
        """``xy`` per unit of weight."""
        return self.xy / self.weight

    @property
    def cov_yy(self) -> np.ndarray:
        """``yy`` per unit of weight."""
        return self.yy / self.weight

    def about_origin(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return ``X'X``, ``X'Y`` and ``Y'Y`` without centring."""
        x, y, w = self.mean_x, self.mean_y, self.weight
        return self.xx + w * np.outer(x, x), self.cross_about_origin(), self.yy + w * np.outer(y, y)

    def cross_about_origin(self) -> np.ndarray:
        """Return ``X'Y`` without centring."""
        return self.xy + self.weight * np.outer(self.mean_x, self.mean_y)

    def products(self) -> np.ndarray:
        """Return ``xy``, or ``[x y]'[x y]`` whose upper triangle counts; nothing is copied."""
        return self._products if self.parts == "cross" else self._products.T

    def centered(self) -> "Moments":
        """Return the moments of the same rows with their means subtracted.

        A column that varies by no more than its mean's rounding is taken for constant: zeros are left of it.
        """
        result = self.copy()
        if self.parts == "all":
            rounding = 8 * np.finfo(np.float64).eps * np.abs(self._mean) * np.sqrt(self.weight)
            constant = np.sqrt(np.maximum(np.diag(self._products), 0)) <= rounding
            result._products[constant], result._products[:, constant] = 0, 0
        result._mean = np.zeros_like(self._mean)
        return result

    def copy(self) -> "Moments":
        """Return the same moments in memory of their own."""
        result = Moments(self.source_dim, self.target_dim, parts=self.parts)
        result.n, result.weight = self.n, self.weight
        result._mean, result._products = self._mean.copy(), self._products.copy(order="F")
        return result

    def _symmetric(self, side: slice) -> np.ndarray:
        if self.parts == "cross":
            raise ParameterError("these moments hold the cross-products only: make them with parts='all'.")
        lower = np.tril(self._products[side, side])
        return lower + np.tril(lower, -1).T

    def _add(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
        rows = len(x)
        total = float(rows if weights is None else weights.sum())
        if total == 0:
            self.n += rows
            return
        zx, zy, both = self._buffer(rows)
        means = []
        for z, given in ((zx, x), (zy, y)):
            z[:rows] = given
            w = np.ones(rows) if weights is None else weights
            mean = (w @ z[:rows]) / total
            if not np.isfinite(mean).all():
                _refuse(given, "source" if z is zx else "target", self.n)
            z[:rows] -= mean
            if weights is not None:
                z[:rows] *= np.sqrt(weights)[:, None]
            means.append(mean)
        # one further row carries the distance between the means, so that one product merges the block
        delta = np.concatenate(means) - self._mean
        shift = delta * np.sqrt(self.weight / (self.weight + total) * total)
        zx[rows], zy[rows] = shift[: self.source_dim], shift[self.source_dim :]
        if (device := torch_device()) is not None:
            self._add_there(device, zx if both is None else both, zy if both is None else both)
        elif both is not None:
            self._products = blas.dsyrk(1.0, both.T, beta=1.0, c=self._products, lower=1, overwrite_c=1)
        else:
            self._products = blas.dgemm(1.0, zx.T, zy.T, beta=1.0, c=self._products, trans_b=1, overwrite_c=1)
        self._mean += delta * (total / (self.weight + total))
        self.weight += total
        self.n += rows

    def _add_there(self, device: str, left: np.ndarray, right: np.ndarray) -> None:
        torch = import_torch(f"device {device}")
        if device not in self._elsewhere:
            self._elsewhere[device] = torch.zeros(self._products.shape, dtype=torch.float64, device=device)
        first = torch.from_numpy(left).to(device)
        second = first if left is right else torch.from_numpy(right).to(device)
        self._elsewhere[device].addmm_(first.T, second)

    @property
    def _products(self) -> np.ndarray:
        while self._elsewhere:
            self._fetched += self._elsewhere.popitem()[1].cpu().numpy()
        return self._fetched

    @_products.setter
    def _products(self, products: np.ndarray) -> None:
        self._fetched = products

    def _buffer(self, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        if self._buffers is None or len(self._buffers[0]) <= rows:
            size, ds, dt = rows + 1, self.source_dim, self.target_dim
            if self.parts == "all":
                both = np.empty((size, ds + dt))
                self._buffers = both[:, :ds], both[:, ds:], both
            else:
                self._buffers = np.empty((size, ds)), np.empty((size, dt)), None
        zx, zy, both = self._buffers
        return zx[: rows + 1], zy[: rows + 1], None if both is None else both[: rows + 1]

    def _combine(self, other: "Moments", sign: int) -> "Moments":
        if (self.source_dim, self.target_dim, self.parts) != (
            other.source_dim,
            other.target_dim,
            other.parts,
        ):
            raise ParameterError(
                f"moments of {self.source_dim} -> {self.target_dim} ({self.parts}) and {other.source_dim} -> "
                f"{other.target_dim} ({other.parts}) do not add: make both of the same spaces and parts."
            )
        result = self.copy()
        result.n += sign * other.n
        result.weight += sign * other.weight
        if not other.weight or not result.weight:
            return result
        # Chan et al., eq. 2.1b; taken backwards for sign = -1
        delta = other._mean - self._mean
        result._mean += delta * (sign * other.weight / result.weight)
        factor = sign * self.weight * other.weight / result.weight
        dx, dy = delta[: self.source_dim], delta[self.source_dim :]
        rank_one = np.outer(dx, dy) if self.parts == "cross" else np.outer(delta, delta)
        result._products += sign * other._products + factor * rank_one
        return result


def _checked_weights(weights: np.ndarray, rows: int) -> np.ndarray:
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (rows,):
        raise DataError(f"weights have shape {weights.shape}; expected one for each of {rows} rows.")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise DataError(f"row {bad[0]} has weight {weights[bad[0]]}: weights are finite and not negative.")
    return weights


def _refuse(rows: np.ndarray, side: str, offset: int) -> None:
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if not len(bad):
        raise DataError(f"the sum of the {side} rows leaves the range of float64: scale them down.")
    kind = "NaN" if np.isnan(rows[bad[0]]).any() else "an infinite value (inf)"
    raise DataError(f"{side} row {offset + int(bad[0])} holds {kind}: remove or re-encode that item.")
