"""Which gallery items are right for which query: any number for each, stored as compressed sparse rows."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from alignkit.errors import PairingError
from alignkit.shapes import PerPositive, QueryCounts


@dataclass(frozen=True, eq=False)
class Positives:
    """Hold the positives of query i as ``indices[indptr[i]:indptr[i + 1]]``, ascending, without repeats.

    Build it with `from_links` or `diagonal`. ``grades`` says how relevant each entry of ``indices`` is, from
    1 upwards; None where all are equally so. Only `ndcg` looks at them. ``excluded`` are the pairs that are
    no candidates at all, in the same form: see `excluding`.

    Examples
    --------
    >>> p = Positives.from_links(np.array([[0, 2], [0, 1], [2, 1]]), n_queries=3, n_gallery=4)
    >>> p.counts.tolist(), p.indices.tolist(), p.transpose().counts.tolist()
    ([2, 0, 1], [1, 2, 1], [0, 2, 1, 0])
    """

    indptr: np.ndarray
    indices: PerPositive
    n_gallery: int
    grades: PerPositive | None = None
    excluded: "Positives | None" = None

    @classmethod
    def from_links(
        cls, links: np.ndarray, n_queries: int, n_gallery: int, *, grades: np.ndarray | None = None
    ) -> "Positives":
        """Return the positives that (query row, gallery row) pairs name; a repeated pair counts once.

        ``grades`` are positive integers, one for each link.

        Raises
        ------
        PairingError
            If a link names a row that is not there, a grade is no positive integer, or a pair is repeated
            with another grade.
        """
        links = np.asarray(links)
        if links.ndim != 2 or links.shape[1] != 2 or (links.size and links.dtype.kind not in "iu"):
            raise PairingError(
                f"links have shape {links.shape} and type {links.dtype}; "
                "give one row (query, gallery) of integers for each."
            )
        for side, (name, size) in enumerate((("queries", n_queries), ("gallery", n_gallery))):
            wrong = np.flatnonzero((links[:, side] < 0) | (links[:, side] >= size))
            if len(wrong):
                raise PairingError(
                    f"link {wrong[0]} names row {links[wrong[0], side]} of the {name}, which has {size} "
                    "rows; join by id so that every link meets a row."
                )
        flat = links[:, 0].astype(np.int64) * n_gallery + links[:, 1].astype(np.int64)
        flat, first, again = np.unique(flat, return_index=True, return_inverse=True)
        query, item = np.divmod(flat, n_gallery) if n_gallery else (flat, flat)
        kept = None if grades is None else _checked_grades(np.asarray(grades), links, first[again.ravel()])
        return cls(
            _offsets(np.bincount(query, minlength=n_queries)),
            item,
            n_gallery,
            None if kept is None else kept[first],
        )

    @classmethod
    def diagonal(cls, n: int) -> "Positives":
        """Return the positives of ``n`` parallel rows: query i wants item i."""
        return cls(np.arange(n + 1), np.arange(n), n)

    def excluding(self, links: np.ndarray) -> "Positives":
        """Return these positives with the pairs (query row, gallery row) of ``links`` struck out.

        An item that is excluded for a query is not ranked for it: it counts neither among its candidates
        nor, where it was one, among its positives. So a query does not find itself, or another take of its
        own recording.

        Raises
        ------
        PairingError
            If a link names a row that is not there.

        Examples
        --------
        >>> same_class = Positives.from_links(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), 2, 3)
        >>> others = same_class.excluding(np.array([[0, 0], [1, 1]]))
        >>> others.indices.tolist(), others.candidates.tolist()
        ([1, 0], [2, 2])
        """
        known = np.empty((0, 2), np.int64) if self.excluded is None else self.excluded.links
        struck = Positives.from_links(
            np.concatenate([known, np.asarray(links).reshape(-1, 2)]), self.n_queries, self.n_gallery
        )
        kept = ~np.isin(self._flat, struck._flat, assume_unique=True)
        counts = np.bincount(self.queries[kept], minlength=self.n_queries)
        grades = None if self.grades is None else self.grades[kept]
        return Positives(_offsets(counts), self.indices[kept], self.n_gallery, grades, struck)

    @property
    def links(self) -> np.ndarray:
        """The pairs (query row, gallery row), query by query."""
        return np.stack([self.queries, self.indices], axis=1)

    @cached_property
    def candidates(self) -> QueryCounts:
        """How many items are ranked for each query: the gallery without those excluded."""
        ranked = np.full(self.n_queries, self.n_gallery)
        return ranked if self.excluded is None else ranked - self.excluded.counts

    @property
    def n_queries(self) -> int:
        """How many queries there are, with or without a positive."""
        return len(self.indptr) - 1

    @cached_property
    def counts(self) -> QueryCounts:
        """How many positives each query has."""
        return np.diff(self.indptr)

    @cached_property
    def queries(self) -> PerPositive:
        """The query of each entry of ``indices``."""
        return np.repeat(np.arange(self.n_queries), self.counts)

    @cached_property
    def by_item(self) -> PerPositive:
        """Positions in ``indices``, ordered by gallery item, then query: the order of the transpose."""
        return np.argsort(self.indices, kind="stable")

    def __len__(self) -> int:
        return len(self.indices)

    def transpose(self) -> "Positives":
        """Return the same relation seen from the gallery: its items become the queries."""
        return self._transposed

    def order_by(self, values: np.ndarray) -> PerPositive:
        """Return positions in ``indices``: query by query, in each by ascending value, equal ones by item.

        Queries with the same number of positives are sorted together; those with one cost nothing.
        """
        order = np.arange(len(self))
        by_count = np.argsort(self.counts, kind="stable")
        sizes, starts = np.unique(self.counts[by_count], return_index=True)
        for size, queries in zip(sizes, np.split(by_count, starts[1:]), strict=True):
            if size > 1:
                entries = self.indptr[queries][:, None] + np.arange(size)
                inner = np.argsort(values[entries], axis=1, kind="stable")
                order[entries] = np.take_along_axis(entries, inner, axis=1)
        return order

    @cached_property
    def _transposed(self) -> "Positives":
        sizes = np.bincount(self.indices, minlength=self.n_gallery)
        grades = None if self.grades is None else self.grades[self.by_item]
        excluded = None if self.excluded is None else self.excluded.transpose()
        return Positives(_offsets(sizes), self.queries[self.by_item], self.n_queries, grades, excluded)

    @cached_property
    def _flat(self) -> PerPositive:
        """One number for each pair, ascending."""
        return self.queries * self.n_gallery + self.indices


def _offsets(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _checked_grades(grades: np.ndarray, links: np.ndarray, first: np.ndarray) -> PerPositive:
    """Return the grades as integers; ``first`` is, for each link, the first that names the same pair."""
    if grades.shape != (len(links),) or (grades.size and grades.dtype.kind not in "iu"):
        raise PairingError(
            f"grades have shape {grades.shape} and type {grades.dtype}; "
            f"give one positive integer for each of the {len(links)} links."
        )
    grades = grades.astype(np.int64)
    low = np.flatnonzero(grades < 1)
    if len(low):
        raise PairingError(
            f"link {low[0]} has grade {grades[low[0]]}: a positive has a grade of at least 1; "
            "leave out links to items that are not relevant."
        )
    other = np.flatnonzero(grades != grades[first])
    if len(other):
        one, two = first[other[0]], other[0]
        raise PairingError(
            f"links {one} and {two} both name query {links[two, 0]} and item {links[two, 1]}, with grades "
            f"{grades[one]} and {grades[two]}: keep one of them."
        )
    return grades
