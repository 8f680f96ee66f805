"""How alike two matrices of products between rows are: what kernel and distance measures read."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._replicas import NULLS, Replicas, n_blocks
from alignkit.gaps._replicated import PERMUTATIONS, Replicated
from alignkit.shapes import Labels, Vectors

TILE = 512


@dataclass(frozen=True, slots=True)
class Overlap:
    """Hold, of two symmetric matrices K and L of one diagonal, all that comparing them needs.

    ``cells`` are the sums over i ≠ j of KL, KK and LL; ``rows`` those of the products of the row sums, and
    ``totals`` the sums of K and of L, all without the diagonal.
    """

    n: int
    diagonal: float
    cells: np.ndarray
    rows: np.ndarray
    totals: np.ndarray

    def unbiased(self) -> np.ndarray:
        """Return the unbiased dependence (Song et al. 2012, eq. 5) of K and L, K and K, L and L."""
        n = self.n
        within = self._products() / ((n - 1) * (n - 2))
        return (self.cells + within - 2 * self.rows / (n - 2)) / (n * (n - 3))

    def biased(self) -> np.ndarray:
        """Return the trace of KHLH (H centres) of K and L, K and K, L and L: the diagonal counts."""
        n, diagonal = self.n, self.diagonal
        first, second = self.totals
        sums = np.array([first + second, 2 * first, 2 * second])
        full = replace(self, totals=self.totals + n * diagonal)
        cells = self.cells + n * diagonal**2
        rows = self.rows + diagonal * sums + n * diagonal**2
        return cells - 2 * rows / n + full._products() / n**2

    def correlation(self) -> float:
        """Return the correlation of the cells of K and L, off the diagonal."""
        count = self.n * (self.n - 1)
        return cosine_of(self.cells - self._products() / count)

    def _products(self) -> np.ndarray:
        first, second = self.totals
        return np.array([first * second, first**2, second**2])


def cosine_of(products: np.ndarray) -> float:
    """Return the product of two things over the root of their products with themselves; 0 where one is 0.

    Examples
    --------
    >>> cosine_of(np.array([3.0, 4.0, 9.0]))
    0.5
    """
    shared, first, second = (float(one) for one in products)
    return float(np.clip(shared / np.sqrt(first * second), -1, 1)) if first > 0 and second > 0 else 0.0


class OnDependence(Replicated[Overlap]):
    """Compare the matrices of products within each side, row i beside row i; a leaf says which products.

    Blocks are left out of sums over blocks, and permuted pairs permute one matrix: no product is made twice.
    """

    parts = (HEADLINE, "biased")
    needs_pairs = True
    null = PERMUTATIONS
    limits = (-1.0, 1.0)
    fewest = 8
    most = 2_000
    diagonal: float

    @abstractmethod
    def _kernel(self, cosines: np.ndarray) -> np.ndarray:
        """Return the products of rows, made of their cosines; the diagonal is set afterwards."""

    def _of(self, read: Overlap) -> dict[str, float]:
        return {HEADLINE: cosine_of(read.unbiased()), "biased": cosine_of(read.biased())}

    def _read(self, clouds: Clouds) -> Overlap:
        one = clouds.matched(0)
        first, second = (self._matrix(rows) for rows in (one.x, one.y))
        return next(_overlaps(first, second, np.zeros(len(first), np.int64), 1, self.diagonal))

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[Overlap]:
        one = clouds.matched(seed)
        first, second = (self._matrix(rows) for rows in (one.x, one.y))
        count = n_blocks(one)
        blocks = item_blocks(one, count, seed)[0]
        whole, *left_out = _overlaps(first, second, blocks, count, self.diagonal)
        return Replicas(whole, left_out, _permuted(first, second, whole, seed))

    def _matrix(self, rows: Vectors) -> np.ndarray:
        exact = rows.astype(np.float64)
        made = np.empty((len(rows), len(rows)))
        for start in range(0, len(rows), TILE):
            made[start : start + TILE] = self._kernel(np.clip(exact[start : start + TILE] @ exact.T, -1, 1))
        np.fill_diagonal(made, 0)  # held apart
        return made


def _overlaps(
    first: np.ndarray, second: np.ndarray, blocks: Labels, count: int, diagonal: float
) -> Iterator[Overlap]:
    """Yield what all rows give, then what they give without each block (one block: without none)."""
    n = len(first)
    member = np.zeros((n, count))
    member[np.arange(n), blocks] = 1
    to_blocks = first @ member, second @ member  # each row's sum over each block
    cells = np.zeros((3, count, count))
    for start in range(0, n, TILE):
        place = slice(start, start + TILE)
        one, other = first[place], second[place]
        products = (one * other, one * one, other * other)
        cells += np.stack([member[place].T @ (product @ member) for product in products])
    sums = [part.sum(axis=1) for part in to_blocks]
    everything = np.ones(n, dtype=bool)
    yield _overlap(everything, sums, cells.sum(axis=(1, 2)), diagonal)
    for block in range(count if count > 1 else 0):
        left = [whole - part[:, block] for whole, part in zip(sums, to_blocks, strict=True)]
        gone = 2 * cells[:, block].sum(axis=1) - cells[:, block, block]
        yield _overlap(blocks != block, left, cells.sum(axis=(1, 2)) - gone, diagonal)


def _overlap(kept: np.ndarray, sums: list[np.ndarray], cells: np.ndarray, diagonal: float) -> Overlap:
    one, other = (part[kept] for part in sums)
    rows = np.array([one @ other, one @ one, other @ other])
    return Overlap(int(kept.sum()), diagonal, cells, rows, np.array([one.sum(), other.sum()]))


def _permuted(first: np.ndarray, second: np.ndarray, whole: Overlap, seed: int) -> Iterator[Overlap]:
    sums = first.sum(axis=1), second.sum(axis=1)
    for draw in range(NULLS):
        order = np.random.default_rng([seed, 6, draw]).permutation(len(first))
        cells, rows = whole.cells.copy(), whole.rows.copy()
        cells[0] = sum(
            float(np.vdot(first[start : start + TILE], second[order[start : start + TILE]][:, order]))
            for start in range(0, len(first), TILE)
        )
        rows[0] = sums[0] @ sums[1][order]
        yield replace(whole, cells=cells, rows=rows)
