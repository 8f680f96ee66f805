"""Fit the matrix with the smallest squared error: least squares (Mikolov, Le and Sutskever 2013)."""

from alignkit.aligners._frame import Normalize
from alignkit.aligners._linear import LinearAligner
from alignkit.aligners._spectrum import Spectrum
from alignkit.moments import Moments


class LeastSquares(LinearAligner):
    """Minimise ``||X W - Y||`` over all matrices; the shortest one where pairs are too few to decide.

    The order is: normalise both sides, solve the normal equations, restore the target's frame. It has as
    many free numbers as ``ds * dt``, so with few pairs it fits noise: prefer `ridge` below some ten pairs
    per dimension. The normal equations square the condition number: directions whose variance is below
    about 1e-13 of the largest are dropped.

    References
    ----------
    Mikolov, Le and Sutskever (2013), *Exploiting similarities among languages for machine translation*.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, W = rng.normal(size=(50, 4)), rng.normal(size=(4, 3))
    >>> bool(np.allclose(LeastSquares(normalize="center").fit(X, X @ W + 3).matrix_, W))
    True
    """

    def __init__(self, *, normalize: Normalize = "unit-center-unit") -> None:
        super().__init__(normalize=normalize)

    def _solve(self, moments: Moments) -> None:
        xx, xy, _ = moments.about_origin()
        self.matrix_ = self.source_projection_ = Spectrum.of(xx).power(-1) @ xy
        self.target_projection_ = None
