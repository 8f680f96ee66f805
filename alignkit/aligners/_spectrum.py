"""Powers of a product matrix from one eigendecomposition: ridge, whitening, least squares."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import scipy.linalg

from alignkit._params import check_amount
from alignkit.errors import DataError

Regularization: TypeAlias = float | Literal["auto"]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Hold the eigenvalues and eigenvectors of a symmetric positive matrix, noise taken out.

    Directions whose eigenvalue is within rounding error of zero hold nothing and are left out of every
    power, so the inverse is the pseudo-inverse.
    """

    values: np.ndarray
    vectors: np.ndarray

    @classmethod
    def of(cls, product: np.ndarray) -> "Spectrum":
        """Return the spectrum of ``product``, largest eigenvalue first, signs fixed."""
        if not np.isfinite(product).all():
            raise DataError("the products of the rows leave the range of float64: scale the rows down.")
        values, vectors = scipy.linalg.eigh(product, driver="evd")
        values, vectors = values[::-1], vectors[:, ::-1]
        keep = values > max(values[0], 0) * len(values) * 4 * np.finfo(np.float64).eps
        return cls(values[keep], fixed_signs(vectors[:, keep])[0])

    def power(self, exponent: float, shift: float = 0.0) -> np.ndarray:
        """Return ``V (L + shift)^exponent V'``."""
        return (self.vectors * (self.values + shift) ** exponent) @ self.vectors.T


def check_regularization(value: object) -> None:
    """Raise ParameterError unless ``value`` is ``"auto"`` or a number that `added_eigenvalue` takes."""
    if value != "auto":
        check_amount("regularization", value, other=", or 'auto'")


def added_eigenvalue(regularization: Regularization, product: np.ndarray, weight: float) -> float:
    """Return what is added to every eigenvalue of a side's products: a share of their mean.

    ``"auto"`` takes dimensions per pair as the share, and at most 1: by so much sampling scatters the
    eigenvalues (Marchenko and Pastur 1967).
    """
    d = len(product)
    share = min(1.0, d / weight) if regularization == "auto" else regularization
    return float(share * np.trace(product) / d)


def fixed_signs(columns: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the columns, and those of ``others`` with them, so that each one's largest entry is positive."""
    if not columns.size:
        return columns, *others
    largest = columns[np.abs(columns).argmax(axis=0), np.arange(columns.shape[1])]
    signs = np.where(largest < 0, -1.0, 1.0)
    return tuple(matrix * signs for matrix in (columns, *others))
