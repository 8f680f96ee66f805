"""Framed rows of two whole vocabularies, and the links that are known between them."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils import check_consistent_length

from alignkit.aligners._base import FEWEST_ROWS, ArrayLike
from alignkit.aligners._folds import row_keys
from alignkit.aligners._frame import Frame, FrameFit
from alignkit.aligners._matrix import MatrixAligner
from alignkit.errors import DataError, PairingError
from alignkit.shapes import Labels, Links, SourceVectors, TargetVectors, Weights


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All rows of both sides in their frames, float64; linked pairs of them with weights and groups."""

    source: np.ndarray
    target: np.ndarray
    links: Links
    weights: Weights
    groups: Labels | None = None


class VocabularyAligner(MatrixAligner):
    """Learn from pairs and from the rows of both sides that have no partner yet; a leaf fills `_learn`.

    The contract's ``fit(X, y)`` gives pairs only: then the vocabularies are the distinct rows of either
    side, in an order that depends on what they hold. `fit_vocabulary` gives the whole of both sides, most
    frequent rows first, and links between them. A method whose ``fewest_links`` is 0 can do without any;
    one that does not need pairs is never shown them.
    """

    fewest_links: ClassVar[int] = FEWEST_ROWS

    def fit_vocabulary(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        links: ArrayLike = None,
        sample_weight: ArrayLike = None,
        groups: ArrayLike = None,
    ) -> Self:
        """Learn from whole vocabularies and the ``links`` (row of X, row of Y) between them; return self.

        The frames are those of all rows, linked or not, each counted once. ``sample_weight`` and
        ``groups`` hold one value for each link. Rows are held in memory.

        Raises
        ------
        DataError
            If a row is not finite or has no direction where one is needed.
        PairingError
            If a link names a row that does not exist, or there are fewer than the method needs.
        """
        self._check_params()
        X, Y = (self._checked_vocabulary(side, name) for side, name in ((X, "X"), (Y, "Y")))
        known = _checked_links(links, len(X), len(Y), self.fewest_links)
        weights = _checked_weights(sample_weight, len(known))
        if groups is not None:
            check_consistent_length(known, groups)
            groups = np.unique(np.asarray(groups), return_inverse=True)[1]
        frames = Frame.fit(X, self.normalize), Frame.fit(Y, self.normalize)
        self._take_frames(*frames)
        source, target = (
            frame.apply(side, dtype=np.float64) for frame, side in zip(frames, (X, Y), strict=True)
        )
        self._learn(self._shown(Vocabulary(source, target, known, weights, groups)), ordered=True)
        return self

    def _fit(self, X: SourceVectors, Y: TargetVectors, weight: Weights | None, groups: Any) -> None:
        self._check_params()
        weight = np.ones(len(X)) if weight is None else weight
        used = np.flatnonzero(weight > 0)
        fits = FrameFit(self.normalize).update(X, weight), FrameFit(self.normalize).update(Y, weight)
        self._take_frames(fits[0].frame(), fits[1].frame())
        sides, columns = [], []
        frames = self.source_frame_, self.target_frame_
        for fit, frame, rows in zip(fits, frames, (X[used], Y[used]), strict=True):
            _, first, copy = np.unique(row_keys(fit.unit(rows)), return_index=True, return_inverse=True)
            sides.append(frame.apply(rows[first], dtype=np.float64))
            columns.append(copy)
        known = Vocabulary(
            sides[0],
            sides[1],
            np.stack(columns, axis=1),
            weight[used],
            None if groups is None else np.unique(groups[used], return_inverse=True)[1],
        )
        self._learn(self._shown(known), ordered=False)

    def _shown(self, known: Vocabulary) -> Vocabulary:
        """Return what the method may see: no link without weight, and none where pairs are not needed."""
        used = known.weights > 0 if self.needs_pairs else np.zeros(len(known.links), bool)
        if used.all():
            return known
        groups = None if known.groups is None else known.groups[used]
        return Vocabulary(known.source, known.target, known.links[used], known.weights[used], groups)

    @abstractmethod
    def _learn(self, known: Vocabulary, *, ordered: bool) -> None:
        """Set ``matrix_`` and ``history_``; ``ordered``: the frequent rows come first."""

    def _checked_vocabulary(self, rows: ArrayLike, name: str) -> np.ndarray:
        rows = np.asarray(rows)
        if rows.ndim != 2 or len(rows) < FEWEST_ROWS or rows.dtype.kind not in "fiu":
            raise DataError(
                f"{name} has shape {rows.shape} and type {rows.dtype}: give {FEWEST_ROWS} or more rows of "
                "numbers."
            )
        rows = rows if rows.dtype.kind == "f" else rows.astype(np.float64)
        self._check_rows(rows, name)
        return rows


def _checked_links(links: ArrayLike, n: int, m: int, fewest: int) -> np.ndarray:
    links = np.zeros((0, 2), np.int64) if links is None else np.asarray(links)
    if links.ndim != 2 or links.shape[1] != 2 or links.dtype.kind not in "iu":
        raise PairingError(
            f"links have shape {links.shape} and type {links.dtype}: give whole numbers, a row of X and a "
            "row of Y in each line."
        )
    if len(links) < fewest:
        raise PairingError(f"there are {len(links)} links: give {fewest} or more.")
    bad = np.flatnonzero((links < 0).any(axis=1) | (links >= [n, m]).any(axis=1))
    if len(bad):
        raise PairingError(
            f"link {bad[0]} joins rows {links[bad[0], 0]} and {links[bad[0], 1]}, but there are {n} and {m}: "
            "count both from 0."
        )
    return links.astype(np.int64)


def _checked_weights(weights: ArrayLike, links: int) -> np.ndarray:
    if weights is None:
        return np.ones(links)
    weights = np.asarray(weights, np.float64)
    if weights.shape != (links,):
        raise PairingError(f"sample_weight has shape {weights.shape}; give one for each of {links} links.")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise PairingError(f"link {bad[0]} has weight {weights[bad[0]]}: weights are finite, not negative.")
    return weights
