"""Tie groups: positives of one query that no score tells apart, with the negatives among them."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from alignkit.errors import ParameterError
from alignkit.retrieval.exact.ranks import Ranks
from alignkit.shapes import PerPositive, PerTieGroup, QueryCounts

Ties: TypeAlias = Literal["expected", "optimistic", "pessimistic", "index", "docid_desc", "docid_asc"]
TIES = ("expected", "optimistic", "pessimistic")
ORDERS = ("index", "docid_desc", "docid_asc")  # what other tools break ties by: see `conventions`


@dataclass(frozen=True, eq=False, slots=True)
class TieGroups:
    """Groups in order of query, then falling score; every one of its inner orders is equally likely.

    ``query`` it belongs to; ``ahead`` items stand before it, of which ``won`` are positives; it holds
    ``size`` items, of which ``hits`` are positives. ``positives`` and ``candidates`` are counts of each query
    (see `Positives`). ``grades`` are those of all positives, group by group, or None where all are alike.
    """

    query: PerTieGroup
    ahead: PerTieGroup
    won: PerTieGroup
    size: PerTieGroup
    hits: PerTieGroup
    positives: QueryCounts
    candidates: QueryCounts
    grades: PerPositive | None = None

    @property
    def first(self) -> np.ndarray:
        """Mask of the first group of each query: the one that holds its best positive."""
        return self.won == 0

    @property
    def owners(self) -> PerPositive:
        """The query of every positive, group by group."""
        return np.repeat(self.query, self.hits)

    def total(self, values: np.ndarray) -> np.ndarray:
        """Return, for each query, the sum of its groups' values."""
        sums = np.bincount(self.query, weights=values, minlength=len(self.positives))
        return sums.astype(np.float64)  # numpy counts in integers where there is no group at all

    def best(self, values: np.ndarray) -> np.ndarray:
        """Return, for each query, the value of its first group; NaN where it has no positive."""
        out = np.full(len(self.positives), np.nan)
        out[self.query[self.first]] = values[self.first]
        return out

    def summed(self, values: np.ndarray) -> np.ndarray:
        """Return, for each group, the sum of a value of every positive, group by group."""
        of_group = np.repeat(np.arange(len(self.hits)), self.hits)
        return np.bincount(of_group, weights=values, minlength=len(self.hits))


def tie_groups(ranks: Ranks, ties: Ties = "expected") -> TieGroups:
    """Return the tie groups of all queries.

    ``optimistic`` puts tied positives before the negatives of their group, the most relevant first, and
    ``pessimistic`` behind, the most relevant last: then each group holds positives of one grade only, and
    its inner order no longer matters.

    Raises
    ------
    ParameterError
        If ``ties`` is unknown, or an order of the items, which these ranks say nothing about.
    """
    check_ties(ties)
    owner, grades = ranks.positives, ranks.positives.grades
    if grades is None or ties == "expected":
        order = owner.order_by(-ranks.score)
    else:
        order = np.lexsort((grades if ties == "pessimistic" else -grades, -ranks.score, owner.queries))
    query, score = owner.queries[order], ranks.score[order]
    changes = (query[1:] != query[:-1]) | (score[1:] != score[:-1])
    if grades is not None and ties != "expected":
        changes |= np.diff(grades[order]) != 0
    starts = np.flatnonzero(np.r_[True, changes][: len(order)])
    hits = np.diff(np.r_[starts, len(order)])
    members = order[starts]
    query, won = query[starts], starts - owner.indptr[query[starts]]
    above, tied = ranks.above[members], ranks.tied[members]
    if ties == "pessimistic":
        above = above + tied
    if ties != "expected":
        tied = np.zeros_like(tied)
    sorted_grades = None if grades is None else grades[order]
    return TieGroups(
        query, above + won, won, tied + hits, hits, owner.counts, owner.candidates, sorted_grades
    )


def check_ties(ties: Ties) -> None:
    """Raise ParameterError unless ranks of vectors are enough to treat ties so."""
    if ties in ORDERS:
        raise ParameterError(
            f"ties {ties!r} follow an order of the items, which these ranks do not know: count them with "
            "the order of conventions.item_order and break the ties (conventions.break_ties)."
        )
    if ties not in TIES:
        raise ParameterError(f"ties {ties!r} is unknown: choose one of {', '.join((*TIES, *ORDERS))}.")


def all_tied(positives: QueryCounts, candidates: QueryCounts, grades: PerPositive | None = None) -> TieGroups:
    """Return the groups of queries for which every candidate scores the same.

    ``positives`` and ``candidates`` are numbers of each query, ``grades`` those of all positives, query by
    query.
    """
    query = np.flatnonzero(positives)
    zero = np.zeros(len(query), np.int64)
    return TieGroups(query, zero, zero, candidates[query], positives[query], positives, candidates, grades)
