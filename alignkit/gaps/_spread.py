"""Count, sum and products of rows about an origin: means and covariances that add up over blocks."""

from dataclasses import dataclass

import numpy as np

from alignkit.shapes import SourceRows, TargetRows, Vectors

CHUNK = 2048  # rows multiplied at a time: 8 MB of float64 at 512 dimensions


@dataclass(frozen=True, slots=True)
class Spread:
    """Hold count, sum and products of rows about a fixed origin: it adds up over blocks."""

    n: float
    total: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, rows: Vectors, origin: np.ndarray, *, dtype: type[np.floating] = np.float64) -> "Spread":
        """Return the spread of rows, some at a time; near their origin products lose no digits.

        Sums of the parts are float64 whatever ``dtype`` the products are made in.
        """
        dim = len(origin)
        total, products = np.zeros(dim), np.zeros((dim, dim))
        near = origin.astype(dtype)
        for start in range(0, len(rows), CHUNK):
            moved = rows[start : start + CHUNK].astype(dtype) - near
            total += moved.sum(axis=0, dtype=np.float64)
            products += moved.T @ moved
        return cls(len(rows), total, products)

    def __add__(self, other: "Spread") -> "Spread":
        return Spread(self.n + other.n, self.total + other.total, self.products + other.products)

    def __sub__(self, other: "Spread") -> "Spread":
        return Spread(self.n - other.n, self.total - other.total, self.products - other.products)

    def mean(self, origin: np.ndarray) -> np.ndarray:
        """Return the mean row."""
        return origin + self.total / self.n

    def covariance(self) -> np.ndarray:
        """Return the covariance, without bias."""
        mean = self.total / self.n
        return (self.products - self.n * np.outer(mean, mean)) / (self.n - 1)


def middle(x: SourceRows, y: TargetRows) -> np.ndarray:
    """Return the point half-way between the means of two clouds: the origin of both."""
    return (x.mean(axis=0, dtype=np.float64) + y.mean(axis=0, dtype=np.float64)) / 2
