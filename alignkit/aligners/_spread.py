"""How far a cloud reaches along every column or axis: measured in a stream, taken out, put back."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import scipy.linalg

from alignkit.errors import DataError
from alignkit.shapes import Vectors

FLOOR = 1e-10  # of the largest variance; less is what rounding leaves of rows stored in few digits

Along: TypeAlias = Literal["columns", "axes"]


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Give centred rows unit variance along their columns, or along their principal axes (ZCA).

    ``stretch`` holds the standard deviation of every column, or the symmetric root of the covariance;
    ``squeeze`` takes it back. A column that never changes is left at scale 1. An axis whose variance is
    below 1e-10 of the largest one, or within rounding of the mean, holds nothing: `take_out` drops it and
    so does `put_back`.

    References
    ----------
    Bell and Sejnowski (1997), *The independent components of natural scenes are edge filters* (ZCA).
    """

    stretch: np.ndarray
    squeeze: np.ndarray

    @classmethod
    def of(cls, variances: np.ndarray, mean: np.ndarray) -> "Spread":
        """Return the spread of the variances of the columns, or of a whole covariance matrix.

        Raises
        ------
        DataError
            If they are not finite: the squares of the rows left the range of float64.
        """
        if not np.isfinite(variances).all():
            raise DataError("the squares of the rows leave the range of float64: scale the rows down.")
        rounding = 8 * np.finfo(np.float64).eps * np.abs(mean)
        if variances.ndim == 1:
            deviations = np.sqrt(np.maximum(variances, 0))
            stretch = np.where(deviations > rounding, deviations, 1.0)
            return cls(stretch, 1 / stretch)
        values, vectors = scipy.linalg.eigh(variances, driver="evd")
        kept = values > max(FLOOR * values[-1], float(rounding @ rounding))
        roots, vectors = np.sqrt(values[kept]), vectors[:, kept]
        return cls((vectors * roots) @ vectors.T, (vectors / roots) @ vectors.T)

    @property
    def dropped(self) -> int:
        """Number of axes that hold nothing and are lost."""
        if self.squeeze.ndim == 1:
            return 0
        # squeeze times stretch projects onto the axes that are left
        return len(self.squeeze) - round(float(np.sum(self.squeeze * self.stretch)))

    def take_out(self, V: Vectors) -> Vectors:
        """Return centred rows at unit variance."""
        return _times(V, self.squeeze)

    def put_back(self, V: Vectors) -> Vectors:
        """Return rows of unit variance as centred rows."""
        return _times(V, self.stretch)

    def of_products(self, products: np.ndarray, other: "Spread") -> np.ndarray:
        """Return the cross-products of two sides' rows after both were taken out."""
        return _times(_times(products.T, self.squeeze).T, other.squeeze)


class Scatter:
    """Accumulate the centred squares of rows, or all their products, a block at a time.

    Blocks are centred by their own mean and merged (Chan, Golub and LeVeque 1979), so that nothing
    cancels. All is float64.
    """

    def __init__(self, along: Along) -> None:
        self.along: Along = along
        self.weight = 0.0
        self._mean, self._products = np.zeros(0), np.zeros(0)

    def update(self, X: Vectors, weight: np.ndarray) -> None:
        """Add rows with their weights."""
        total = float(weight.sum())
        if not total > 0:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # `Spread.of` looks at the result
            mean = weight @ X / total
            centred = X - mean
            products = self._own(centred, weight)
            if not self.weight:
                self._mean, self._products = np.zeros(X.shape[1]), np.zeros_like(products)
            delta = mean - self._mean
            between = self._own(delta[None], np.ones(1))
            self._products += products + between * (self.weight * total / (self.weight + total))
            self._mean += delta * (total / (self.weight + total))
        self.weight += total

    def variances(self) -> np.ndarray:
        """Return the variance of every column, or the covariance matrix, per unit of weight."""
        return self._products / self.weight

    def _own(self, X: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return weight @ (X * X) if self.along == "columns" else (X * weight[:, None]).T @ X


def _times(V: np.ndarray, factor: np.ndarray) -> np.ndarray:
    factor = factor.astype(V.dtype, copy=False)
    return V * factor if factor.ndim == 1 else V @ factor
