"""Centred products of rows that stand side by side: what linear similarity of two spaces is made of."""

from dataclasses import dataclass

import numpy as np

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._replicas import Replicas, n_blocks, without_each
from alignkit.gaps._spread import Spread, middle
from alignkit.shapes import Vectors


@dataclass(frozen=True, slots=True)
class Products:
    """Hold sums over pairs of rows about an origin: n, both sums, and the products xx, xy, yy; they add up.

    ``origin`` is what was taken off the rows of both sides: they have length 1 before that.
    """

    n: float
    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray
    origin: np.ndarray

    @classmethod
    def of(cls, x: Vectors, y: Vectors, origin: np.ndarray) -> "Products":
        """Return the products of rows of which row i belongs to row i."""
        x, y = x.astype(np.float64) - origin, y.astype(np.float64) - origin
        return cls(len(x), x.sum(axis=0), y.sum(axis=0), x.T @ x, x.T @ y, y.T @ y, origin)

    def __add__(self, other: "Products") -> "Products":
        return self._with(other, 1)

    def __sub__(self, other: "Products") -> "Products":
        return self._with(other, -1)

    def _with(self, other: "Products", sign: int) -> "Products":
        names = ("n", "x", "y", "xx", "xy", "yy")
        sums = {name: getattr(self, name) + sign * getattr(other, name) for name in names}
        return Products(**sums, origin=self.origin)

    def centred(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the centred products xx, xy, yy."""
        x, y = self.x / self.n, self.y / self.n
        return (
            self.xx - self.n * np.outer(x, x),
            self.xy - self.n * np.outer(x, y),
            self.yy - self.n * np.outer(y, y),
        )

    @property
    def spread_x(self) -> Spread:
        """The spread of x alone."""
        return Spread(self.n, self.x, self.xx)

    @property
    def spread_y(self) -> Spread:
        """The spread of y alone."""
        return Spread(self.n, self.y, self.yy)

    def lengths(self) -> tuple[float, float, float]:
        """Return the sums over rows of |x|^4, |x|^2 |y|^2 and |y|^4 for centred x and y.

        Rows had length 1, so |x - mean|^2 is linear in x: products of rows tell these sums exactly.
        """
        xx, xy, yy = self.centred()
        x, y = self.origin + self.x / self.n, self.origin + self.y / self.n
        a, b = 1 - x @ x, 1 - y @ y  # |x - mean|^2 = a - 2 mean . (x - mean)
        return (
            float(self.n * a * a + 4 * x @ xx @ x),
            float(self.n * a * b + 4 * x @ xy @ y),
            float(self.n * b * b + 4 * y @ yy @ y),
        )


def read_products(clouds: Clouds) -> Products:
    """Return the products of matched clouds."""
    return clouds.once("products", lambda: Products.of(clouds.x, clouds.y, middle(clouds.x, clouds.y)))


def product_blocks(clouds: Clouds, seed: int) -> list[Products]:
    """Return the products of each block of matched clouds."""

    def make() -> list[Products]:
        count = n_blocks(clouds)
        blocks, _ = item_blocks(clouds, count, seed)
        origin = middle(clouds.x, clouds.y)
        return [Products.of(clouds.x[blocks == b], clouds.y[blocks == b], origin) for b in range(count)]

    return clouds.once(("product blocks", seed), make)


def product_replicas(clouds: Clouds, seed: int) -> Replicas[Products]:
    """Return the products of matched clouds and those without each block; there are no nulls."""
    return without_each(product_blocks(clouds, seed), ())
