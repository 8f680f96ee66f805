"""Rotate the source onto the target: orthogonal Procrustes (Schönemann 1966)."""

import numpy as np

from alignkit._params import check_flag
from alignkit.aligners._frame import Normalize
from alignkit.aligners._linear import LinearAligner
from alignkit.aligners._svd import thin_svd
from alignkit.errors import ParameterError
from alignkit.moments import Moments, Parts


class Procrustes(LinearAligner):
    r"""Minimise ``||X W - Y||`` over orthogonal ``W``: lengths and angles of the source are kept.

    The order is: normalise both sides, ``U S V' = X'Y``, ``W = U V'``, restore the target's frame. With
    unequal dimensions ``W`` is semi-orthogonal (the thin SVD): ``W W' = I`` into a larger space,
    ``W'W = I`` into a smaller one, which cannot be taken back and keeps no lengths, so there it is the
    inner product ``tr(W'X'Y)`` that is largest. With fewer pairs than dimensions the
    directions that no pair spans are mapped orthogonally too, but by the SVD's choice, not by the data.

    Parameters
    ----------
    normalize
        The frames; see `FramedAligner`.
    scale
        Multiply ``W`` by the one factor that fits lengths best. Where a frame ends with unit rows this
        changes nothing but the length of the joint rows.
    rotation_only
        Forbid reflections: ``det W = +1``. Needs equal dimensions.

    References
    ----------
    Schönemann (1966), *A generalized solution of the orthogonal Procrustes problem*. The sign for
    ``rotation_only``: Kabsch (1978). The default frame: Artetxe et al. (2016), section 2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 4))
    >>> Q = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> bool(np.allclose(Procrustes(normalize="center").fit(X, X @ Q + 3).matrix_, Q))
    True
    """

    _learned = ("scale_",)

    def __init__(
        self,
        *,
        normalize: Normalize = "unit-center-unit",
        scale: bool = False,
        rotation_only: bool = False,
    ) -> None:
        super().__init__(normalize=normalize)
        self.scale = scale
        self.rotation_only = rotation_only

    def _check_params(self) -> None:
        super()._check_params()
        check_flag("scale", self.scale)
        check_flag("rotation_only", self.rotation_only)

    def _parts(self) -> Parts:
        return "all" if self.scale else "cross"

    def _solve(self, moments: Moments) -> None:
        ds, dt = moments.source_dim, moments.target_dim
        if self.rotation_only and ds != dt:
            raise ParameterError(
                f"rotation_only needs equal dimensions, got {ds} and {dt}: a map between unequal dimensions "
                "has no determinant; switch it off."
            )
        cross = moments.cross_about_origin()
        U, s, Vt = thin_svd(cross)
        if self.rotation_only and np.linalg.det(U) * np.linalg.det(Vt) < 0:
            U[:, -1] *= -1  # reflect where it costs least
            s[-1] *= -1
        matrix = U @ Vt
        self.scale_ = 1.0
        if self.scale:
            energy = float(np.sum(matrix * (moments.about_origin()[0] @ matrix)))
            self.scale_ = float(s.sum()) / energy if energy > 0 else 1.0
        self.matrix_ = self.source_projection_ = matrix * self.scale_
        self.target_projection_ = None
