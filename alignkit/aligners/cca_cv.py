"""Canonical correlation with its ridge and its weights chosen by held-out retrieval (Vinod 1976)."""

import numpy as np

from alignkit._params import check_count
from alignkit.aligners._base import Blocks
from alignkit.aligners._canonical import Canonical, Tunable, candidates, check_tunable, choose, fitted_length
from alignkit.aligners._frame import Normalize
from alignkit.aligners._held_out import Plan, hold_out
from alignkit.aligners._linear import LinearAligner
from alignkit.errors import ParameterError
from alignkit.moments import Moments


class CrossValidatedCorrelation(LinearAligner):
    r"""Fit `cca` with the regularisation and the exponent that find held-out pairs best.

    Two numbers decide how canonical correlation treats a direction: ``regularization``, how far both
    sides are whitened before they are turned onto each other (little: every direction counts alike; much:
    large ones count, down to the cross-products alone, partial least squares), and ``exponent``, how
    strongly the joint frame favours the directions that correlate. Which are good depends on the pairs
    per dimension, on the noise and on how alike the two spaces are, so they are measured.

    The order is: normalise both sides; deal the training pairs into folds; for every fold and each of 8
    regularisations find the canonical directions of the other pairs, and score each of 5 exponents by the
    mean reciprocal rank of the held-out pairs in both directions, by cosine; take the best of the 40
    (among those within 1e-6 of it, the one whose pairs' mean cosine exceeds that of all rows by most);
    solve `cca` on all pairs. Held-out pairs share no row and no group with the pairs fitted. The means of
    the frames are those of all training pairs. A number given for either parameter is not chosen; given
    for both, this is `cca`, but that one factor fits the lengths of what `transform` predicts, which
    regularisation shrinks.

    A fit costs 8 singular value decompositions a fold.

    Parameters
    ----------
    regularization
        ``"cv"``, or the share of the mean eigenvalue added to each side's spectrum, as in `cca`.
    exponent
        ``"cv"``, or the power of its correlation by which each direction is scaled, as in `cca`.
    folds
        Parts that are held out in turn; fewer where groups are fewer.
    max_queries
        Pairs of each fold that are ranked, at most; chosen by what they hold, not by where they stand.
    normalize
        The frames; see `FramedAligner`.

    Attributes
    ----------
    regularization_, exponent_
        What was chosen, or given.
    grid_scores_
        Of every candidate the mean reciprocal rank, and the mean cosine of pairs less that of all;
        ``(regularisations, exponents, 2)``.

    Raises
    ------
    ParameterError
        If a parameter is neither, or ``"cv"`` has no pairs to hold out: one group, or moments only.

    References
    ----------
    Vinod (1976), *Canonical ridge and econometrics of joint production*. The weighting by a power of the
    correlations: Artetxe, Labaka and Agirre (2018), section 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shared = rng.normal(size=(120, 3))
    >>> X, Y = (np.hstack([shared, rng.normal(size=(120, 5))]) for _ in range(2))
    >>> fitted = CrossValidatedCorrelation(normalize="center").fit(X, Y)
    >>> fitted.exponent_ > 0.25, fitted.score(X, Y) > 0.8
    (True, True)
    """

    _learned = ("correlations_", "regularization_", "exponent_")

    def __init__(
        self,
        *,
        regularization: Tunable = "cv",
        exponent: Tunable = "cv",
        folds: int = 5,
        max_queries: int = 1000,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.regularization: Tunable = regularization
        self.exponent: Tunable = exponent
        self.folds = folds
        self.max_queries = max_queries

    def _check_params(self) -> None:
        super()._check_params()
        check_tunable(self.regularization, self.exponent)
        check_count("folds", self.folds, least=2)
        check_count("max_queries", self.max_queries, least=2)
        self._chosen: tuple[float, float] | None = None

    def _select(self, blocks: Blocks, groups: np.ndarray | None) -> None:
        shares, exponents, tuned = candidates(self.regularization, self.exponent)
        if tuned is None:
            return
        frames, plan = (self.source_frame_, self.target_frame_), Plan(self.folds, self.max_queries, tuned)
        folds = hold_out(blocks, groups, frames, plan)
        self._chosen, self.grid_scores_ = choose(folds, shares, exponents)

    def _solve(self, moments: Moments) -> None:
        shares, exponents, tuned = candidates(self.regularization, self.exponent)
        if self._chosen is not None:
            self.regularization_, self.exponent_ = self._chosen
        elif tuned is None:
            self.regularization_, self.exponent_ = shares[0], exponents[0]
        else:
            raise ParameterError(
                "'cv' ranks held-out pairs, which moments do not hold: give regularization and exponent "
                "numbers, or use fit or fit_blocks."
            )
        found = Canonical.of(moments, self.regularization_, None)
        self.correlations_ = found.correlations
        self.source_projection_, self.target_projection_ = found.projections(self.exponent_)
        self.matrix_ = fitted_length(found.prediction(), moments)
