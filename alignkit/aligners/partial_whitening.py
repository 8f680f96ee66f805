"""Whiten both sides in part, then rotate: from CCA to Procrustes by one number (Williams et al. 2021)."""

import numpy as np

from alignkit._params import check_amount
from alignkit.aligners._frame import Normalize
from alignkit.aligners._linear import LinearAligner
from alignkit.aligners._spectrum import Regularization, Spectrum, added_eigenvalue, check_regularization
from alignkit.aligners._svd import thin_svd
from alignkit.errors import ParameterError
from alignkit.moments import Moments


class PartialWhitening(LinearAligner):
    r"""Rotate ``X Z(X)`` onto ``Y Z(Y)``, where ``Z = alpha I + (1 - alpha) C^-1/2`` whitens in part.

    The order is: normalise both sides; ``C`` is each side's product matrix over its own mean eigenvalue;
    multiply each side by its ``Z``; ``U S V'`` of the cross-products, ``R = U V'``; restore the target's
    frame. Pairs are compared by cosine between ``X Z(X) R`` and ``Y Z(Y)``. With ``alpha=1`` this is
    `procrustes`; with ``alpha=0`` and
    without ``regularization`` the singular values are the canonical correlations and the cosines are
    those of unweighted canonical variates (`cca` with ``regularization=0, exponent=0``). `transform` undoes
    the target's whitening: ``X Z(X) R Z(Y)^-1``.

    ``alpha`` means the same for any number of pairs and any scale, because ``C`` has mean eigenvalue 1;
    netrep adds ``I`` to ``(X'X)^-1/2`` itself, which is the same family with another ``alpha``. Directions
    without variance are not whitened; those with almost none would be blown up, were it not for
    ``regularization``. Lengths are not fitted, as in `procrustes`.

    Parameters
    ----------
    alpha
        From 0 (whitened, CCA) to 1 (as the rows are, Procrustes).
    regularization
        Share of the mean eigenvalue added to each side's spectrum before whitening; ``"auto"`` is the
        side's dimensions per pair, at most 1; 0 is the published method.
    normalize
        The frames; see `FramedAligner`.

    Attributes
    ----------
    singular_values_
        Of the cross-products of the two whitened sides; without ``regularization`` the canonical
        correlations at ``alpha=0``.
    distance_
        The shape metric between the two sides, an angle in [0, pi/2]: 0 where the map is perfect.

    Raises
    ------
    ParameterError
        If ``alpha`` is outside [0, 1].

    References
    ----------
    Williams, Kunz, Kornblith and Linderman (2021), *Generalized shape metrics on neural representations*
    (the ``alpha`` of their package netrep).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, Q = rng.normal(size=(50, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> fitted = PartialWhitening(alpha=0.5, normalize="none").fit(X, X @ Q)
    >>> bool(np.allclose(fitted.matrix_, Q)), round(abs(fitted.distance_), 6)
    (True, 0.0)
    """

    _learned = ("singular_values_", "distance_")

    def __init__(
        self,
        *,
        alpha: float = 0.5,
        regularization: Regularization = "auto",
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.alpha = alpha
        self.regularization: Regularization = regularization

    def _check_params(self) -> None:
        super()._check_params()
        check_amount("alpha", self.alpha)
        check_regularization(self.regularization)
        if self.alpha > 1:
            raise ParameterError(f"alpha is {self.alpha!r}; give a number from 0 (CCA) to 1 (Procrustes).")

    def _solve(self, moments: Moments) -> None:
        xx, xy, yy = moments.about_origin()
        units = [float(np.trace(product)) / len(product) or 1.0 for product in (xx, yy)]
        whiten_x, energy_x, _ = self._whitening(xx / units[0], moments.weight)
        whiten_y, energy_y, colour_y = self._whitening(yy / units[1], moments.weight)
        U, s, Vt = thin_svd(whiten_x @ (xy / np.sqrt(units[0] * units[1])) @ whiten_y)
        self.singular_values_ = s
        energy = np.sqrt(energy_x * energy_y)
        self.distance_ = float(np.arccos(min(1.0, s.sum() / energy))) if energy > 0 else 0.0
        self.source_projection_ = whiten_x @ U @ Vt
        self.target_projection_ = None if self.alpha == 1 else whiten_y
        self.matrix_ = self.source_projection_ @ colour_y

    def _whitening(self, product: np.ndarray, weight: float) -> tuple[np.ndarray, float, np.ndarray]:
        """Return ``Z``, the squared length of the whitened side, and the (pseudo-)inverse of ``Z``."""
        if self.alpha == 1:
            return np.eye(len(product)), float(np.trace(product)), np.eye(len(product))
        spectrum = Spectrum.of(product)
        shift = added_eigenvalue(self.regularization, product, weight)
        factors = self.alpha + (1 - self.alpha) / np.sqrt(spectrum.values + shift)
        empty = np.eye(len(product)) - spectrum.vectors @ spectrum.vectors.T
        whiten = (spectrum.vectors * factors) @ spectrum.vectors.T + self.alpha * empty
        colour = (spectrum.vectors / factors) @ spectrum.vectors.T
        if self.alpha > 0:
            colour += empty / self.alpha
        return whiten, float(spectrum.values @ factors**2), colour
