"""Draw the variances of a cloud's directions together, by a small power of its covariance."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from alignkit.errors import DataError
from alignkit.shapes import Vectors

FLOOR = 0.1  # share of the mean variance that is added: directions without rows are not blown up


@dataclass(frozen=True, slots=True)
class Tempering:
    """A symmetric matrix that tempers rows, and its inverse."""

    matrix: np.ndarray
    inverse: np.ndarray

    @classmethod
    def of(cls, V: Vectors, exponent: float) -> "Tempering":
        """Return ``(C + FLOOR mean(C))^-exponent`` of the covariance ``C`` about the origin.

        An exponent of 0 changes nothing, 1/2 whitens. The mean variance stays 1, so that lengths stay
        about as they were; a cloud of zeros is left alone.

        Raises
        ------
        DataError
            If the products of the rows are not finite.
        """
        d = V.shape[1]
        with np.errstate(over="ignore", invalid="ignore"):
            covariance = V.T @ V / len(V)
        if not np.isfinite(covariance).all():
            raise DataError("the products of the rows leave the range of float64: scale the rows down.")
        mean = float(np.trace(covariance)) / d
        if exponent == 0 or not mean > 0:
            return cls(np.eye(d), np.eye(d))
        values, vectors = scipy.linalg.eigh(covariance / mean, driver="evd")
        values = np.maximum(values, 0) + FLOOR
        return cls(
            (vectors * values**-exponent) @ vectors.T,
            (vectors * values**exponent) @ vectors.T,
        )
