"""Fit a matrix and hold its size down by cross-validated retrieval: ridge (Hoerl and Kennard 1970)."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from alignkit.aligners._base import Blocks
from alignkit.aligners._folds import assign_folds, pair_keys, row_keys
from alignkit.aligners._frame import Normalize
from alignkit.aligners._linear import LinearAligner
from alignkit.aligners._params import check_amount, check_count
from alignkit.aligners._reciprocal_rank import rank_and_cosine
from alignkit.aligners._spectrum import Spectrum
from alignkit.errors import DataError, ParameterError
from alignkit.moments import Moments

GRID = np.logspace(-4, 2, 13)  # in units of the mean eigenvalue of X'X
TIE = 1e-6  # differences of MRR that decide nothing


class Ridge(LinearAligner):
    """Minimise ``||X W - Y||^2 + alpha ||W||^2``, with ``alpha`` chosen by held-out retrieval.

    The order is: normalise both sides, choose ``alpha``, solve ``(X'X + alpha I) W = X'Y``, restore the
    target's frame. With ``alpha="cv"`` the training pairs are dealt into folds; one eigendecomposition a
    fold gives the whole grid (13 values from 1e-4 to 100 times the mean eigenvalue of ``X'X``), each is
    scored by the mean reciprocal rank of the held-out pairs in both directions, and the best is taken;
    values within 1e-6 of it are told apart by the mean cosine of the held-out pairs. Held-out pairs share
    no row and no group with the pairs fitted; copies of a pair count once as queries, with their weight.
    The means of the frames are those of all training pairs.

    Parameters
    ----------
    alpha
        ``"cv"``, or a number in the units of ``X'X`` of the framed rows, as in scikit-learn; 0 is least
        squares.
    folds
        Parts that are held out in turn; fewer where groups are fewer.
    max_queries
        Pairs of each fold that are ranked, at most; chosen by what they hold, not by where they stand.
    normalize
        The frames; see `FramedAligner`.

    Raises
    ------
    ParameterError
        If ``alpha`` is neither, or ``"cv"`` has no pairs to hold out: one group, or moments only.

    References
    ----------
    Hoerl and Kennard (1970), *Ridge regression: biased estimation for nonorthogonal problems*.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, W = rng.normal(size=(60, 4)), rng.normal(size=(4, 3))
    >>> fitted = Ridge().fit(X, X @ W)
    >>> fitted.alpha_ > 0, fitted.score(X, X @ W) > 0.9
    (True, True)
    """

    _learned = ("alpha_",)

    def __init__(
        self,
        *,
        alpha: float | Literal["cv"] = "cv",
        folds: int = 5,
        max_queries: int = 1000,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.alpha = alpha
        self.folds = folds
        self.max_queries = max_queries

    def _check_params(self) -> None:
        super()._check_params()
        if self.alpha != "cv":
            check_amount("alpha", self.alpha, other=", or 'cv' to choose it by held-out retrieval")
        check_count("folds", self.folds, least=2)
        check_count("max_queries", self.max_queries, least=2)
        self._chosen: float | None = None

    def _select(self, blocks: Blocks, groups: np.ndarray | None) -> None:
        if self.alpha != "cv":
            return
        folds, kept = self._deal(blocks, groups)
        parts, held_out = self._gather(blocks, folds, kept)
        whole = parts[0]
        for part in parts[1:]:
            whole = whole + part
        scores = np.array(
            [self._score_grid(whole.without(part), *held) for part, held in zip(parts, held_out, strict=True)]
        )
        weight = np.array([held[2].sum() for held in held_out])
        self.grid_scores_ = np.average(scores, axis=0, weights=weight)
        ranks, cosines = self.grid_scores_.T
        best = int(np.argmax(np.where(ranks >= ranks.max() - TIE, cosines, -np.inf)))
        self._chosen = float(GRID[best]) * _mean_eigenvalue(whole)

    def _deal(self, blocks: Blocks, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the fold of every row (-1: no weight), and its weight as a query (0: not ranked)."""
        columns = [
            (
                *(row_keys(fit.unit(rows)) for fit, rows in zip(self._new_frame_fits(), (X, Y), strict=True)),
                np.asarray(weight[0], np.float64) if weight else np.ones(len(X)),
            )
            for X, Y, *weight in blocks()
        ]
        source, target, weight = (np.concatenate(column) for column in zip(*columns, strict=True))
        if groups is not None and len(groups) != len(weight):
            raise DataError(f"{len(groups)} group labels for {len(weight)} pairs: give one for each.")
        used = np.flatnonzero(weight > 0)
        dealt = assign_folds(source[used], target[used], None if groups is None else groups[used], self.folds)
        if dealt.max(initial=0) == 0:
            raise ParameterError(
                "alpha='cv' must hold out some pairs, but all of them share a row or a group: "
                "give alpha a number."
            )
        folds, kept = np.full(len(weight), -1), np.zeros(len(weight))
        folds[used] = dealt
        _, first, copy = np.unique(
            pair_keys(source[used], target[used]), return_index=True, return_inverse=True
        )
        counted = np.bincount(copy, weight[used])
        for fold in range(dealt.max() + 1):  # keys are in ascending order: a draw that no row order changes
            chosen = np.flatnonzero(dealt[first] == fold)[: self.max_queries]
            kept[used[first[chosen]]] = counted[chosen]
        return folds, kept

    def _gather(
        self, blocks: Blocks, folds: np.ndarray, kept: np.ndarray
    ) -> tuple[list[Moments], list[tuple[np.ndarray, ...]]]:
        """Return the moments of every fold, and its held-out rows in the joint frame with their weights."""
        ds, dt = len(self.source_frame_.mean), len(self.target_frame_.mean)
        parts = [Moments(ds, dt) for _ in range(folds.max() + 1)]
        held: list[list[tuple[np.ndarray, ...]]] = [[] for _ in parts]
        for X, Y, weight, rows in self._framed_blocks(blocks):
            for fold, (part, collected) in enumerate(zip(parts, held, strict=True)):
                here = folds[rows] == fold
                part.update(X[here], Y[here], None if weight is None else weight[here])
                ranked = here & (kept[rows] > 0)
                collected.append((X[ranked], Y[ranked], kept[rows][ranked]))
        return parts, [tuple(np.concatenate(column) for column in zip(*one, strict=True)) for one in held]

    def _framed_blocks(self, blocks: Blocks) -> Iterator[tuple]:
        start = 0
        for X, Y, *weight in blocks():
            rows = slice(start, start + len(X))
            start += len(X)
            framed = [
                frame.apply(side, dtype=np.float64)
                for frame, side in zip((self.source_frame_, self.target_frame_), (X, Y), strict=True)
            ]
            yield *framed, np.asarray(weight[0], np.float64) if weight else None, rows

    def _score_grid(
        self, fitted: Moments, X: np.ndarray, Y: np.ndarray, weight: np.ndarray
    ) -> list[tuple[float, float]]:
        xx, xy, _ = fitted.about_origin()
        spectrum = Spectrum.of(xx)
        coordinates, cross = X @ spectrum.vectors, spectrum.vectors.T @ xy
        unit = _mean_eigenvalue(fitted)
        maps = (cross / (spectrum.values + alpha * unit)[:, None] for alpha in GRID)
        return [rank_and_cosine(coordinates @ matrix, Y, weight) for matrix in maps]

    def _solve(self, moments: Moments) -> None:
        if self.alpha != "cv":
            self.alpha_ = float(self.alpha)
        elif self._chosen is not None:
            self.alpha_ = self._chosen
        else:
            raise ParameterError(
                "alpha='cv' ranks held-out pairs, which moments do not hold: give alpha a number, or use fit "
                "or fit_blocks."
            )
        xx, xy, _ = moments.about_origin()
        self.matrix_ = self.source_projection_ = Spectrum.of(xx).power(-1, self.alpha_) @ xy
        self.target_projection_ = None


def _mean_eigenvalue(moments: Moments) -> float:
    """Return the mean eigenvalue of ``X'X``: the unit in which the grid is spaced."""
    return float(np.trace(moments.about_origin()[0])) / moments.source_dim
