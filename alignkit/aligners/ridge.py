"""Fit a matrix and hold its size down by cross-validated retrieval: ridge (Hoerl and Kennard 1970)."""

from typing import Literal

import numpy as np

from alignkit._params import check_amount, check_count
from alignkit.aligners._base import Blocks
from alignkit.aligners._frame import Normalize
from alignkit.aligners._held_out import Fold, Plan, best_of, hold_out
from alignkit.aligners._linear import LinearAligner
from alignkit.aligners._reciprocal_rank import rank_and_cosine
from alignkit.aligners._spectrum import Spectrum
from alignkit.errors import ParameterError
from alignkit.moments import Moments

GRID = np.logspace(-4, 2, 13)  # in units of the mean eigenvalue of X'X


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
        frames, plan = (self.source_frame_, self.target_frame_), Plan(self.folds, self.max_queries, "alpha")
        folds = hold_out(blocks, groups, frames, plan)
        best, self.grid_scores_ = best_of(np.array([self._score_grid(fold) for fold in folds]), folds)
        self._chosen = float(GRID[best])

    def _score_grid(self, fold: Fold) -> list[tuple[float, float]]:
        xx, xy, _ = fold.rest.about_origin()
        spectrum = Spectrum.of(xx)
        coordinates, cross = fold.source @ spectrum.vectors, spectrum.vectors.T @ xy
        unit = _mean_eigenvalue(fold.rest)
        maps = (cross / (spectrum.values + alpha * unit)[:, None] for alpha in GRID)
        return [rank_and_cosine(coordinates @ matrix, fold.target, fold.weight) for matrix in maps]

    def _solve(self, moments: Moments) -> None:
        if self.alpha != "cv":
            self.alpha_ = float(self.alpha)
        elif self._chosen is not None:
            self.alpha_ = self._chosen * _mean_eigenvalue(moments)
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
