"""Scores and relevance as another tool would receive them: checked, named, merged where ids repeat."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alignkit.errors import DataError
from alignkit.shapes import Relevance, ScoreMatrix


@dataclass(frozen=True, eq=False, slots=True)
class Inputs:
    """A matrix of scores, queries by gallery, the grade of every cell, and the ids of both sides."""

    scores: ScoreMatrix
    relevance: Relevance
    query_ids: tuple[str, ...]
    item_ids: tuple[str, ...]

    @classmethod
    def of(
        cls,
        scores: np.ndarray,
        relevance: np.ndarray | None = None,
        query_ids: Sequence[str] | None = None,
        item_ids: Sequence[str] | None = None,
    ) -> "Inputs":
        """Return checked inputs: the diagonal is relevant where nothing is said, ids are q000..., d000...

        Raises
        ------
        DataError
            If shapes do not fit, a score is NaN, or a grade is no whole number of at least 0.
        """
        scores = np.asarray(scores)
        if scores.ndim != 2 or not scores.size or scores.dtype.kind not in "fiub":
            raise DataError(
                f"scores have shape {scores.shape} and type {scores.dtype}: give real numbers, a row for "
                "each query and a column for each gallery item, at least one of each."
            )
        if scores.dtype.kind != "f":
            scores = scores.astype(np.float64)
        if np.isnan(scores).any():
            row = int(np.argmax(np.isnan(scores).any(axis=1)))
            raise DataError(f"row {row} of the scores holds NaN: repair or remove it.")
        relevance = _relevance(relevance, scores.shape)
        return cls(
            scores,
            relevance,
            _ids(query_ids, scores.shape[0], "q", "queries"),
            _ids(item_ids, scores.shape[1], "d", "items"),
        )

    def transposed(self) -> "Inputs":
        """Return the other direction: the gallery's items look for the queries."""
        return Inputs(self.scores.T, self.relevance.T, self.item_ids, self.query_ids)

    def merged(self) -> "Inputs":
        """Return what a dictionary keeps of repeated ids: the last one's numbers at the first one's place."""
        rows, columns = _last_of_each(self.query_ids), _last_of_each(self.item_ids)
        if len(rows) == len(self.query_ids) and len(columns) == len(self.item_ids):
            return self
        cells = np.ix_(list(rows.values()), list(columns.values()))
        return Inputs(self.scores[cells], self.relevance[cells], tuple(rows), tuple(columns))


def _relevance(relevance: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    if relevance is None:
        if shape[0] != shape[1]:
            raise DataError(
                f"scores are {shape[0]} x {shape[1]}, so their diagonal does not pair every query with an "
                "item: give the relevance matrix."
            )
        return np.eye(shape[0], dtype=np.int64)
    relevance = np.asarray(relevance)
    if relevance.shape != shape:
        raise DataError(
            f"relevance has shape {relevance.shape} and the scores have {shape}: give a cell for each score."
        )
    grades = relevance.astype(np.int64) if relevance.dtype.kind in "biuf" else np.full(shape, -1)
    if (grades != relevance).any() or (grades < 0).any():
        raise DataError("relevance must hold whole numbers of at least 0: 0 for no, 1 or a grade for yes.")
    return grades


def _ids(ids: Sequence[str] | None, n: int, letter: str, name: str) -> tuple[str, ...]:
    if ids is None:
        width = max(3, len(str(n - 1)))
        return tuple(f"{letter}{i:0{width}d}" for i in range(n))
    if len(ids) != n:
        raise DataError(f"{len(ids)} ids for {n} {name}: give one for each.")
    return tuple(map(str, ids))


def _last_of_each(ids: Sequence[str]) -> dict[str, int]:
    return {name: i for i, name in enumerate(ids)}
