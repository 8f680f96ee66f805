"""Sums of a Gaussian kernel over pairs of rows: one pass over the pooled cosines serves every replica."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._replicas import Replicas, n_blocks, split_masks
from alignkit.statistics.kernel_sums import kernel_sums

TILE = 1024
SHARPNESS = (
    2.0  # exp(-2 |x - y|^2): for unit rows exp(4 (cos - 1)); Wang and Isola's, and near the median rule
)


@dataclass(frozen=True, slots=True)
class KernelMeans:
    """Hold the mean kernel between different rows of x, of y, and between rows of x and rows of y.

    ``apart`` is the last without partners.
    """

    x: float
    y: float
    across: float
    apart: float


@dataclass(frozen=True, slots=True)
class _Sums:
    """Hold kernel sums by block: (blocks, blocks) within x, within y and across; partners' sums by block."""

    x: np.ndarray
    y: np.ndarray
    across: np.ndarray
    partners: np.ndarray
    x_sizes: np.ndarray
    y_sizes: np.ndarray
    links: np.ndarray

    def means(self, kept: np.ndarray) -> KernelMeans:
        """Return the means over the blocks for which ``kept`` is true."""
        n, m = float(self.x_sizes[kept].sum()), float(self.y_sizes[kept].sum())
        links, partners = float(self.links[kept].sum()), float(self.partners[kept].sum())
        both = np.ix_(kept, kept)
        x, y, across = (float(part[both].sum()) for part in (self.x, self.y, self.across))
        rest = n * m - links
        return KernelMeans(
            x / (n * (n - 1)),
            y / (m * (m - 1)),
            across / (n * m),
            (across - partners) / rest if rest else float("nan"),
        )


def read_kernel(clouds: Clouds) -> KernelMeans:
    """Return the kernel means of two clouds."""
    return clouds.once("kernel", lambda: _blocks(clouds, *_one_block(clouds), 1)[0].means(np.ones(1, bool)))


def kernel_replicas(clouds: Clouds, seed: int) -> Replicas[KernelMeans]:
    """Return the kernel means, those without each block of items, and those of random splits."""

    def make() -> Replicas[KernelMeans]:
        count = n_blocks(clouds)
        splits = np.stack(list(split_masks(clouds, seed)), axis=1).astype(np.float64)
        sums, of_splits = _blocks(clouds, *item_blocks(clouds, count, seed), count, splits)
        left_out = [sums.means(np.arange(count) != block) for block in range(count)]
        nulls = list(_of_splits(sums, *of_splits))
        return Replicas(sums.means(np.ones(count, bool)), left_out, nulls)

    return clouds.once(("kernel", seed), make)


def _one_block(clouds: Clouds) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(len(clouds.x), np.int64), np.zeros(len(clouds.y), np.int64)


def _blocks(
    clouds: Clouds, x_blocks: np.ndarray, y_blocks: np.ndarray, count: int, splits: np.ndarray | None = None
) -> tuple[_Sums, tuple[np.ndarray, np.ndarray]]:
    """Return the sums by block, and of each split: within its first side, and from it to all rows."""
    members = np.zeros((len(clouds.x) + len(clouds.y), 2 * count))
    members[np.arange(len(members)), np.concatenate([x_blocks, y_blocks + count])] = 1
    splits = np.zeros((len(members), 0)) if splits is None else splits
    rows = np.concatenate([clouds.x, clouds.y])
    found, inside, outside = kernel_sums(
        lambda a, b: _kernel(rows[a] @ rows[b].T), members, splits, size=TILE
    )
    links, partners = np.zeros(count), np.zeros(count)
    if clouds.links is not None:
        kernel = _kernel(clouds.once("pair cosines", clouds.pair_cosines).copy())
        of_links = x_blocks[clouds.links[:, 0]]
        links, partners = np.bincount(of_links, minlength=count), np.bincount(of_links, kernel, count)
    sums = _Sums(
        found[:count, :count],
        found[count:, count:],
        found[:count, count:],
        partners,
        np.bincount(x_blocks, minlength=count),
        np.bincount(y_blocks, minlength=count),
        links,
    )
    return sums, (inside, outside)


def _kernel(cosines: np.ndarray) -> np.ndarray:
    """Return the kernel of unit rows from their cosines, in their place."""
    cosines -= 1
    cosines *= 2 * SHARPNESS
    return np.exp(np.minimum(cosines, 0, out=cosines), out=cosines)


def _of_splits(sums: _Sums, inside: np.ndarray, outside: np.ndarray) -> Iterator[KernelMeans]:
    n, m = float(sums.x_sizes.sum()), float(sums.y_sizes.sum())
    total = float(sums.x.sum() + sums.y.sum() + 2 * sums.across.sum())
    for first, reach in zip(inside, outside, strict=True):
        across = (reach - first) / (n * m)
        second = total - 2 * reach + first
        yield KernelMeans(first / (n * (n - 1)), second / (m * (m - 1)), across, across)
