"""Fit a matrix of few directions: reduced-rank regression (Izenman 1975) with a ridge penalty."""

from alignkit._params import check_count
from alignkit.aligners._base import Aligner
from alignkit.aligners._frame import Normalize
from alignkit.aligners._linear import LinearAligner
from alignkit.aligners._spectrum import (
    Regularization,
    Spectrum,
    added_eigenvalue,
    check_regularization,
    fixed_signs,
)
from alignkit.aligners._svd import thin_svd
from alignkit.errors import ParameterError
from alignkit.moments import Moments


class LowRank(LinearAligner):
    r"""Minimise ``||X W - Y||^2 + alpha ||W||^2`` over matrices of rank ``rank`` at most.

    The order is: normalise both sides; ``U S V' = (X'X + alpha I)^-1/2 X'Y``; keep the ``rank`` largest
    singular values; ``W = (X'X + alpha I)^-1/2 U S V'``; restore the target's frame. With every singular
    value kept this is `ridge`; with fewer it is ridge followed by a projection onto the ``rank`` target
    directions that the source predicts best (Eckart and Young).

    Fewer numbers are fitted than by ridge (``rank (ds + dt - rank)``), which pays where pairs are few and
    the sides share few directions; where they share many, a low rank only loses. Directions are dropped,
    so the map cannot be taken back: for that fit `ridge`.

    Parameters
    ----------
    rank
        Directions kept, at most the smaller dimension; None keeps all.
    regularization
        ``alpha`` as a share of the mean eigenvalue of ``X'X``, so that it means the same for any number
        of pairs; ``"auto"`` is the source's dimensions per pair, at most 1.
    normalize
        The frames; see `FramedAligner`.

    Raises
    ------
    ParameterError
        If ``rank`` exceeds the smaller dimension.

    References
    ----------
    Izenman (1975), *Reduced-rank regression for the multivariate linear model*; with the penalty:
    Mukherjee and Zhu (2011), *Reduced rank ridge regression and its kernel extensions*.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, W = rng.normal(size=(60, 6)), np.outer(rng.normal(size=6), rng.normal(size=5))
    >>> fitted = LowRank(rank=1, regularization=0, normalize="none").fit(X, X @ W)
    >>> bool(np.allclose(fitted.matrix_, W)), fitted.singular_values_.shape
    (True, (1,))
    """

    invertible = False
    _learned = ("alpha_", "singular_values_")

    def __init__(
        self,
        *,
        rank: int | None = None,
        regularization: Regularization = "auto",
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.rank = rank
        self.regularization: Regularization = regularization

    def check_invertible(self) -> None:
        """Raise NotInvertibleError: directions were dropped."""
        Aligner.check_invertible(self)

    def _check_params(self) -> None:
        super()._check_params()
        check_regularization(self.regularization)
        if self.rank is not None:
            check_count("rank", self.rank, least=1)

    def _solve(self, moments: Moments) -> None:
        most = min(moments.source_dim, moments.target_dim)
        if self.rank is not None and self.rank > most:
            raise ParameterError(
                f"rank is {self.rank}, but the smaller side has {most} dimensions: choose a smaller one."
            )
        xx, xy, _ = moments.about_origin()
        self.alpha_ = added_eigenvalue(self.regularization, xx, moments.weight)
        whiten = Spectrum.of(xx).power(-0.5, self.alpha_)
        U, s, Vt = thin_svd(whiten @ xy)
        U, s, V = U[:, : self.rank], s[: self.rank], Vt[: self.rank].T
        U, V = fixed_signs(U, V)
        self.singular_values_ = s
        self.matrix_ = self.source_projection_ = (whiten @ U * s) @ V.T
        self.target_projection_ = None
