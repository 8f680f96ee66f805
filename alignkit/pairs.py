"""Which source row belongs to which target row: built by id or from a table, never by position."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from alignkit.duplicates import duplicate_labels
from alignkit.errors import PairingError
from alignkit.shapes import Labels, Links, SourceVectors, TargetVectors, Weights
from alignkit.spaces import BLOCK, Embeddings

FEWEST = 2  # pairs without which nothing can be fitted or ranked


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Join two sets of embeddings by many-to-many links.

    Build it with `by_id` or `from_table`. ``links`` holds (source row, target row); ``groups`` one label
    per link for links that must not be separated, or None.

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

    @classmethod
    def by_id(cls, source: Embeddings, target: Embeddings) -> "Pairs":
        """Join rows that carry the same id.

        Raises
        ------
        PairingError
            If no id is shared; the message shows one of each side.
        """
        if not (source.has_ids or target.has_ids):
            rows = np.arange(min(len(source), len(target)))
            return cls(source, target, np.stack([rows, rows], axis=1))
        found = _find(source.ids, target.ids)
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
        link to no other), ``weight`` (> 0).

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
                _find_all(table["source"], source, f"{name}, column source"),
                _find_all(table["target"], target, f"{name}, column target"),
            ],
            axis=1,
        )
        _refuse_repeats(links, name)
        groups = None
        if "group" in table.column_names:
            groups = _codes(table["group"], f"{name}, column group")
        return cls(source, target, links, groups, _weights(table, name))

    def __len__(self) -> int:
        return len(self.links)

    def join(self) -> dict[str, int]:
        """Return how many rows joined and how many were left out on each side."""
        source, target = (len(np.unique(self.links[:, side])) for side in (0, 1))
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
        """Return the same links over only those rows that some link uses, copied into memory."""
        (source, s), (target, t) = (np.unique(self.links[:, side], return_inverse=True) for side in (0, 1))
        links = np.stack([s, t], axis=1)
        return Pairs(self.source.select(source), self.target.select(target), links, self.groups, self.weights)

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

    def subset(self, keep: np.ndarray) -> "Pairs":
        """Return the links that ``keep`` (a mask or positions) names."""
        groups = None if self.groups is None else self.groups[keep]
        weights = None if self.weights is None else self.weights[keep]
        return Pairs(self.source, self.target, self.links[keep], groups, weights)

    def grouped_by(self, column: str, *, side: str = "source") -> "Pairs":
        """Return the same links, grouped by a metadata column of one side, and as they were grouped before.

        A row without a value in that column is a group of its own.
        """
        embeddings = self.source if side == "source" else self.target
        if column not in embeddings.items.column_names:
            known = ", ".join(embeddings.items.column_names) or "none"
            raise PairingError(
                f"{embeddings.name} has no metadata column {column!r} to group by; it has: {known}."
            )
        codes = _codes(embeddings.items[column], f"{embeddings.name}, column {column}")
        groups = codes[self.links[:, 0 if side == "source" else 1]]
        if self.groups is not None:
            groups = _connected([groups, self.groups])
        return Pairs(self.source, self.target, self.links, groups, self.weights)

    def components(self, *, duplicates: bool = True) -> Labels:
        """Return a label per link; links that share a row, a group or a byte-identical row share a label.

        With ``duplicates`` off, byte-identical rows count as different items.
        """
        source, target = self.links.T
        if duplicates:
            source, target = _merge_duplicates(self.source, source), _merge_duplicates(self.target, target)
        return _connected([source, target] if self.groups is None else [source, target, self.groups])

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

    def check_enough(self, fewest: int = FEWEST) -> None:
        """Raise PairingError unless there are at least ``fewest`` links."""
        if len(self) < fewest:
            raise PairingError(
                f"{self.source.name} and {self.target.name} share {len(self)} pair(s); at least "
                f"{fewest} are needed."
            )


def _connected(columns: list[np.ndarray]) -> Labels:
    """Return a label per link; links that agree in a column, directly or by way of others, share it."""
    m = offset = len(columns[0])
    edges = []
    for column in columns:  # a bipartite graph: one node per link, one per row or group that it touches
        nodes = np.unique(column, return_inverse=True)[1]
        edges.append(np.stack([np.arange(m), nodes + offset]))
        offset += int(nodes.max(initial=-1)) + 1
    rows, cols = np.concatenate(edges, axis=1)
    graph = coo_array((np.ones(len(rows), bool), (rows, cols)), shape=(offset, offset))
    labels = connected_components(graph, directed=False)[1][:m]
    return np.unique(labels, return_inverse=True)[1]


def _merge_duplicates(embeddings: Embeddings, rows: np.ndarray) -> np.ndarray:
    used, position = np.unique(rows, return_inverse=True)
    return duplicate_labels(embeddings.vectors[used])[position]


def _find(wanted: pa.Array, known: pa.Array) -> np.ndarray:
    """Return the position of each wanted id among the known ones, -1 where it is absent."""
    kinds = wanted.type, known.type
    # an unsigned number may be too large for int64: those are compared as they are written
    if all(pa.types.is_integer(kind) and not pa.types.is_uint64(kind) for kind in kinds):
        wanted, known = wanted.cast(pa.int64()), known.cast(pa.int64())
    else:
        wanted, known = wanted.cast(pa.large_string()), known.cast(pa.large_string())
    found = pc.index_in(wanted, value_set=known)
    return pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)


def _find_all(column: pa.ChunkedArray, side: Embeddings, what: str) -> np.ndarray:
    wanted = column.combine_chunks()
    if pa.types.is_dictionary(wanted.type):
        wanted = wanted.dictionary_decode()
    kind = wanted.type
    if not any(
        test(kind)
        for test in (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string, pa.types.is_null)
    ):
        raise PairingError(f"{what} holds {kind}: ids are texts or whole numbers; convert that column.")
    found = _find(wanted, side.ids)
    if (found < 0).any():
        row = int(np.argmax(found < 0))
        raise PairingError(
            f"{what}, row {row}: {side.name} has no id {wanted[row].as_py()!r} (its first is "
            f"{side.id_at(0)!r}); "
            "correct the id or remove the row."
        )
    return found


def _refuse_repeats(links: Links, name: str) -> None:
    _, first, counts = np.unique(links, axis=0, return_index=True, return_counts=True)
    if (counts > 1).any():
        row = int(first[np.argmax(counts > 1)])
        raise PairingError(f"{name}: the pair in row {row} stands there {counts.max()} times; keep it once.")


def _codes(column: pa.ChunkedArray, what: str) -> Labels:
    """Return a number per distinct value; every empty one has a number of its own."""
    try:
        values = column.combine_chunks().cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise PairingError(
            f"{what} holds {column.type}, which names no groups: use texts or numbers."
        ) from error
    codes = pc.fill_null(pc.dictionary_encode(values).indices, -1)
    codes = codes.to_numpy(zero_copy_only=False).astype(np.int64)
    empty = (codes < 0) | pc.equal(pc.fill_null(values, ""), "").to_numpy(zero_copy_only=False)
    codes[empty] = len(codes) + np.flatnonzero(empty)
    return codes


def _weights(table: pa.Table, name: str) -> np.ndarray | None:
    if "weight" not in table.column_names:
        return None
    try:
        weights = table["weight"].cast(pa.float64()).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise PairingError(f"{name}: column weight is no number: {error}.") from error
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights > 0)))
    if len(bad):
        raise PairingError(f"{name}, row {bad[0]}: weight {weights[bad[0]]} must be a positive number.")
    return weights
