"""Sums over rows: all that the measures made of means need, in O(d) memory and additive over blocks."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from alignkit.gaps._bootstrap import sums_by_item
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._replicas import NULLS, Replicas, n_blocks, split_masks, total, without_each
from alignkit.shapes import Labels, Vectors


@dataclass(frozen=True, slots=True)
class Sums:
    """Hold what adds up: counts, the sum of the rows of each side, and the products of rows of one item.

    ``xx`` is the sum of the squared lengths of the items' sums over x (the number of rows where each item
    has one), ``yy`` that over y, ``xy`` the sum of their products; ``cosine`` and ``distance`` are summed
    over links.
    """

    n: float
    m: float
    items: float
    x: np.ndarray
    y: np.ndarray
    xx: float
    yy: float
    xy: float
    links: float = 0.0
    cosine: float = 0.0
    distance: float = 0.0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Sums)))

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, one.name) - getattr(other, one.name) for one in fields(Sums)))

    def repaired(self, cosine: float, distance: float) -> "Sums":
        """Return the same rows with other partners, of which these are the sums."""
        return replace(self, cosine=cosine, distance=distance)

    @property
    def means(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean row of x and of y."""
        return self.x / self.n, self.y / self.m

    @property
    def mean_cosines(self) -> tuple[float, float]:
        """Mean cosine between different rows of x, and of y: the rows have length 1."""
        sides = ((self.x, self.n), (self.y, self.m))
        first, second = (float((total @ total - n) / (n * (n - 1))) for total, n in sides)
        return first, second


def read_sums(clouds: Clouds) -> Sums:
    """Return the sums over two clouds."""
    return clouds.once("sums", lambda: total(_block_sums(clouds, *_one_block(clouds))))


def sums_replicas(clouds: Clouds, seed: int, *, pairs: bool) -> Replicas[Sums]:
    """Return the sums, those without each block, and those of random splits or permuted pairs."""

    def blocks() -> list[Sums]:
        count = n_blocks(clouds)
        return _block_sums(clouds, *item_blocks(clouds, count, seed), count)

    parts = clouds.once(("block sums", seed), blocks)
    nulls = _permuted(clouds, total(parts), seed) if pairs else _split(clouds, seed)
    return without_each(parts, clouds.once(("null sums", seed, pairs), lambda: list(nulls)))


def sums_of_rows(x: Vectors, y: Vectors) -> Sums:
    """Return the sums over unit rows of which row i belongs to row i."""
    cosines = np.einsum("nd,nd->n", x, y, dtype=np.float64)
    n = float(len(x))
    return Sums(
        n, n, n, _sum(x), _sum(y), n, n, float(cosines.sum()), n, float(cosines.sum()), _distances(cosines)
    )


def sums_of_side(rows: Vectors, *, first: bool) -> Sums:
    """Return the sums over unit rows of one side alone; nobody knows their partners."""
    n, nothing, total = float(len(rows)), np.zeros(rows.shape[1]), _sum(rows)
    if first:
        return Sums(n, 0.0, 0.0, total, nothing, n, 0.0, 0.0)
    return Sums(0.0, n, 0.0, nothing, total, 0.0, n, 0.0)


def permuted_sums(x: Vectors, y: Vectors, draws: list[np.random.Generator]) -> list[Sums]:
    """Return the sums over unit rows whose partners are drawn anew, once for each generator."""
    whole = sums_of_rows(x, y)
    out = []
    for rng in draws:
        cosines = np.einsum("nd,nd->n", x, y[rng.permutation(len(y))], dtype=np.float64)
        out.append(whole.repaired(float(cosines.sum()), _distances(cosines)))
    return out


def _one_block(clouds: Clouds) -> tuple[Labels, Labels, int]:
    return np.zeros(len(clouds.x), np.int64), np.zeros(len(clouds.y), np.int64), 1


def _block_sums(clouds: Clouds, x_blocks: Labels, y_blocks: Labels, count: int) -> list[Sums]:
    linked = _of_links(clouds, x_blocks, y_blocks, count)
    out = []
    for block in range(count):
        x, y = clouds.x[x_blocks == block], clouds.y[y_blocks == block]
        # unpaired: every row is its own item, and no two rows share one
        shared = linked[block] if linked else (min(len(x), len(y)), len(x), len(y), 0.0, 0.0, 0.0, 0.0)
        items, xx, yy, xy, links, cosine, distance = shared
        out.append(Sums(len(x), len(y), items, _sum(x), _sum(y), xx, yy, xy, links, cosine, distance))
    return out


def _of_links(
    clouds: Clouds, x_blocks: Labels, y_blocks: Labels, count: int
) -> list[tuple[float, float, float, float, float, float, float]]:
    """Return, for each block: its items, their products with themselves, its links, and what these sum to."""
    if clouds.links is None:
        return []
    own = clouds.once("own products", lambda: _own_products(clouds))
    blocks = np.zeros(len(own[0]), np.int64)
    blocks[clouds.x_items], blocks[clouds.y_items] = x_blocks, y_blocks
    cosines = clouds.once("pair cosines", clouds.pair_cosines)
    of_links = x_blocks[clouds.links[:, 0]]
    out = []
    for block in range(count):
        inside, linked = blocks == block, cosines[of_links == block]
        xx, yy, xy = (float(part[inside].sum()) for part in own)
        found = float(linked.sum()), _distances(linked)
        out.append((float(inside.sum()), xx, yy, xy, float(len(linked)), *found))
    return out


def _own_products(clouds: Clouds) -> list[np.ndarray]:
    """Return, for each item, the products of its sums: x with x, y with y, x with y."""
    size = int(max(clouds.x_items.max(), clouds.y_items.max())) + 1
    x, y = (
        sums_by_item(rows, items, size)
        for rows, items in ((clouds.x, clouds.x_items), (clouds.y, clouds.y_items))
    )
    return [np.einsum("nd,nd->n", a, b, dtype=np.float64) for a, b in ((x, x), (y, y), (x, y))]


def _split(clouds: Clouds, seed: int) -> Iterator[Sums]:
    """Yield the sums of random splits of the pooled rows: a product with the chosen rows, no row moves."""
    n, m = len(clouds.x), len(clouds.y)
    pooled = _sum(clouds.x) + _sum(clouds.y)
    for mask in split_masks(clouds, seed):
        first = mask.astype(clouds.x.dtype)
        x = (first[:n] @ clouds.x + first[n:] @ clouds.y).astype(np.float64)
        yield Sums(n, m, min(n, m), x, pooled - x, n, m, 0.0)


def _permuted(clouds: Clouds, whole: Sums, seed: int) -> Iterator[Sums]:
    for draw in range(NULLS):
        cosines = clouds.permuted(np.random.default_rng([seed, 6, draw])).pair_cosines()
        yield whole.repaired(float(cosines.sum()), _distances(cosines))


def _sum(rows: Vectors) -> np.ndarray:
    return rows.sum(axis=0, dtype=np.float64)


def _distances(cosines: np.ndarray) -> float:
    return float(np.sqrt(np.maximum(2 - 2 * cosines, 0)).sum())
