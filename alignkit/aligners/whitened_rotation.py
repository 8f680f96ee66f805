"""Whiten, rotate, re-weight, de-whiten: the multi-step map of Artetxe, Labaka and Agirre (2018)."""

import numpy as np

from alignkit._params import check_amount, check_count, check_flag
from alignkit.aligners._frame import Normalize
from alignkit.aligners._linear import LinearAligner
from alignkit.aligners._params import check_components
from alignkit.aligners._spectrum import (
    Regularization,
    Spectrum,
    added_eigenvalue,
    check_regularization,
    fixed_signs,
)
from alignkit.aligners._svd import thin_svd
from alignkit.moments import Moments


class WhitenedRotation(LinearAligner):
    r"""Rotate two whitened clouds onto each other, then give back what whitening took.

    The order is: normalise both sides; step 1, whiten each (``(X'X)^-1/2``); step 2, rotate both by the
    SVD ``U S V'`` of the whitened cross-products, so that they meet in a third space sorted by ``S``;
    step 3, multiply each side by ``S`` to its power; step 4, undo each side's whitening in the new axes;
    step 5, keep the first ``n_components``. With ``whiten`` and the powers off it is `procrustes`. The
    defaults are those that the paper found best. `transform` turns the third space onto the target by
    orthogonal Procrustes over the same pairs and restores the target's frame.

    Directions in which a side has no variance are left out (fewer pairs than dimensions); directions with
    almost none are blown up by whitening: below some five pairs per dimension prefer `procrustes`, or
    ``regularization="auto"``.

    Parameters
    ----------
    whiten
        Whether steps 1 and 4 happen at all.
    source_power, target_power
        Exponents of ``S`` in step 3; 0 leaves a side alone.
    dewhiten
        Whether step 4 happens.
    n_components
        Dimensions kept in the third space; None keeps all.
    regularization
        Share of the mean eigenvalue added to each side's spectrum before whitening; ``"auto"`` is the
        side's dimensions per pair, at most 1.
    normalize
        The frames; see `FramedAligner`.

    References
    ----------
    Artetxe, Labaka and Agirre (2018), *Generalizing and improving bilingual word embedding mappings with
    a multi-step framework of linear transformations*, section 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, Q = rng.normal(size=(100, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> WhitenedRotation().fit(X, X @ Q).score(X, X @ Q) > 0.99
    True
    """

    _learned = ("singular_values_",)

    def __init__(
        self,
        *,
        whiten: bool = True,
        source_power: float = 0.5,
        target_power: float = 0.5,
        dewhiten: bool = True,
        n_components: int | None = None,
        regularization: Regularization = 0.0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.whiten = whiten
        self.source_power = source_power
        self.target_power = target_power
        self.dewhiten = dewhiten
        self.n_components = n_components
        self.regularization: Regularization = regularization

    def _check_params(self) -> None:
        super()._check_params()
        check_flag("whiten", self.whiten)
        check_flag("dewhiten", self.dewhiten)
        check_regularization(self.regularization)
        for name in ("source_power", "target_power"):
            check_amount(name, getattr(self, name))
        if self.n_components is not None:
            check_count("n_components", self.n_components, least=1)

    def _solve(self, moments: Moments) -> None:
        most = min(moments.source_dim, moments.target_dim)
        check_components(self.n_components, most)
        xx, xy, yy = moments.about_origin()
        whiten_x, colour_x = self._whitening(xx, moments.weight)
        whiten_y, colour_y = self._whitening(yy, moments.weight)
        U, s, Vt = thin_svd(whiten_x @ xy @ whiten_y)
        kept = s > s[0] * len(s) * 4 * np.finfo(np.float64).eps
        U, V = fixed_signs(U[:, kept], Vt[kept].T)
        s = self.singular_values_ = s[kept]
        A = whiten_x @ U * s**self.source_power  # steps 1 to 3
        B = whiten_y @ V * s**self.target_power
        if self.dewhiten:  # step 4
            A, B = A @ (U.T @ colour_x @ U), B @ (V.T @ colour_y @ V)
        A, B = A[:, : self.n_components], B[:, : self.n_components]  # step 5
        self.source_projection_, self.target_projection_ = A, B
        # taking B back would divide by the small factors of steps 1 and 3; a rotation divides by nothing
        left, _, right = thin_svd(A.T @ xy)
        self.matrix_ = A @ (left @ right)

    def _whitening(self, product: np.ndarray, weight: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the matrix that whitens a side, and the one that takes it back."""
        if not self.whiten:
            return np.eye(len(product)), np.eye(len(product))
        spectrum, shift = Spectrum.of(product), added_eigenvalue(self.regularization, product, weight)
        return spectrum.power(-0.5, shift), spectrum.power(0.5, shift)
