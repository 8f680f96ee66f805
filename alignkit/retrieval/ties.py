"""Tie groups: positives of one query that no score tells apart, with the negatives among them."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from alignkit.errors import ParameterError
from alignkit.retrieval.ranks import Ranks
from alignkit.shapes import PerTieGroup, QueryCounts

Ties: TypeAlias = Literal["expected", "optimistic", "pessimistic"]
TIES = ("expected", "optimistic", "pessimistic")


@dataclass(frozen=True, eq=False, slots=True)
class TieGroups:
    """Groups in order of query, then falling score; every one of its inner orders is equally likely.

    ``query`` it belongs to; ``ahead`` items stand before it, of which ``won`` are positives; it holds
    ``size`` items, of which ``hits`` are positives. ``positives`` and ``n_gallery``: see `Positives`.
    """

    query: PerTieGroup
    ahead: PerTieGroup
    won: PerTieGroup
    size: PerTieGroup
    hits: PerTieGroup
    positives: QueryCounts
    n_gallery: int

    @property
    def first(self) -> np.ndarray:
        """Mask of the first group of each query: the one that holds its best positive."""
        return self.won == 0

    def total(self, values: np.ndarray) -> np.ndarray:
        """Return, for each query, the sum of its groups' values."""
        return np.bincount(self.query, weights=values, minlength=len(self.positives))

    def best(self, values: np.ndarray) -> np.ndarray:
        """Return, for each query, the value of its first group; NaN where it has no positive."""
        out = np.full(len(self.positives), np.nan)
        out[self.query[self.first]] = values[self.first]
        return out


def tie_groups(ranks: Ranks, ties: Ties = "expected") -> TieGroups:
    """Return the tie groups of all queries.

    ``optimistic`` puts tied positives before the negatives of their group and ``pessimistic`` behind:
    then each group holds positives only, and its inner order no longer matters.
    """
    if ties not in TIES:
        raise ParameterError(f"ties {ties!r} is unknown: choose one of {', '.join(TIES)}.")
    owner = ranks.positives
    order = owner.order_by(-ranks.score)
    query, score = owner.queries[order], ranks.score[order]
    fresh = np.r_[True, (query[1:] != query[:-1]) | (score[1:] != score[:-1])][: len(order)]
    starts = np.flatnonzero(fresh)
    hits = np.diff(np.r_[starts, len(order)])
    members = order[starts]
    query, won = query[starts], starts - owner.indptr[query[starts]]
    above, tied = ranks.above[members], ranks.tied[members]
    if ties == "pessimistic":
        above = above + tied
    if ties != "expected":
        tied = np.zeros_like(tied)
    return TieGroups(query, above + won, won, tied + hits, hits, owner.counts, ranks.n_gallery)


def all_tied(positives: QueryCounts, n_gallery: int) -> TieGroups:
    """Return the groups of queries for which every item of the gallery scores the same.

    ``positives`` is the number of positives of each query.
    """
    query = np.flatnonzero(positives)
    zero = np.zeros(len(query), np.int64)
    return TieGroups(query, zero, zero, zero + n_gallery, positives[query], positives, n_gallery)
