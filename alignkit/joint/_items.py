"""Which rows of many spaces belong to one item: joined by id, split so that no item straddles."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from alignkit.duplicates import duplicate_labels
from alignkit.errors import PairingError
from alignkit.joint._base import FEWEST_ROWS, FEWEST_SPACES
from alignkit.pairs import Pairs
from alignkit.rows import ChosenRows
from alignkit.shapes import Labels
from alignkit.spaces import Embeddings


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """Join the rows of two or more sets of embeddings by id.

    ``rows`` has one line per item and one column per set: the item's row there, or -1 where it is missing.

    Examples
    --------
    >>> a, b = Embeddings(np.eye(2), ids=["x", "y"]), Embeddings(np.eye(2), ids=["y", "z"])
    >>> Items.by_id([a, b, a]).rows.tolist()
    [[0, -1, 0], [1, 0, 1]]
    """

    sides: tuple[Embeddings, ...]
    rows: np.ndarray

    @classmethod
    def by_id(cls, sides: Sequence[Embeddings]) -> "Items":
        """Join rows that carry the same id; items that one set alone holds are left out.

        Where no set has ids, row numbers are taken for them.

        Raises
        ------
        PairingError
            If no id is shared.
        """
        if len(sides) < FEWEST_SPACES:
            raise PairingError(f"{len(sides)} set of embeddings is no set to join: give two or more.")
        codes = _codes(sides)
        rows = np.full((max(int(own.max()) for own in codes) + 1, len(sides)), -1, np.int64)
        for side, own in enumerate(codes):
            rows[own, side] = np.arange(len(own))
        rows = rows[(rows >= 0).sum(axis=1) >= FEWEST_SPACES]
        if not len(rows):
            starts = ", ".join(f"{side.name} starts with {side.id_at(0)!r}" for side in sides)
            raise PairingError(f"no id is shared by any two: {starts}. Write the same ids into all files.")
        return cls(tuple(sides), rows)

    def __len__(self) -> int:
        return len(self.rows)

    def pairs(self, a: int, b: int) -> Pairs:
        """Return the items that both sets hold as pairs from ``a`` to ``b``."""
        return Pairs(self.sides[a], self.sides[b], self.rows[self.held_by(a, b)][:, [a, b]])

    def components(self, group: str | None = None) -> Labels:
        """Return a label per item; items that share a byte-identical row or a group share a label.

        ``group`` names a metadata column, of any set that has it; an empty value binds to nothing.

        Raises
        ------
        PairingError
            If no set has such a column.
        """
        edges = []
        for i, side in enumerate(self.sides):
            items = np.flatnonzero(self.rows[:, i] >= 0)
            rows = self.rows[items, i]
            edges.append((items, duplicate_labels(side.vectors)[rows]))
            if group is not None and group in side.items.column_names:
                links = np.stack([rows, rows], axis=1)
                edges.append((items, Pairs(side, side, links).grouped_by(group).groups))
        if group is not None and len(edges) == len(self.sides):
            known = sorted({name for side in self.sides for name in side.items.column_names})
            raise PairingError(
                f"no side has a metadata column {group!r} to group by; they have: "
                f"{', '.join(known) or 'none'}."
            )
        return _connected(len(self), edges)

    def split(
        self, test: float, seed: int = 0, *, group: str | None = None, among: tuple[int, int] | None = None
    ) -> tuple["Items", "Items"]:
        """Return (train, test): whole components are drawn at random until a share ``test`` is held out.

        With ``among`` the share is one of the items that these two sets both hold, and only components
        with such items are drawn. The sets of the training items lack every row of a held-out item and every
        copy of one.

        Raises
        ------
        PairingError
            If ``test`` is not between 0 and 1, or two sets that share items would keep fewer than two
            of them on either side.
        """
        if not 0 < test < 1:
            raise PairingError(f"the held-out share is {test}; it must lie between 0 and 1, like 0.2.")
        labels = self.components(group)
        counted = np.ones(len(self), bool) if among is None else self.held_by(*among)
        sizes = np.bincount(labels, weights=counted)
        order = np.random.default_rng(seed).permutation(np.flatnonzero(sizes > 0))
        reached = np.cumsum(sizes[order])
        wanted = round(test * counted.sum())
        count = int(np.argmin(np.abs(np.concatenate([[0], reached]) - wanted)))
        held_out = np.isin(labels, order[:count])
        kept, tested = (Items(self.sides, self.rows[mask]) for mask in (~held_out, held_out))
        self._check_enough(kept, self._sharing(), f"a held-out share of {test} leaves {{}} items to fit")
        asked = self._sharing() if among is None else [among]
        self._check_enough(tested, asked, f"a held-out share of {test} leaves {{}} items to test")
        return kept._without(tested), tested

    def held_by(self, a: int, b: int) -> np.ndarray:
        """Return which items both sets hold."""
        return (self.rows[:, a] >= 0) & (self.rows[:, b] >= 0)

    def _without(self, held_out: "Items") -> "Items":
        sides, rows = [], np.full_like(self.rows, -1)
        for i, side in enumerate(self.sides):
            here, unseen = self.rows[:, i] >= 0, held_out.rows[held_out.rows[:, i] >= 0, i]
            free = np.ones(len(side), bool)
            free[unseen] = False
            if here.sum() < free.sum():  # rows of no item: copies of held-out ones must not teach either
                labels = duplicate_labels(side.vectors)
                free = ~np.isin(labels, labels[unseen])
            rows[here, i] = (np.cumsum(free) - 1)[self.rows[here, i]]
            sides.append(side if free.all() else _chosen(side, np.flatnonzero(free)))
        return Items(tuple(sides), rows)

    def _sharing(self) -> list[tuple[int, int]]:
        """Return every two sets that share an item."""
        every = range(len(self.sides))
        return [(a, b) for b in every for a in range(b) if self.held_by(a, b).any()]

    def _check_enough(self, part: "Items", asked: list[tuple[int, int]], what: str) -> None:
        for a, b in asked:
            shared = int(part.held_by(a, b).sum())
            if shared < FEWEST_ROWS:
                raise PairingError(
                    f"{what.format(shared)} of {self.sides[a].name} and {self.sides[b].name}: at least "
                    f"{FEWEST_ROWS} are needed; change --test or add items."
                )


def labels_of(sides: Sequence[Embeddings]) -> list[str]:
    """Return a short name for each set, no two alike: its file's, else its space's, else with its number.

    Examples
    --------
    >>> labels_of([Embeddings(np.eye(2), name=name) for name in ("x/text.space", "audio.npz::clap")])
    ['text', 'clap']
    >>> labels_of([Embeddings(np.eye(2)), Embeddings(np.eye(2))])
    ['embeddings-0', 'embeddings-1']
    """
    files = [stem_of(side.name) for side in sides]
    spaces = [side.space.name for side in sides]
    for names in (files, spaces):
        if all(names) and len(set(names)) == len(names):
            return names
    return [f"{name}-{number}" for number, name in enumerate(files)]


def stem_of(name: str) -> str:
    """Return what a file is called without its folder and ending; of an array in a file, the array's name."""
    return name.rpartition("::")[2] if "::" in name else PurePath(name).stem


def _chosen(side: Embeddings, rows: np.ndarray) -> Embeddings:
    """Return some rows of a set, read only when they are needed."""
    index = pa.array(rows)
    return Embeddings(
        ChosenRows(side.vectors, rows),
        ids=lambda: side.ids.take(index),
        space=side.space,
        modality=side.modality,
        items=(lambda: side.items.take(index) if side.items.num_columns else side.items),
        name=side.name,
    )


def _codes(sides: Sequence[Embeddings]) -> list[np.ndarray]:
    """Return a number per row; rows of any two sets share it exactly where their ids are equal."""
    ids = [side.ids for side in sides]
    # an unsigned number may be too large for int64: those are compared as they are written
    whole = all(pa.types.is_integer(own.type) and not pa.types.is_uint64(own.type) for own in ids)
    kind = pa.int64() if whole else pa.large_string()
    codes = pc.dictionary_encode(pa.concat_arrays([own.cast(kind) for own in ids])).indices.to_numpy()
    return np.split(codes.astype(np.int64), np.cumsum([len(own) for own in ids])[:-1])


def _connected(count: int, edges: "list[tuple[np.ndarray, Labels]]") -> Labels:
    """Return a label per item; items that touch one node, directly or by way of others, share it."""
    offset, ends = count, []
    for items, nodes in edges:
        ends.append(np.stack([items, nodes + offset]))
        offset += int(nodes.max(initial=-1)) + 1
    rows, cols = np.concatenate(ends, axis=1)
    graph = coo_array((np.ones(len(rows), bool), (rows, cols)), shape=(offset, offset))
    labels = connected_components(graph, directed=False)[1][:count]
    return np.unique(labels, return_inverse=True)[1]
