"""Two axes for both modalities: fitted on all rows together, applied to any."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from alignkit.errors import DataError
from alignkit.shapes import SourceRows, TargetRows, Vectors


class Projection(ABC):
    """Map rows of one space to two coordinates; both modalities share the basis, or the drawing would lie.

    After `fit`: ``origin_`` (d) is drawn at (0, 0), ``axes_`` (2 d) are the two directions, orthonormal, and
    ``shares_`` the share of the variance of all rows that lies along each. ``labels`` name the axes.
    """

    labels: ClassVar[tuple[str, str]]

    origin_: np.ndarray
    axes_: np.ndarray
    shares_: np.ndarray

    def fit(self, x: ArrayLike, y: ArrayLike) -> "Projection":
        """Find the axes from the rows of both sides.

        Raises
        ------
        DataError
            If the widths differ, or there are fewer than two dimensions or three rows.
        """
        first, second = _as_rows(x), _as_rows(y)
        if first.shape[1] != second.shape[1]:
            raise DataError(
                f"x has {first.shape[1]} dimensions and y {second.shape[1]}: draw both in one space."
            )
        if first.shape[1] < 2 or len(first) + len(second) < 3:
            raise DataError(f"two axes need two dimensions and three rows: {first.shape} and {second.shape}.")
        pooled = np.concatenate([first, second])
        self.origin_ = pooled.mean(axis=0)
        pooled -= self.origin_
        self.axes_ = self._axes(pooled[: len(first)], pooled[len(first) :])
        total = (pooled**2).sum()
        self.shares_ = ((pooled @ self.axes_.T) ** 2).sum(axis=0) / (total or 1.0)
        return self

    def transform(self, rows: ArrayLike) -> Vectors:
        """Return the two coordinates of each row, in the unit of the embeddings."""
        if not hasattr(self, "axes_"):
            raise DataError(f"this {type(self).__name__} has no axes yet: call fit first.")
        points = _as_rows(rows)
        if points.shape[1] != len(self.origin_):
            raise DataError(f"this drawing has {len(self.origin_)} dimensions, the rows {points.shape[1]}.")
        return (points - self.origin_) @ self.axes_.T

    @abstractmethod
    def _axes(self, x: SourceRows, y: TargetRows) -> np.ndarray:
        """Return two orthonormal rows for clouds whose common mean is the origin."""


def _as_rows(rows: ArrayLike) -> Vectors:
    points = np.asarray(rows, dtype=np.float64)
    if points.ndim != 2 or not points.size or not np.isfinite(points).all():
        raise DataError(f"a drawing needs a matrix of finite numbers, got shape {points.shape}.")
    return points


def principal_axes(rows: Vectors, count: int) -> np.ndarray:
    """Return the first principal directions; their largest entry is positive, so that two fits agree."""
    scatter = rows.T @ rows
    axes = np.linalg.eigh(scatter)[1][:, ::-1][:, :count].T
    peak = np.abs(axes).argmax(axis=1)
    return axes * np.sign(axes[np.arange(count), peak])[:, None]
