"""Which source row belongs to which target row: built by id or from a table, never by position."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from alignkit._columns import (
    codes_of,
    find,
    find_all,
    links_by_column,
    parts_of,
    refuse_repeats,
    weights_of,
)
from alignkit._components import as_used, connected, distinct, merge_duplicates, ranks
from alignkit.errors import PairingError
from alignkit.near_duplicates import NEAR, near_labels
from alignkit.shapes import Labels, Links, SourceVectors, TargetVectors, Weights
from alignkit.spaces import BLOCK, Embeddings

FEWEST = 2  # pairs without which nothing can be fitted or ranked


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Join two sets of embeddings by many-to-many links.

    Build it with `by_id` or `from_table`. ``links`` holds (source row, target row); ``groups`` one label
    per link for links that must not be separated, or None; ``table`` whatever else is known of each link.

    Examples
    --------
    >>> a = Embeddings(np.eye(3), ids=["x", "y", "z"])
    >>> b = Embeddings(np.eye(3), ids=["z", "x", "w"])
    >>> pairs = Pairs.by_id(a, b)
    >>> pairs.links.tolist(), pairs.join()["source_unmatched"]
    ([[0, 1], [2, 0]], 1)
    """

    source: Embeddings
    target: Embeddings
    links: Links
    groups: Labels | None = None
    weights: Weights | None = None
    table: pa.Table | None = None

    @classmethod
    def by_id(cls, source: Embeddings, target: Embeddings) -> "Pairs":
        """Join rows that carry the same id.

        Raises
        ------
        PairingError
            If no id is shared; the message shows one of each side.
        """
        if not (source.has_ids or target.has_ids):
            rows = np.arange(min(len(source), len(target)))[:, None]
            return cls(source, target, np.broadcast_to(rows, (len(rows), 2)))
        found = find(source.ids, target.ids)
        rows = np.flatnonzero(found >= 0)
        if not len(rows):
            raise PairingError(
                f"no id is shared: {source.name} starts with {source.id_at(0)!r}, {target.name} with "
                f"{target.id_at(0)!r}. Pass --pairs FILE if the ids differ on purpose."
            )
        return cls(source, target, np.stack([rows, found[rows]], axis=1))

    @classmethod
    def from_table(
        cls, source: Embeddings, target: Embeddings, table: pa.Table, *, name: str = "pairs"
    ) -> "Pairs":
        """Join rows by a table with the columns ``source`` and ``target`` (ids), many-to-many.

        Optional columns: ``group`` (links that must stay on one side of a split; an empty one binds its
        link to no other), ``weight`` (> 0). Further ones are kept, for `split_by`.

        Raises
        ------
        PairingError
            If a column is missing or of no fitting type, an id is unknown (its row is named), or a link is
            repeated.
        """
        missing = [column for column in ("source", "target") if column not in table.column_names]
        if missing:
            raise PairingError(
                f"{name} has no column {missing[0]!r} (it has {', '.join(table.column_names)}): "
                "name its columns source, target and, if wanted, group and weight."
            )
        links = np.stack(
            [
                find_all(table["source"], source, f"{name}, column source"),
                find_all(table["target"], target, f"{name}, column target"),
            ],
            axis=1,
        )
        refuse_repeats(links, name)
        groups = None
        if "group" in table.column_names:
            groups = codes_of(table["group"], f"{name}, column group")
        return cls(source, target, links, groups, weights_of(table, name), table)

    @classmethod
    def by_column(cls, source: Embeddings, target: Embeddings, column: str) -> "Pairs":
        """Join every two rows that have the same value in a metadata column: a class, a speaker.

        Raises
        ------
        PairingError
            If a side has no such column, or no value is shared.
        """
        return cls(source, target, links_by_column(source, target, column))

    @classmethod
    def none(cls, source: Embeddings, target: Embeddings) -> "Pairs":
        """Return no links at all: two sides of which nobody knows what belongs together."""
        return cls(source, target, np.zeros((0, 2), np.int64))

    def __len__(self) -> int:
        return len(self.links)

    def join(self) -> dict[str, int]:
        """Return how many rows joined and how many were left out on each side."""
        source, target = (distinct(self.links[:, side]) for side in (0, 1))
        return {
            "pairs": len(self),
            "source_rows": len(self.source),
            "target_rows": len(self.target),
            "source_unmatched": len(self.source) - source,
            "target_unmatched": len(self.target) - target,
        }

    def vectors(self, dtype: np.dtype | None = None) -> tuple[SourceVectors, TargetVectors]:
        """Return the linked rows side by side: row i of both is link i."""
        return self.source.take(self.links[:, 0], dtype), self.target.take(self.links[:, 1], dtype)

    def restricted(self) -> "Pairs":
        """Return the same links over only those rows that some link uses, in the links' order, in memory."""
        (source, s), (target, t) = (as_used(self.links[:, side]) for side in (0, 1))
        links = np.stack([s, t], axis=1)
        return replace(
            self, source=self.source.select(source), target=self.target.select(target), links=links
        )

    def digest(self) -> str:
        """Return the SHA-256 of the linked rows' numbers in order: equal only for equal training data."""
        state = hashlib.sha256()
        for start in range(0, len(self), BLOCK):
            rows = self.links[start : start + BLOCK]
            for side, embeddings in enumerate((self.source, self.target)):
                state.update(np.ascontiguousarray(embeddings.vectors[rows[:, side]]).data)
        if self.weights is not None:
            state.update(np.ascontiguousarray(self.weights).data)
        return f"sha256:{state.hexdigest()}"

    def blocks(self, size: int = BLOCK) -> Iterator[tuple[np.ndarray, ...]]:
        """Yield linked rows side by side, ``size`` links at a time: (X, Y), or (X, Y, weights)."""
        for start in range(0, len(self), size):
            rows = self.links[start : start + size]
            sides = self.source.take(rows[:, 0]), self.target.take(rows[:, 1])
            yield sides if self.weights is None else (*sides, self.weights[start : start + size])

    def in_order_of_ids(self) -> "Pairs":
        """Return the same links ordered by their ids, so that the order of a file's rows decides no draw."""
        source, target = (ranks(side)[rows] for side, rows in zip(self.sides, self.links.T, strict=True))
        return self.subset(np.lexsort((target, source)))

    @property
    def sides(self) -> tuple[Embeddings, Embeddings]:
        """Both sets of embeddings."""
        return self.source, self.target

    def subset(self, keep: np.ndarray) -> "Pairs":
        """Return the links that ``keep`` (a mask or positions) names."""
        groups = None if self.groups is None else self.groups[keep]
        weights = None if self.weights is None else self.weights[keep]
        table = None if self.table is None else self.table.take(pa.array(np.arange(len(self))[keep]))
        return Pairs(self.source, self.target, self.links[keep], groups, weights, table)

    def grouped_by(self, column: str, *, side: str = "source") -> "Pairs":
        """Return the same links, grouped by a metadata column of one side, and as they were grouped before.

        A row without a value in that column is a group of its own.
        """
        embeddings = self.source if side == "source" else self.target
        codes = codes_of(embeddings.column(column, "to group by"), f"{embeddings.name}, column {column}")
        groups = codes[self.links[:, 0 if side == "source" else 1]]
        if self.groups is not None:
            groups = connected([groups, self.groups])
        return replace(self, groups=groups)

    def with_duplicates_grouped(self, threshold: float = NEAR) -> "Pairs":
        """Return the same links, grouped as before and by near-duplicate rows of either side.

        What is near, and up to how many rows this is looked at, says `alignkit.near_duplicates.near_labels`.
        Copies of copies are one group, so that a long chain may bind many links.
        """
        columns = [] if self.groups is None else [self.groups]
        for embeddings, column in ((self.source, self.links[:, 0]), (self.target, self.links[:, 1])):
            used, position = np.unique(column, return_inverse=True)
            columns.append(near_labels(embeddings.vectors[used], threshold=threshold)[position])
        return replace(self, groups=connected(columns))

    def components(self, *, duplicates: bool = True) -> Labels:
        """Return a label per link; links that share a row, a group or a byte-identical row share a label.

        With ``duplicates`` off, byte-identical rows count as different items.
        """
        source, target = self.links.T
        if duplicates:
            source, target = merge_duplicates(self.source, source), merge_duplicates(self.target, target)
        return connected([source, target] if self.groups is None else [source, target, self.groups])

    def split(self, test: float, seed: int = 0) -> tuple["Pairs", "Pairs"]:
        """Return (train, test): whole components are drawn at random until a share ``test`` is held out.

        So the captions of one picture, and copies of one clip, never stand on both sides.

        Raises
        ------
        PairingError
            If ``test`` is not between 0 and 1, or either side would hold fewer than two pairs.
        """
        if not 0 < test < 1:
            raise PairingError(f"the held-out share is {test}; it must lie between 0 and 1, like 0.2.")
        labels = self.components()
        sizes = np.bincount(labels)
        order = np.random.default_rng(seed).permutation(len(sizes))
        wanted = round(test * len(self))
        reached = np.cumsum(sizes[order])
        count = int(np.argmin(np.abs(np.concatenate([[0], reached]) - wanted)))
        held_out = np.isin(labels, order[:count])
        train, kept = int((~held_out).sum()), int(held_out.sum())
        if min(train, kept) < FEWEST:
            raise PairingError(
                f"a held-out share of {test} leaves {train} pairs to fit and {kept} to test ({len(self)} "
                f"pairs in {len(sizes)} groups that stay together): each side needs {FEWEST}; "
                "change --test or add pairs."
            )
        return self.subset(~held_out), self.subset(held_out)

    def split_by(self, column: str = "split") -> dict[str, "Pairs"]:
        """Return the links of every part that a column declares, like ``{"train": ..., "test": ...}``.

        The column stands in the table of pairs or in the metadata of a side; where several have it, they
        must agree for each link. Nothing keeps a declared split from separating what belongs together: see
        `alignkit.leaks.check_split`.

        Raises
        ------
        PairingError
            If nobody has that column, two disagree, or a link has no value.
        """
        tables = (
            ("the table of pairs", self.table, np.arange(len(self))),
            (self.source.name, self.source.items, self.links[:, 0]),
            (self.target.name, self.target.items, self.links[:, 1]),
        )
        parts = np.array(parts_of(column, tables))
        return {str(part): self.subset(parts == part) for part in np.unique(parts)}

    def declared_split(
        self, column: str = "split", *, train: str = "train", test: str = "test"
    ) -> tuple["Pairs", "Pairs"]:
        """Return (train, test) as a column declares them; links of other parts are in neither.

        Raises
        ------
        PairingError
            As `split_by`, or if either part holds fewer than two links.
        """
        parts = self.split_by(column)
        for name in (train, test):
            if len(parts.get(name, ())) < FEWEST:
                known = ", ".join(f"{part} ({len(links)})" for part, links in parts.items())
                raise PairingError(
                    f"column {column} declares {len(parts.get(name, ()))} links as {name!r}, where {FEWEST} "
                    f"are needed; it has: {known}."
                )
        return parts[train], parts[test]

    def check_enough(self, fewest: int = FEWEST) -> None:
        """Raise PairingError unless there are at least ``fewest`` links."""
        if len(self) < fewest:
            raise PairingError(
                f"{self.source.name} and {self.target.name} share {len(self)} pair(s); at least "
                f"{fewest} are needed."
            )
