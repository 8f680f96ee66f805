"""Score retrieval from a matrix of scores, whatever made it, with relevance as a matrix beside it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from alignkit._components import connected
from alignkit.errors import DataError
from alignkit.reports import Report
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.matrices import BLOCK_BYTES, check_scores, score_matrix
from alignkit.retrieval.protocol import Protocol
from alignkit.shapes import Labels
from alignkit.workflows._facts import versions
from alignkit.workflows.evaluation import Evaluation, row_groups


def evaluate_scores(
    scores: np.ndarray,
    relevance: np.ndarray | None = None,
    *,
    metrics: Sequence[str] | None = None,
    protocol: Protocol | None = None,
    query_ids: Sequence[str] | None = None,
    gallery_ids: Sequence[str] | None = None,
) -> Evaluation:
    """Score retrieval in both directions from ``scores``, queries by gallery, higher being better.

    ``relevance`` has the same shape: 0 where an item is wrong for a query, else true or its grade, a whole
    number from 1. Without it a square matrix asks for its diagonal. ``backward`` asks the other way round:
    each gallery item looks for its queries by its column. ``metrics`` is short for a protocol that differs
    from the default in nothing else; its similarity has no say. Intervals resample connected components of
    what is relevant, so the captions of one picture count as one observation; where everything hangs
    together there are none. The ids name the rows of the tables and order tied items where the protocol
    breaks ties by ids; without ids row numbers do. Both matrices may be memory maps.

    Raises
    ------
    DataError
        If a matrix holds NaN or other than real numbers, grades are no whole numbers, shapes do not fit, or
        no relevance is given and the matrix is not square.
    ParameterError, UnknownNameError
        If the protocol asks for what there is not.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.2, 0.8], [0.1, 0.7, 0.7]])
    >>> found = evaluate_scores(scores, np.array([[3, 0, 1], [0, 1, 0]]), metrics=["ndcg", "hit@1"])
    >>> found.report.sections["forward"]["hit@1"].value
    0.75
    """
    protocol = protocol or Protocol()
    if metrics is not None:
        protocol = replace(protocol, metrics=tuple(metrics))
    check_scores(scores)
    positives = _positives(scores.shape, relevance)
    links = np.stack([positives.queries, positives.indices], axis=1)
    labels = connected([links[:, 0], links[:, 1]])
    groups = [row_groups(links[:, side], labels, scores.shape[side]) for side in (0, 1)]
    ids = [
        _checked_ids(*side)
        for side in zip((query_ids, gallery_ids), ("query", "gallery"), scores.shape, strict=True)
    ]
    result = score_matrix(scores, positives, protocol, groups=groups, ids=ids)
    context = {
        "queries": {"rows": scores.shape[0]},
        "gallery": {"rows": scores.shape[1]},
        "frame": "given scores",
        "relevance": _facts(positives, relevance),
        "protocol": result.facts,
        "versions": versions(),
    }
    tables = {
        "forward": _with_ids(result.forward_table, ids[0], groups[0]),
        "backward": _with_ids(result.backward_table, ids[1], groups[1]),
    }
    return Evaluation(
        Report("eval", {"forward": result.forward, "backward": result.backward}, context), tables
    )


def _positives(shape: tuple[int, ...], relevance: np.ndarray | None) -> Positives:
    n_queries, n_gallery = shape
    if relevance is None:
        if n_queries != n_gallery:
            raise DataError(
                f"scores are {n_queries} x {n_gallery} and no relevance is given: only a square matrix can "
                "be taken for rows and columns in the same order; give a matrix of relevance."
            )
        return Positives.diagonal(n_queries)
    if relevance.shape != shape:
        raise DataError(
            f"relevance has shape {relevance.shape} and scores have {shape}: "
            "give one number for each query and item, in the order of the scores."
        )
    if relevance.dtype.kind not in "fiub":
        raise DataError(f"relevance has type {relevance.dtype}: give true and false, or grades from 0.")
    step = max(1, BLOCK_BYTES // max(n_gallery * relevance.itemsize, 1))
    found = [_links(relevance[start : start + step], start) for start in range(0, n_queries, step)]
    links = np.concatenate([np.empty((0, 2), np.int64), *(links for links, _ in found)])
    grades = np.concatenate([np.empty(0, np.int64), *(grades for _, grades in found)])
    graded = grades.max(initial=1) > 1
    return Positives.from_links(links, n_queries, n_gallery, grades=grades if graded else None)


def _links(block: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where a block of relevance is not 0, and the grades there."""
    links = np.argwhere(block != 0)
    values = block[links[:, 0], links[:, 1]]
    links[:, 0] += start
    grades = np.zeros(len(values), np.int64)
    usable = np.isfinite(values) & (values > 0) & (values < 2**53)
    grades[usable] = values[usable]
    wrong = np.flatnonzero(grades != values)
    if len(wrong):
        row, column = links[wrong[0]]
        raise DataError(
            f"row {row} of the relevance holds {values[wrong[0]]} in column {column}: grades are whole "
            "numbers, 0 for an item that is not relevant."
        )
    return links, grades


def _checked_ids(ids: Sequence[str] | None, side: str, size: int) -> list[str] | None:
    if ids is not None and len(ids) != size:
        raise DataError(
            f"{len(ids)} {side} ids, but the scores have {size}: give one for each, in their order."
        )
    return None if ids is None else [str(name) for name in ids]


def _facts(positives: Positives, relevance: np.ndarray | None) -> dict[str, Any]:
    grades = np.ones(1, np.int64) if positives.grades is None else np.unique(positives.grades)
    return {
        "given": "the diagonal" if relevance is None else str(relevance.dtype),
        "positives": len(positives),
        "grades": {"lowest": int(grades.min()), "highest": int(grades.max()), "different": len(grades)},
    }


def _with_ids(table: pa.Table, ids: list[str] | None, groups: Labels) -> pa.Table:
    table = table.add_column(0, "id", pa.array(range(len(table)) if ids is None else ids))
    return table.add_column(1, "group", pa.array(groups))
