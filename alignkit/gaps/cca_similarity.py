"""Mean canonical correlation of the two sides (Hotelling 1936): what linear maps could bring together."""

import numpy as np

from alignkit.gaps._canonical import OnCanonical, orthonormal, triangular_whitener
from alignkit.gaps._clouds import Clouds
from alignkit.shapes import SourceRows, TargetRows, Vectors

ROWS_A_DIMENSION = 3


def cca_similarity(x: SourceRows, y: TargetRows) -> float:
    """Return the mean canonical correlation of rows of which row i of x belongs to row i of y.

    Raises
    ------
    DataError
        If there are fewer than three rows a dimension.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 4))
    >>> round(cca_similarity(x, -x), 6)
    1.0
    """
    return CcaSimilarity().measure(x, y)


class CcaSimilarity(OnCanonical):
    r"""Return :math:`\frac1r \sum_i \rho_i` over all r canonical correlations of the sides.

    In [0, 1]: 1 means that a linear map takes one side to the other. Part ``squared`` takes their squares. A
    linear map of either side changes nothing, so it sees no gap; directions of little variance count as much
    as the rest. It *overfits*: unrelated rows correlate, by force perfectly where dimensions are as many as
    rows, and still by the order of :math:`\sqrt{d / n}` beyond (0.44 for 2,000 rows of 512). The
    null band of permuted pairs is the honest baseline, and fewer than three rows a dimension are refused;
    `svcca` bears fewer. Rows are normalised first and centred; directions with less than 1e-10 of the largest
    variance do not count. Needs pairs, of which one an item is measured.

    References
    ----------
    Hotelling (1936), *Relations between two sets of variates*; Kornblith et al. (2019), *Similarity of neural
    network representations revisited* (both means, as CCA-rho and CCA-R²).

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 40, 8))
    >>> round(CcaSimilarity().measure(x, y), 1)  # unrelated
    0.3
    """

    def refusal_of(self, clouds: Clouds) -> str | None:
        """Return why this measure cannot be taken: it needs three rows a dimension."""
        dims = clouds.x.shape[1]
        fault = super().refusal_of(clouds)
        if fault is None and clouds.fewest < ROWS_A_DIMENSION * dims:
            return f"{dims} dimensions need {ROWS_A_DIMENSION * dims} pairs, and there are {clouds.fewest}"
        return fault

    def _coordinates(self, rows: Vectors) -> np.ndarray:
        return orthonormal(rows)

    def _whitener(self, covariance: np.ndarray, n: int) -> np.ndarray:  # noqa: ARG002
        return triangular_whitener(covariance)
