"""The two point clouds that a gap measure compares: unit rows, their links, and what may be resampled."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from alignkit.errors import DataError, PairingError
from alignkit.row_products import row_products
from alignkit.rows import computing_dtype
from alignkit.shapes import Labels, Links, Mask, SourceRows, TargetRows, Vectors

T = TypeVar("T")
UNIT = 4  # a row whose length is so many roundings from 1 has length 1


@dataclass(frozen=True, slots=True, eq=False)
class Clouds:
    """Hold two clouds of unit rows; build it with `unpaired` or `paired`.

    ``x_items`` and ``y_items`` say to which item each row belongs: the unit that intervals resample.
    In a paired set both count the same items, and ``links`` holds (x row, y row); else ``links`` is None.
    ``labels`` are columns of labels of the x rows, where some are known.
    """

    x: SourceRows
    y: TargetRows
    links: Links | None
    x_items: Labels
    y_items: Labels
    labels: tuple[Labels, ...] = ()
    _made: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def unpaired(cls, x: SourceRows, y: TargetRows) -> "Clouds":
        """Normalise two sets of rows of which nobody says which belong together."""
        _check_one_space(x, y)
        return cls(unit_rows(x, "x"), unit_rows(y, "y"), None, np.arange(len(x)), np.arange(len(y)))

    @classmethod
    def paired(
        cls, x: SourceRows, y: TargetRows, links: Links | None = None, groups: Labels | None = None
    ) -> "Clouds":
        """Normalise rows that are linked: row i with row i, or as ``links`` says, many-to-many.

        ``groups`` holds one label per link; rows that share a link, a label or a partner are one item.
        """
        _check_one_space(x, y)
        if links is None:
            if len(x) != len(y):
                raise PairingError(
                    f"x has {len(x)} rows and y {len(y)}, so row i cannot belong to row i: pass links, or "
                    "measure them as unpaired."
                )
            links = np.stack([np.arange(len(x))] * 2, axis=1)
            if groups is None:
                return cls(unit_rows(x, "x"), unit_rows(y, "y"), links, links[:, 0], links[:, 1])
        links = np.asarray(links, dtype=np.int64)
        x_items, y_items = _items(links, groups, len(x), len(y))
        return cls(unit_rows(x, "x"), unit_rows(y, "y"), links, x_items, y_items)

    def moved(self, x: SourceRows, y: TargetRows) -> "Clouds":
        """Return the same links and items with other rows in their places, which are normalised."""
        _check_one_space(x, y)
        return replace(self, x=unit_rows(x, "x"), y=unit_rows(y, "y"), _made={})

    @property
    def n_items(self) -> int:
        """Independent items: of the paired set, or of the smaller side."""
        if self.links is None:
            return min(len(self.x), len(self.y))
        return int(max(self.x_items.max(), self.y_items.max())) + 1

    @property
    def fewest(self) -> int:
        """Independent rows of the smaller side: rows of one item count once."""
        return min(self.n_items, len(self.x), len(self.y))

    def known_links(self) -> Links:
        """Return the links, or raise PairingError where the rows are not paired."""
        if self.links is None:
            raise PairingError("this measure compares partners, and the rows are not paired: pass pairs.")
        return self.links

    def pair_cosines(self) -> np.ndarray:
        """Return the cosine of each link, in double precision."""
        links = self.known_links()
        return row_products(self.x, links[:, 0], self.y, links[:, 1])

    def linked_rows(self) -> tuple[Vectors, Vectors]:
        """Return the rows at both ends of the links, side by side; no copy where they lie so already."""
        x, y = (
            rows if np.array_equal(ends, np.arange(len(rows))) else rows[ends]
            for rows, ends in zip((self.x, self.y), self.known_links().T, strict=True)
        )
        return x, y

    def link_items(self) -> Labels:
        """Return the item of each link."""
        return self.x_items[self.known_links()[:, 0]]

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` makes of these clouds; measures that ask for the same thing share it."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def kept(self, x_kept: Mask, y_kept: Mask) -> "Clouds":
        """Return the rows for which a mask of their side is true, and the links between them."""
        links = None
        if self.links is not None:
            places = [np.cumsum(mask) - 1 for mask in (x_kept, y_kept)]
            whole = self.links[x_kept[self.links[:, 0]] & y_kept[self.links[:, 1]]]
            links = np.stack([places[0][whole[:, 0]], places[1][whole[:, 1]]], axis=1)
        return Clouds(
            self.x[x_kept],
            self.y[y_kept],
            links,
            self.x_items[x_kept],
            self.y_items[y_kept],
            tuple(column[x_kept] for column in self.labels),
        )

    def split(self, rng: np.random.Generator) -> "Clouds":
        """Return a random split of the pooled rows into two clouds of the same sizes: no gap is left."""
        first, second = np.split(rng.permutation(len(self.x) + len(self.y)), [len(self.x)])
        pooled = self.once("pooled", lambda: np.concatenate([self.x, self.y]))
        return Clouds(pooled[first], pooled[second], None, np.arange(len(first)), np.arange(len(second)))

    def permuted(self, rng: np.random.Generator) -> "Clouds":
        """Return the same clouds with partners drawn anew: what belonged together no longer does."""
        mixed = self.known_links().copy()
        mixed[:, 1] = rng.permutation(mixed[:, 1])
        return replace(self, links=mixed, _made={})

    def matched(self, seed: int) -> "Clouds":
        """Return one pair an item, row i beside row i: the first link of an item in a seeded order."""
        items, links = self.link_items(), self.known_links()
        n = len(self.x)
        in_order = len(links) == n == len(self.y) and (links[:, 0] == links[:, 1]).all()
        if in_order and len(np.unique(items)) == n:
            return self  # not kept: clouds that hold themselves outlive their use
        return self.once(("matched", seed), lambda: self._one_pair_an_item(seed))

    def _one_pair_an_item(self, seed: int) -> "Clouds":
        items, links = self.link_items(), self.known_links()
        order = np.random.default_rng([seed, 4]).permutation(len(items))
        chosen = links[np.sort(order[np.unique(items[order], return_index=True)[1]])]
        rows = np.arange(len(chosen))
        labels = tuple(column[chosen[:, 0]] for column in self.labels)
        paired = np.stack([rows, rows], axis=1)
        return Clouds(self.x[chosen[:, 0]], self.y[chosen[:, 1]], paired, rows, rows, labels)

    def sample(self, most: int, seed: int) -> "Clouds":
        """Return at most ``most`` rows a side: whole items of a paired set, drawn without replacement."""
        if max(len(self.x), len(self.y)) <= most:
            return self
        rng = np.random.default_rng(seed)
        if self.links is None:
            chosen = (np.argsort(rng.permutation(len(side))) < most for side in (self.x, self.y))
            kept = self.kept(*chosen)
            return replace(kept, x_items=np.arange(len(kept.x)), y_items=np.arange(len(kept.y)), _made={})
        order = rng.permutation(self.n_items)
        sizes = np.maximum(*(np.bincount(i, minlength=len(order)) for i in (self.x_items, self.y_items)))
        count = max(1, int(np.searchsorted(np.cumsum(sizes[order]), most, side="right")))
        number = np.full(len(order), -1)
        number[order[:count]] = np.arange(count)
        x_items, y_items = number[self.x_items], number[self.y_items]
        kept = self.kept(x_items >= 0, y_items >= 0)
        return replace(kept, x_items=number[kept.x_items], y_items=number[kept.y_items], _made={})


def unit_rows(rows: Vectors, name: str = "rows") -> Vectors:
    """Return rows of length 1 in the computing precision (half precision is renormalised in float32).

    Raises
    ------
    DataError
        If a row is all zeros or not finite; the row is named.
    """
    rows = np.asarray(rows)
    rows = rows.astype(computing_dtype(rows.dtype), copy=False)
    peaks = np.abs(rows).max(axis=1, keepdims=True)  # dividing by it first keeps tiny and huge rows in range
    bad = np.flatnonzero(~(np.isfinite(peaks[:, 0]) & (peaks[:, 0] > 0)))
    if len(bad):
        fault = "holds NaN or an infinite value" if peaks[bad[0], 0] else "is all zeros and has no direction"
        raise DataError(f"{name}: row {bad[0]} {fault}: remove or re-encode that item.")
    if peaks.max() <= 1 and np.abs(row_lengths(rows) - 1).max() <= UNIT * np.finfo(rows.dtype).eps:
        return rows
    scaled = rows / peaks
    scaled /= np.sqrt(np.einsum("nd,nd->n", scaled, scaled, dtype=np.float64)).astype(rows.dtype)[:, None]
    return scaled


def row_lengths(rows: Vectors) -> np.ndarray:
    """Return the lengths of rows whose squares stay in range, in double precision."""
    return np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64))


def _check_one_space(x: SourceRows, y: TargetRows) -> None:
    if np.ndim(x) != 2 or np.ndim(y) != 2 or not len(x) or not len(y):
        raise DataError(
            f"a gap lies between two matrices of rows, got shapes {np.shape(x)} and {np.shape(y)}."
        )
    if x.shape[1] != y.shape[1]:
        raise DataError(
            f"x has {x.shape[1]} dimensions and y {y.shape[1]}: a gap is measured inside one space; bring "
            "one side there by a map first."
        )


def _items(links: Links, groups: Labels | None, n: int, m: int) -> tuple[Labels, Labels]:
    edges = [np.stack([links[:, 0], links[:, 1] + n])]
    size = n + m
    if groups is not None:
        labels = np.unique(groups, return_inverse=True)[1]
        edges.append(np.stack([links[:, 0], labels + size]))
        size += int(labels.max(initial=-1)) + 1
    start, stop = np.concatenate(edges, axis=1)
    graph = coo_array((np.ones(len(start), np.int8), (start, stop)), shape=(size, size))
    found = connected_components(graph, directed=False)[1]
    items = np.unique(found[: n + m], return_inverse=True)[1].astype(np.int64)
    return items[:n], items[n:]
