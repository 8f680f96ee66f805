"""Framed rows of two whole vocabularies, and the links that are known between them."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from alignkit.aligners._base import FEWEST_ROWS, ArrayLike
from alignkit.aligners._folds import row_keys
from alignkit.aligners._frame import Frame, FrameFit
from alignkit.aligners._links import checked_groups, checked_links, checked_vocabulary, checked_weights
from alignkit.aligners._matrix import MatrixAligner
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
        X, Y = checked_vocabulary(X, "X"), checked_vocabulary(Y, "Y")
        for side, name in ((X, "X"), (Y, "Y")):
            self._check_rows(side, name)
        known = checked_links(links, len(X), len(Y), self.fewest_links)
        weights, groups = checked_weights(sample_weight, len(known)), checked_groups(groups, known)
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
