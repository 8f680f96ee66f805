"""Canonical correlations of the two sides, with blocks left out and with permuted pairs."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, eigvalsh, solve_triangular

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._replicas import NULLS, Replicas, n_blocks
from alignkit.gaps._replicated import PERMUTATIONS, Replicated
from alignkit.gaps._spectra import Spread
from alignkit.shapes import Vectors

SMALLEST = 1e-10  # of the largest variance: what a direction must have to count
NOTHING = 1e-20  # variance of unit rows that is rounding


@dataclass(frozen=True, slots=True)
class Sides:
    """Hold the rows of both sides in coordinates of their own, beside one another, and how many are x's."""

    rows: np.ndarray
    split: int

    def covariances(self, spread: Spread) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the covariance of x, of y, and of x with y."""
        whole, x, y = spread.covariance(), slice(self.split), slice(self.split, None)
        return whole[x, x], whole[y, y], whole[x, y]


class OnCanonical(Replicated[np.ndarray]):
    """Read canonical correlations; a leaf says in which coordinates and which directions count."""

    parts = (HEADLINE, "squared")
    default = False
    needs_pairs = True
    null = PERMUTATIONS
    limits = (0.0, 1.0)

    @abstractmethod
    def _coordinates(self, rows: Vectors) -> np.ndarray: ...

    @abstractmethod
    def _whitener(self, covariance: np.ndarray, n: int) -> np.ndarray:
        """Return columns along which rows of this covariance are uncorrelated and of spread 1."""

    def _of(self, read: np.ndarray) -> dict[str, float]:
        if not len(read):  # a side without spread
            return dict.fromkeys(self.parts, 0.0)
        return {HEADLINE: float(read.mean()), "squared": float((read**2).mean())}

    def _read(self, clouds: Clouds) -> np.ndarray:
        sides = self._sides(clouds.matched(0))
        return self._correlations(sides, self._spread(sides.rows))

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[np.ndarray]:
        one = clouds.matched(seed)
        sides = self._sides(one)
        whole = self._spread(sides.rows)
        blocks = item_blocks(one, n_blocks(one), seed)[0]
        left_out = (
            self._correlations(sides, whole - self._spread(sides.rows[blocks == block]))
            for block in range(n_blocks(one))
        )
        return Replicas(self._correlations(sides, whole), left_out, self._permuted(sides, whole, seed))

    def _sides(self, clouds: Clouds) -> Sides:
        x, y = (self._coordinates(rows.astype(np.float64)) for rows in (clouds.x, clouds.y))
        return Sides(np.concatenate([x, y], axis=1), x.shape[1])

    @staticmethod
    def _spread(rows: np.ndarray) -> Spread:
        return Spread.of(rows, np.zeros(rows.shape[1]))

    def _correlations(self, sides: Sides, spread: Spread) -> np.ndarray:
        x, y, shared = sides.covariances(spread)
        return _singular(self._whitener(x, int(spread.n)).T @ shared @ self._whitener(y, int(spread.n)))

    def _permuted(self, sides: Sides, whole: Spread, seed: int) -> Iterator[np.ndarray]:
        """Yield the correlations of permuted pairs: what whitens a side does not depend on its partners."""
        n, (x, y, _) = len(sides.rows), sides.covariances(whole)
        rows = sides.rows - sides.rows.mean(axis=0)
        first = rows[:, : sides.split] @ self._whitener(x, n)
        second = rows[:, sides.split :] @ self._whitener(y, n)
        for draw in range(NULLS):
            order = np.random.default_rng([seed, 6, draw]).permutation(n)
            yield _singular(first.T @ second[order] / (n - 1))


def orthonormal(rows: np.ndarray) -> np.ndarray:
    """Return coordinates in which rows are uncorrelated and of spread 1; none where rows have no spread."""
    moved = rows - rows.mean(axis=0)
    return moved @ leading_whitener(moved.T @ moved / (len(rows) - 1))


def leading_whitener(covariance: np.ndarray, most: int | None = None, share: float = 1.0) -> np.ndarray:
    """Return the leading directions over the root of their variance: as many as hold a share of it all.

    Examples
    --------
    >>> abs(leading_whitener(np.diag([4.0, 1.0]), share=0.7)).tolist()
    [[0.5], [0.0]]
    """
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = values[::-1], vectors[:, ::-1]
    count = int((values > max(SMALLEST * values[0], NOTHING)).sum()) if len(values) else 0
    held = np.cumsum(values[:count])
    if share < 1 and count:
        count = min(count, int(np.searchsorted(held, share * held[-1])) + 1)
    count = count if most is None else min(count, most)
    return vectors[:, :count] / np.sqrt(values[:count])


def triangular_whitener(covariance: np.ndarray) -> np.ndarray:
    """Return a whitener of a covariance near the identity: cheaper than `leading_whitener`, for full rank."""
    try:
        root = cho_factor(covariance, lower=True, check_finite=False)[0]
    except np.linalg.LinAlgError:
        return leading_whitener(covariance)
    if len(root) and root.diagonal().min() < np.sqrt(SMALLEST):  # a direction that one left-out row carried
        return leading_whitener(covariance)
    return solve_triangular(root, np.eye(len(root)), lower=True, check_finite=False).T


def _singular(matrix: np.ndarray) -> np.ndarray:
    """Return the singular values, none above 1 by rounding."""
    if not matrix.size:
        return np.zeros(0)
    small = matrix @ matrix.T if len(matrix) <= matrix.shape[1] else matrix.T @ matrix
    return np.sqrt(np.clip(eigvalsh(small, check_finite=False), 0, 1))
