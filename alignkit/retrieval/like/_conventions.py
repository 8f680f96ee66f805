"""What a figure's name leaves open, spelled out in one record: alignkit's choice and another tool's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from alignkit.errors import ParameterError

Order: TypeAlias = Literal["expected", "index", "id_ascending", "id_descending", "topk", "quicksort"]
Norm: TypeAlias = Literal["min(k,R)", "R", "hits", "unsorted"]
Empty: TypeAlias = Literal["skip", "zero", "nan"]
NEEDS_AN_ORDER = ("hits", "unsorted")


@dataclass(frozen=True, slots=True)
class Convention:
    """Say how one figure is made; the defaults are alignkit's.

    Parameters
    ----------
    family
        ``mrr``, ``hit``, ``recall``, ``precision``, ``map``, ``ndcg``, ``mean_rank`` or ``median_rank``.
    k
        The cut; None is the whole gallery.
    backward
        Whether the gallery's items are the queries.
    merged
        Whether rows and columns that share an id count once: the last one's numbers, the first one's place.
    dtype
        Number format in which scores are compared; None: as they are given.
    adjust
        What is done to the score matrix before it is ranked, such as CSLS.
    listed
        How many items torch.topk puts into the list that the tool is given; the others, and the positives
        among them, do not exist for it. None: all items.
    level
        The least grade that counts as positive.
    above_zero
        Whether positives that score 0 or less are lost.
    order
        How equal scores are ordered: by expectation over all orders; by row order; by id; as torch.topk or
        as numba's quicksort leaves them.
    depth
        The length of the list that torch.topk is asked for, where it is not ``k``.
    norm
        What average precision is divided by: as many positives as fit into k, all R of them, or the hits in
        the first k. ``unsorted`` is LAION-CLAP's slip: the i-th *given* positive counts i hits at its rank.
    graded
        Whether nDCG gains are the grades and not 1.
    floored
        Whether a median is taken of ranks from 0, rounded down, and 1 added.
    empty
        What a query without a positive does: it is left out, scores zero, or makes the figure NaN.
    scale
        What the mean is multiplied by.

    Raises
    ------
    ParameterError
        If average precision is to be made by a norm that has no expectation over tie orders.
    """

    family: str
    k: int | None = None
    backward: bool = False
    merged: bool = False
    dtype: str | None = None
    adjust: Callable[[np.ndarray], np.ndarray] | None = None
    listed: int | None = None
    level: int = 1
    above_zero: bool = False
    order: Order = "expected"
    depth: int | None = None
    norm: Norm = "min(k,R)"
    graded: bool = False
    floored: bool = False
    empty: Empty = "skip"
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.family == "map" and self.norm in NEEDS_AN_ORDER and self.order == "expected":
            raise ParameterError(
                f"average precision by norm {self.norm!r} has no expectation over tie orders: name an order."
            )


@dataclass(frozen=True, slots=True)
class Card:
    """A tool's conventions in words, a field for each question that its figures leave open.

    ``dataclasses.asdict`` makes it a record of plain strings and lists for JSON.
    """

    tool: str
    compared_with: str
    ties: str
    recall_label: str
    ap_denominator: str
    mrr_cut: str
    median: str
    empty_queries: str
    dtype: str
    memory: str
    needs: str
    defects: tuple[str, ...]
