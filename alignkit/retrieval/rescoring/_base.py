"""What every re-scoring method offers: learn from a bank of queries, then score test queries in tiles."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np

from alignkit.duplicates import duplicate_labels
from alignkit.errors import ParameterError
from alignkit.retrieval._unit import Block, UnitRows, check_widths, cosines, unit_sides
from alignkit.retrieval.exact.tiles import spans
from alignkit.rows import Rows, ShardedRows
from alignkit.shapes import ScoreMatrix, Vectors

Facts: TypeAlias = tuple[np.ndarray, ...]  # arrays whose first axis runs over items, or over queries
STRIP = 64 << 20  # bytes of float32 cosines that may be held where a method needs whole rows of them


class Rescorer(ABC):
    """Turn cosines into scores in which a hub has no advantage; the module's name is the method's name.

    A hub is a gallery item near to every query. What makes an item one is learned from a **bank**: queries
    like those to come, but none of them. The bank is all that a method knows about queries, so a test query
    is scored as it would be alone. Where the bank is the test queries themselves, each item is compared
    with the very queries that look for its rivals; scores are then better than any new query will see.

    Scores rank the gallery for each query, high to low. For the other direction fit a second re-scorer with
    a bank of gallery-like rows, and the queries as its gallery.

    ``transductive`` says that the method was published for the whole test set at once: it may be fitted
    without a bank, and then learns from the test queries at hand (`uses_test_queries`, for a report to
    print). ``whole_rows`` says that it looks at all cosines of a query together.
    """

    transductive: ClassVar[bool] = False
    whole_rows: ClassVar[bool] = False

    bank_: UnitRows | None
    gallery_: UnitRows
    block_: Block
    learned_: Facts

    def fit(self, bank: Rows | None, gallery: Rows, *, block: Block | None = None) -> Self:
        """Learn from the bank what the gallery's items owe to being hubs; return the re-scorer itself.

        The bank is looked at in blocks, once unless the method says otherwise. Both sides are kept, not
        copied: they must not change while scores are made. ``block`` changes memory and speed only.

        Raises
        ------
        ParameterError
            If an option makes no sense, or the method needs a bank and gets none.
        DataError
            If dimensions differ, there are no rows, or a row is not finite or has no direction.
        """
        self._check()
        self.block_ = block or Block()
        if bank is None:
            if not self.transductive:
                raise ParameterError(
                    f"{self.name} needs a bank: queries like the test queries and none of them (training "
                    "queries, say). Give one."
                )
            self.bank_, self.gallery_ = None, UnitRows(gallery, "gallery")
            return self
        self.bank_, self.gallery_ = unit_sides(bank, gallery, names=("bank", "gallery"))
        self.learned_ = self._learn(self.bank_)
        return self

    @property
    def name(self) -> str:
        """The method's name in the registry."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def uses_test_queries(self) -> bool:
        """Whether, as fitted, a query's scores depend on the other test queries."""
        return self.bank_ is None

    def tiles(self, queries: Rows) -> Iterator[tuple[slice, slice, ScoreMatrix]]:
        """Return the scores tile by tile: which queries, which items, and their float64 scores.

        All items of some queries come before the next queries. Memory is a few tiles; with ``whole_rows``,
        and 64 MB of float32 for the cosines of the queries at hand.

        Raises
        ------
        DataError
            If dimensions differ from the gallery's, there are no rows, or a row cannot be scored.
        """
        check_widths(queries, self.gallery_, names=("queries", "gallery"))
        unit = UnitRows(queries, "queries")
        learned = self._learn(unit) if self.uses_test_queries else self.learned_
        for start, stop in spans(0, len(unit), self._strip()):
            strip = unit[start:stop]
            about = self._about(strip, learned)
            for left, right in spans(0, len(self.gallery_), self.block_.gallery):
                columns = slice(left, right)
                found = cosines(strip, self.gallery_[columns])
                yield slice(start, stop), columns, self._rescore(found, columns, learned, about)

    def scores(self, queries: Rows) -> ScoreMatrix:
        """Return all scores as one float64 matrix, queries by gallery, as `rank_scores` takes it."""
        matrix = np.empty((len(queries), len(self.gallery_)))
        for rows, columns, tile in self.tiles(queries):
            matrix[rows, columns] = tile
        return matrix

    def facts(self, queries: Rows) -> dict[str, Any]:
        """Return what a report must say beside the scores of these queries.

        The method and its options; how many rows the bank has; ``uses_test_queries``; and how many test
        queries stand in the bank, of one direction to the last bit (all, where they are the bank).
        """
        inside = len(queries) if self.bank_ is None else _shared(self.bank_, UnitRows(queries, "queries"))
        return {
            "method": self.name,
            "options": {name: getattr(self, name) for name in options(type(self))},
            "bank_rows": 0 if self.bank_ is None else len(self.bank_),
            "uses_test_queries": self.uses_test_queries,
            "queries_in_bank": inside,
        }

    def _strip(self) -> int:
        """Return how many queries are looked at together."""
        if not self.whole_rows:
            return self.block_.queries
        return max(1, min(self.block_.queries, STRIP // (4 * len(self.gallery_))))

    def _about(self, strip: Vectors, learned: Facts) -> Facts:  # noqa: ARG002
        """Return what must be known of some queries before their tiles, each from itself and the gallery."""
        return ()

    @abstractmethod
    def _check(self) -> None:
        """Raise ParameterError where an option makes no sense."""

    @abstractmethod
    def _learn(self, bank: UnitRows) -> Facts:
        """Return what must be known of every gallery item."""

    @abstractmethod
    def _rescore(self, found: ScoreMatrix, columns: slice, learned: Facts, about: Facts) -> ScoreMatrix:
        """Return the scores of a tile of cosines; ``columns`` are its items."""


def options(kind: type[Rescorer]) -> dict[str, Any]:
    """Return the names and defaults of a method's options."""
    parameters = inspect.signature(kind).parameters.values()
    return {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}


def check_positive(name: str, value: float) -> None:
    """Raise ParameterError unless an option is a number above 0."""
    if not 0 < value < np.inf:
        raise ParameterError(f"{name} is {value}: give a number above 0.")


def check_count(name: str, value: int) -> None:
    """Raise ParameterError unless an option is a whole number of at least 1."""
    if value < 1 or value != int(value):
        raise ParameterError(f"{name} is {value}: give a whole number of at least 1.")


def check_enough(neighbours: int, rows: Rows, side: str) -> None:
    """Raise ParameterError where a side has fewer rows than neighbours are asked for."""
    if neighbours > len(rows):
        raise ParameterError(
            f"neighbours is {neighbours} but the {side} has {len(rows)} rows: ask for fewer or give more."
        )


def _shared(bank: UnitRows, queries: UnitRows) -> int:
    labels = duplicate_labels(ShardedRows([bank, queries]))
    return int((labels[len(bank) :] < len(bank)).sum())
