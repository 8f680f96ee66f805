"""Turn the products of matched rows into two projections: a rotation whose directions are weighed."""

from dataclasses import dataclass

import numpy as np

from alignkit.aligners._svd import thin_svd
from alignkit.shapes import SourceCloud, TargetCloud


@dataclass(frozen=True, slots=True)
class WeighedRotation:
    """The singular vectors of a cross-product, and their singular values as shares of the largest.

    A power ``p`` weighs the directions by ``values ** (p / 2)`` on either side: 0 is the rotation alone,
    1 takes products as they are, between them directions in which few pairs agree count less.
    """

    left: np.ndarray
    values: np.ndarray
    right: np.ndarray
    total: float  # sum of the singular values: how near the rotation brings the rows behind the product

    @classmethod
    def of(cls, product: np.ndarray) -> "WeighedRotation":
        """Return the parts of a product ``(ds, dt)``.

        Raises
        ------
        DataError
            If the product is not finite.
        """
        U, s, Vt = thin_svd(product)
        largest = float(s[0])
        values = s / largest if largest > 0 else np.zeros_like(s)
        values[values < len(s) * np.finfo(np.float64).eps] = 0  # rounding, not agreement
        return cls(U, values, Vt.T, float(s.sum()))

    @property
    def matrix(self) -> np.ndarray:
        """The rotation, or what is nearest to one between unequal dimensions."""
        return self.left @ self.right.T

    def projections(self, power: float) -> tuple[np.ndarray, np.ndarray]:
        """Return what takes source and target rows to the weighed directions; those of no weight go."""
        kept = self.values > 0 if power > 0 and self.values.any() else np.ones(len(self.values), bool)
        weights = self.values[kept] ** (power / 2)
        return self.left[:, kept] * weights, self.right[:, kept] * weights

    def project(
        self, source: SourceCloud, target: TargetCloud, power: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of both sides in the weighed directions."""
        left, right = self.projections(power)
        return source @ left, target @ right
