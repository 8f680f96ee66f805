"""Where each query's true partner stands, what is near it, and how often the hits are found by others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from alignkit.alignment import Alignment
from alignkit.errors import DataError
from alignkit.explorer.scenes import unit
from alignkit.pairs import Pairs
from alignkit.retrieval.hubness import NEIGHBOURS, Hubness, measure_hubness
from alignkit.retrieval.protocol import Protocol
from alignkit.shapes import Vectors
from alignkit.spaces import BLOCK, Embeddings
from alignkit.workflows.evaluation import evaluate, prepared_rows

Project: TypeAlias = Callable[[Any], Any]
SAME = 1e-12  # cosines that differ by less are equal: rounding decides no rank
RANKS = Protocol(metrics=("mrr",), resamples=0, without_positive="skip")
MOST_SCORES = 600_000_000  # pairs of a query and an item that a page waits for


@dataclass(frozen=True, slots=True)
class Standings:
    """For each source row the expected rank of its best partner and its cosine with it; NaN without one.

    ``gallery`` is how many items were ranked; both are taken in the frame in which `evaluate` scores.
    """

    ranks: np.ndarray
    cosines: np.ndarray
    gallery: int


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest gallery rows of one query, best first, and where its true partners stand.

    A rank is an interval, ``best`` to ``worst``: equal scores may stand in any order.
    """

    rows: np.ndarray
    cosines: np.ndarray
    partners: np.ndarray
    best: np.ndarray
    worst: np.ndarray
    gallery: int


def standings(pairs: Pairs, alignment: Alignment | None = None) -> Standings:
    """Return where the partner of every source row stands among all target rows.

    Raises
    ------
    DataError
        If that takes more than 600 million scores, or the sides do not meet.

    Examples
    --------
    >>> side = Embeddings(np.eye(3))
    >>> standings(Pairs.by_id(side, side)).ranks.tolist()
    [1.0, 1.0, 1.0]
    """
    source, target = pairs.sides
    _check_size(source, target, "ranks")
    ranks, cosines = np.full((2, len(source)), np.nan)
    if len(pairs):
        found = evaluate(source, target, pairs=pairs, alignment=alignment, protocol=RANKS).tables["forward"]
        ranks[found["query"].to_numpy()] = found["expected_rank"].to_numpy()
        left, right = _joint(pairs, alignment)
        first, second = pairs.links.T
        for start in range(0, len(pairs), BLOCK):
            rows, others = first[start : start + BLOCK], second[start : start + BLOCK]
            near = (unit(left[rows]) * unit(right[others])).sum(axis=1)
            np.fmax.at(cosines, rows, near)
    return Standings(ranks, cosines, len(target))


def neighbours(
    query: np.ndarray,
    target: Embeddings,
    partners: np.ndarray,
    alignment: Alignment | None = None,
    *,
    k: int = 10,
    backward: bool = False,
) -> Neighbours:
    """Return the ``k`` target rows of greatest cosine to a source row, in the joint frame.

    The target is read block by block and nothing of it is kept. ``backward`` says that the query is a row of
    the alignment's target, and ``target`` holds rows of its source.

    Raises
    ------
    DataError
        If the row has another width than the target's and no alignment leads there.

    Examples
    --------
    >>> near = neighbours(np.eye(3)[0], Embeddings(np.eye(3)), np.array([0]), k=1)
    >>> near.rows.tolist(), near.best.tolist(), near.worst.tolist()
    ([0], [1], [1])
    """
    row = np.asarray(query, np.float64).reshape(1, -1)
    if alignment is None and row.shape[1] != target.dim:
        raise DataError(
            f"the query has {row.shape[1]} dimensions, {target.name} {target.dim}: choose an alignment."
        )
    ask, answer = _ways(alignment, backward=backward)
    wanted = unit(ask(row))[0]
    scores = np.empty(len(target))
    for start, block in target.blocks(dtype=np.dtype(np.float64)):
        scores[start : start + len(block)] = unit(answer(block)) @ wanted
    order = np.argsort(-scores, kind="stable")[: max(1, min(k, len(scores)))]
    own = scores[partners][:, None]
    others = np.ones((len(partners), len(scores)), bool)
    others[np.arange(len(partners)), partners] = False
    above = ((scores > own + SAME) & others).sum(axis=1)
    same = ((np.abs(scores - own) <= SAME) & others).sum(axis=1)
    return Neighbours(order, scores[order], partners, above + 1, above + same + 1, len(target))


def _ways(alignment: Alignment | None, *, backward: bool) -> tuple[Project, Project]:
    """Return how a query and how the gallery come into the joint frame."""
    if alignment is None:
        return (lambda rows: rows), (lambda rows: rows)
    ways = alignment.aligner.project_source, alignment.aligner.project_target
    return (ways[1], ways[0]) if backward else ways


def hub_counts(pairs: Pairs, alignment: Alignment | None = None, *, k: int = NEIGHBOURS) -> Hubness:
    """Return how often each target row is among the ``k`` nearest of a source row.

    Raises
    ------
    DataError
        If that takes more than 600 million scores.
    """
    source, target = pairs.sides
    _check_size(source, target, "hubs")
    return measure_hubness(*_joint(pairs, alignment), k=min(k, len(target) - 1))


def _joint(pairs: Pairs, alignment: Alignment | None) -> tuple[Vectors, Vectors]:
    rows, _ = prepared_rows(pairs.source, pairs.target, alignment, "cosine")
    return np.asarray(rows[0][:]), np.asarray(rows[1][:])


def _check_size(source: Embeddings, target: Embeddings, what: str) -> None:
    if len(source) * len(target) > MOST_SCORES:
        raise DataError(
            f"{what} of {len(source)} rows among {len(target)} take too long on a page: use `alignkit eval "
            f"--per-query`, or explore a sample."
        )
