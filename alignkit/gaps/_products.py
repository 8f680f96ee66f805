"""Centred products of rows that stand side by side: what linear similarity of two spaces is made of."""

from dataclasses import dataclass

import numpy as np

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._jackknife import item_blocks
from alignkit.gaps._replicas import NULLS, Replicas, n_blocks
from alignkit.shapes import Vectors


@dataclass(frozen=True, slots=True)
class Products:
    """Hold sums over pairs of rows about an origin: n, both sums, and the products xx, xy, yy; they add up.

    ``origin`` is what was taken off the rows, x beside y: rows have length 1 before that.
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
        x = x.astype(np.float64) - origin[: x.shape[1]]
        y = y.astype(np.float64) - origin[x.shape[1] :]
        return cls(len(x), x.sum(axis=0), y.sum(axis=0), x.T @ x, x.T @ y, y.T @ y, origin)

    def __add__(self, other: "Products") -> "Products":
        return self._with(other, 1)

    def __sub__(self, other: "Products") -> "Products":
        return self._with(other, -1)

    def _with(self, other: "Products", sign: int) -> "Products":
        names = ("n", "x", "y", "xx", "xy", "yy")
        sums = {name: getattr(self, name) + sign * getattr(other, name) for name in names}
        return Products(**sums, origin=self.origin)

    def repaired(self, xy: np.ndarray) -> "Products":
        """Return the same rows with other partners, whose products are ``xy``."""
        return Products(self.n, self.x, self.y, self.xx, xy, self.yy, self.origin)

    def centred(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the centred products xx, xy, yy."""
        x, y = self.x / self.n, self.y / self.n
        return (
            self.xx - self.n * np.outer(x, x),
            self.xy - self.n * np.outer(x, y),
            self.yy - self.n * np.outer(y, y),
        )

    def lengths(self) -> tuple[float, float, float]:
        """Return the sums over rows of |x|^4, |x|^2 |y|^2 and |y|^4 for centred x and y.

        Rows had length 1, so |x - mean|^2 is linear in x: products of rows tell these sums exactly.
        """
        xx, xy, yy = self.centred()
        means = self.origin + np.concatenate([self.x, self.y]) / self.n
        x, y = means[: len(self.x)], means[len(self.x) :]
        a, b = 1 - x @ x, 1 - y @ y  # |x - mean|^2 = a - 2 mean . (x - mean)
        return (
            float(self.n * a * a + 4 * x @ xx @ x),
            float(self.n * a * b + 4 * x @ xy @ y),
            float(self.n * b * b + 4 * y @ yy @ y),
        )


def read_products(clouds: Clouds) -> Products:
    """Return the products of matched clouds."""
    return clouds.once("products", lambda: Products.of(clouds.x, clouds.y, _origin(clouds)))


def product_blocks(clouds: Clouds, seed: int) -> list[Products]:
    """Return the products of each block of matched clouds."""
    count = n_blocks(clouds)
    blocks, _ = item_blocks(clouds, count, seed)
    origin = _origin(clouds)
    return [Products.of(clouds.x[blocks == b], clouds.y[blocks == b], origin) for b in range(count)]


def product_replicas(clouds: Clouds, seed: int) -> Replicas[Products]:
    """Return the products of matched clouds, those without each block, and those of permuted partners."""
    parts = clouds.once(("product blocks", seed), lambda: product_blocks(clouds, seed))
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    origin = whole.origin
    width = clouds.x.shape[1]

    def permuted(draw: int) -> Products:
        order = np.random.default_rng([seed, 6, draw]).permutation(len(clouds.y))
        x = clouds.x - origin[:width].astype(clouds.x.dtype)
        y = clouds.y[order] - origin[width:].astype(clouds.y.dtype)
        return whole.repaired((x.T @ y).astype(np.float64))

    return Replicas(whole, (whole - part for part in parts), (permuted(draw) for draw in range(NULLS)))


def _origin(clouds: Clouds) -> np.ndarray:
    return np.concatenate([side.mean(axis=0, dtype=np.float64) for side in (clouds.x, clouds.y)])
