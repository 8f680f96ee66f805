"""Ranked lists with a cut (`Run`), judgements (`Qrels`), as TREC names them, and ranks within such lists."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from alignkit.errors import DataError
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import Ranks
from alignkit.retrieval.ties import ORDERS, Ties
from alignkit.shapes import Links, PerHit, PerPositive, QueryCounts


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Hold, for each query, the items that a system listed and their scores, from high to low.

    The list of query i is ``hits[indptr[i]:indptr[i + 1]]``, positions in ``items``; build it with `of`.
    Queries and items are named by texts without white space. ``warnings`` are sentences for people.

    Examples
    --------
    >>> run = Run.of(["q"], ["a", "b"], np.array([0, 0]), np.array([0, 1]), np.array([0.1, 0.7]))
    >>> [run.items[hit] for hit in run.hits], run.scores.tolist(), run.depth
    (['b', 'a'], [0.7, 0.1], 2)
    """

    queries: list[str]
    items: list[str]
    indptr: np.ndarray
    hits: PerHit
    scores: np.ndarray
    tag: str = "alignkit"
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        queries: list[str],
        items: list[str],
        query: np.ndarray,
        item: np.ndarray,
        scores: np.ndarray,
        **facts: "str | tuple[str, ...]",
    ) -> "Run":
        """Return the run of hits (query, item, score) in any order; equal scores keep the given order.

        ``facts`` are ``tag`` and ``warnings``.
        """
        order = np.lexsort((-scores, query))
        counts = np.bincount(query, minlength=len(queries))
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(queries, items, indptr, item[order], scores[order].astype(np.float64), **facts)  # pyright: ignore[reportArgumentType] - one mapping for two types

    def __len__(self) -> int:
        return len(self.hits)

    @property
    def counts(self) -> QueryCounts:
        """How many items each query lists."""
        return np.diff(self.indptr)

    @property
    def depth(self) -> int:
        """The length of the longest list."""
        return int(self.counts.max(initial=0))

    @property
    def owners(self) -> PerHit:
        """The query of every hit."""
        return np.repeat(np.arange(len(self.queries)), self.counts)

    def settled(self, ties: Ties) -> "Run":
        """Return the run with equal scores put in an order of the items, and places instead of scores.

        ``index`` keeps the order of the list, ``docid_desc`` and ``docid_asc`` go by the items' names.
        """
        place = np.arange(len(self.items))
        if ties == "index":
            key: PerHit = np.arange(len(self))
        else:
            place[np.argsort(np.array(self.items, dtype=object), kind="stable")] = place.copy()
            key = -place[self.hits] if ties == "docid_desc" else place[self.hits]
        order = np.lexsort((key, -self.scores, self.owners))
        places = -np.arange(len(self), dtype=np.float64)
        return Run(self.queries, self.items, self.indptr, self.hits[order], places, self.tag, self.warnings)

    def tied_ends(self) -> np.ndarray:
        """Return, for each query, how many of its last hits share one score: 1 where none ties."""
        starts, ends = self.tie_starts(), self.indptr[1:]
        if not len(starts):
            return np.zeros(len(ends), np.int64)
        last = starts[np.maximum(np.searchsorted(starts, ends, side="left") - 1, 0)]
        return np.where(self.counts > 0, ends - last, 0)

    def tie_starts(self) -> np.ndarray:
        """Return where, among the hits, a query's list or another score begins."""
        new = (np.diff(self.owners) != 0) | (np.diff(self.scores) != 0)
        return np.flatnonzero(np.concatenate([[True], new])[: len(self)])


@dataclass(frozen=True, slots=True, eq=False)
class Qrels:
    """Hold judgements: (query, item) pairs with whole-number grades, of which those from 1 are relevant.

    ``links`` are positions in ``queries`` and ``items``.

    Examples
    --------
    >>> Qrels(["q"], ["a", "b"], np.array([[0, 0], [0, 1]]), np.array([0, 2])).relevant().tolist()
    [False, True]
    """

    queries: list[str]
    items: list[str]
    links: Links
    grades: PerPositive

    def __len__(self) -> int:
        return len(self.links)

    def relevant(self) -> np.ndarray:
        """Mask of the judgements that name a positive."""
        return self.grades >= 1


@dataclass(frozen=True, slots=True, eq=False)
class ListRanks:
    """Where the positives stand in the lists of a run; made by `rank_run`.

    ``queries`` and ``items`` are the names behind the rows of ``ranks``: those of the run, then those that
    only the judgements know. ``listed`` says which positives a list holds. All others are given places
    behind the end of the longest list: true for a metric that is cut within it, and for no other.
    """

    queries: list[str]
    items: list[str]
    ranks: Ranks
    listed: np.ndarray = field(repr=False)


def rank_run(run: Run, qrels: Qrels, *, n_gallery: int | None = None, ties: Ties = "expected") -> ListRanks:
    """Return the rank intervals of all relevant items within the lists of a run.

    ``n_gallery`` is how many items were ranked; without it, those that either side names.

    Raises
    ------
    DataError
        If the run is empty, or there are fewer items in the gallery than names.

    Examples
    --------
    >>> run = Run.of(["q"], ["a", "b"], np.array([0, 0]), np.array([0, 1]), np.array([0.5, 0.5]))
    >>> found = rank_run(run, Qrels(["q"], ["b", "c"], np.array([[0, 0], [0, 1]]), np.array([1, 1])))
    >>> found.ranks.above.tolist(), found.ranks.tied.tolist(), found.listed.tolist()
    ([0, 1], [1, 0], [True, False])
    """
    if not len(run):
        raise DataError("the run lists nothing for any query: give one with hits.")
    queries, query_of = _joined(run.queries, qrels.queries)
    items, item_of = _joined(run.items, qrels.items)
    size = len(items) if n_gallery is None else n_gallery
    if size < len(items):
        raise DataError(
            f"the gallery is said to hold {size} items, but the run and the judgements name {len(items)}: "
            "correct the number, or remove what is not in the gallery."
        )
    kept = qrels.relevant()
    links = np.stack([query_of[qrels.links[kept, 0]], item_of[qrels.links[kept, 1]]], axis=1)
    grades = qrels.grades[kept]
    graded = grades if grades.max(initial=1) > 1 else None
    positives = Positives.from_links(links, len(queries), size, grades=graded)
    ordered = run.settled(ties) if ties in ORDERS else run
    ranks, listed = _within(ordered, positives)
    return ListRanks(queries, items, ranks, listed)


def _joined(first: Sequence[str], second: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Return all names, those of the first first, and where each of the second stands."""
    places = {name: place for place, name in enumerate(first)}
    where = np.array([places.setdefault(name, len(places)) for name in second], dtype=np.int64)
    return list(places), where


def _within(run: Run, positives: Positives) -> tuple[Ranks, np.ndarray]:
    """Return the ranks of positives within the lists, and which of them are there."""
    owners, starts = run.owners, run.tie_starts()
    present = owners * positives.n_gallery + run.hits
    wanted = positives.queries * positives.n_gallery + positives.indices
    by_pair = np.argsort(present)
    at = np.minimum(np.searchsorted(present[by_pair], wanted), len(run) - 1)
    entry = by_pair[at]
    listed = present[entry] == wanted
    entry = entry[listed]
    right = np.zeros(len(run), bool)
    right[entry] = True
    wrong_before = np.concatenate([[0], np.cumsum(~right)])
    group = np.searchsorted(starts, entry, side="right") - 1
    first, last = starts[group], np.append(starts, len(run))[group + 1]
    # what is not listed scores less than all that is, and stands right behind the place of the last one
    ahead = np.bincount(positives.queries[listed], minlength=positives.n_queries)[positives.queries]
    above, tied = run.depth - ahead, np.zeros(len(wanted), np.int64)
    score = np.full(len(wanted), -np.inf)
    above[listed] = wrong_before[first] - wrong_before[run.indptr[owners[entry]]]
    tied[listed] = wrong_before[last] - wrong_before[first]
    score[listed] = run.scores[entry]
    return Ranks(positives, score, above, tied), listed
