"""Find the variates that all spaces agree on: generalised canonical correlation (Kettenring 1971, MAXVAR)."""

from collections.abc import Sequence

import numpy as np
import scipy.linalg

from alignkit._params import check_amount, check_count
from alignkit.aligners._frame import Normalize
from alignkit.aligners._placement import Placement
from alignkit.aligners._spectrum import (
    Regularization,
    Spectrum,
    added_eigenvalue,
    check_regularization,
    fixed_signs,
)
from alignkit.errors import DataError, ParameterError
from alignkit.joint._base import JointAligner
from alignkit.joint._products import Products
from alignkit.rows import Rows
from alignkit.shapes import Labels


class GeneralizedCCA(JointAligner):
    r"""Find the variates that are best predicted from every space at once, in closed form.

    The order is: normalise every side; whiten each, with ``regularization`` times the mean eigenvalue
    added to every eigenvalue; take the leading eigenvectors of the whitened products of all spaces (a
    matrix as wide as all dimensions together); scale each variate by the mean correlation ``s`` of the
    spaces in it to the power ``exponent``. A space that knows nothing of a variate gets a small weight in
    it, so an unrelated space costs the others little. Out of the frame leads the
    prediction of the space's rows from the variates; it is no exact inverse.

    An item that some spaces lack counts in the spaces that hold it, with weight one over their number:
    this is MAXVAR with missing rows (van de Velden and Takane 2012), and no row is made up. Two spaces
    give exactly `cca` with the same options. Products are summed by BLAS, so another number of threads may
    change the last bits.

    Parameters
    ----------
    n_components
        Variates kept; None keeps as many as the second largest space has dimensions, for no more can be
        shared by it and another. Fewer are kept where fewer are correlated.
    regularization
        Share of the mean eigenvalue added to each side's spectrum; 0 is the classical method. ``"auto"``
        is each side's dimensions per item, at most 1, as in `cca`.
    exponent
        0 weighs all variates alike; 1 weighs them by their correlation.
    normalize
        The frames; see `FramedAligner`.

    Attributes
    ----------
    correlations_
        For every variate the mean correlation of two spaces that hold the same items.

    Raises
    ------
    ParameterError
        If ``n_components`` exceeds the dimensions of all spaces together.

    References
    ----------
    Kettenring (1971), *Canonical analysis of several sets of variables*, MAXVAR; missing rows: van de
    Velden and Takane (2012), *Generalized canonical correlation analysis with missing values*. The ridge
    (Vinod 1976) stands on the diagonal of the products as well, so that two spaces give regularised CCA.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shared = rng.normal(size=(200, 2))
    >>> spaces = [np.hstack([shared, rng.normal(size=(200, 3))]) for _ in range(3)]
    >>> fitted = GeneralizedCCA(n_components=3, regularization=0, normalize="center").fit(spaces)
    >>> np.round(fitted.correlations_[:2], 6).tolist(), bool(fitted.correlations_[2] < 0.3)
    ([1.0, 1.0], True)
    """

    def __init__(
        self,
        *,
        n_components: int | None = None,
        regularization: Regularization = "auto",
        exponent: float = 1.0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        self.n_components = n_components
        self.regularization: Regularization = regularization
        self.exponent = exponent
        self.normalize: Normalize = normalize

    def _check_params(self) -> None:
        check_regularization(self.regularization)
        check_amount("exponent", self.exponent)
        if self.n_components is not None:
            check_count("n_components", self.n_components, least=1)

    def _fit(self, sides: Sequence[Rows], rows: np.ndarray, groups: Labels | None) -> None:  # noqa: ARG002
        dims = [side.shape[1] for side in sides]
        if self.n_components is not None and self.n_components > sum(dims):
            raise ParameterError(
                f"n_components is {self.n_components}, but all spaces together have {sum(dims)} dimensions: "
                "choose fewer."
            )
        wanted = sorted(dims)[-2] if self.n_components is None else self.n_components
        frames = self._frames(sides, rows)
        products = Products.of(sides, rows, frames)
        spectra = [Spectrum.of(own) for own in products.own]
        shifts = [
            added_eigenvalue(self.regularization, own, float(count))
            for own, count in zip(products.own, products.counts, strict=True)
        ]
        whiteners = [s.power(-0.5, shift) for s, shift in zip(spectra, shifts, strict=True)]
        whitened = _whitened(products, whiteners, shifts)
        variates, self.correlations_ = _leading(whitened, products, wanted)
        inward = self.correlations_**self.exponent
        outward = self.correlations_ ** (1 - self.exponent)
        maps = []
        for i, (frame, spectrum) in enumerate(zip(frames, spectra, strict=True)):
            own = variates[products.part(i)] * np.sqrt(len(sides))
            matrix, back = (whiteners[i] @ own) * inward, spectrum.power(0.5, shifts[i]) @ own * outward
            maps.append(Placement.of("gcca", frame, matrix, np.ascontiguousarray(back.T)))
        self.maps_ = tuple(maps)


def _whitened(products: Products, whiteners: list[np.ndarray], shifts: list[float]) -> np.ndarray:
    """Return the products of whitened rows; what is added to a spectrum is added to its products as well."""
    whole = np.empty_like(products.whole)
    for i, left in enumerate(whiteners):
        for j, right in enumerate(whiteners[: i + 1]):
            block = products.block(i, j)
            if i == j:
                block = block + shifts[i] * products.shares[i] / products.counts[i] * np.eye(len(block))
            block = left @ block @ right
            whole[products.part(i), products.part(j)] = block
            whole[products.part(j), products.part(i)] = block.T
    return whole


def _leading(whitened: np.ndarray, products: Products, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the leading eigenvectors and, for each, the mean correlation of the spaces in it."""
    size = len(whitened)
    first = max(0, size - wanted)
    values, vectors = scipy.linalg.eigh(whitened, subset_by_index=(first, size - 1), driver="evr")
    values, vectors = values[::-1], vectors[:, ::-1]
    own = np.zeros_like(values)  # what each space would contribute if it agreed with no other
    for i in range(len(products.own)):
        part = vectors[products.part(i)]
        own += np.sum(part * (whitened[products.part(i), products.part(i)] @ part), axis=0)
    agreement = values - own
    kept = agreement > max(float(agreement[0]), 0.0) * size * 4 * np.finfo(np.float64).eps
    if not kept.any():
        raise DataError(
            "no direction of any space correlates with another space: the items do not belong together, or "
            "there are too few."
        )
    correlations = agreement[kept] / (1 - own[kept])
    return fixed_signs(vectors[:, kept])[0], correlations
