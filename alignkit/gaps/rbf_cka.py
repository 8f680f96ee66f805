"""Centred kernel alignment of the two sides under a Gaussian kernel (Kornblith et al. 2019)."""

from typing import ClassVar

import numpy as np

from alignkit.gaps._dependence import OnDependence
from alignkit.shapes import SourceRows, TargetRows

BANDWIDTH = 1.0  # of Huh et al.'s code, for unit rows


def rbf_cka(x: SourceRows, y: TargetRows) -> float:
    """Return the centred kernel alignment, without bias, of rows of which row i of x belongs to row i of y.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 4))
    >>> round(rbf_cka(x, -x), 6)
    1.0
    """
    return RbfCka().measure(x, y)


class RbfCka(OnDependence):
    r"""Return :math:`HSIC(K, L) / \sqrt{HSIC(K, K) HSIC(L, L)}` with :math:`K_{ij} = e^{-|x_i - x_j|^2 / 2}`.

    In [-1, 1]: 1 means that the distances within one side are those within the other, 0 that partners share
    nothing. It compares each side with itself, so it does not see where the sides lie. HSIC is the
    unbiased estimate; part ``biased`` takes the usual one, in [0, 1], which is far above 0 for unrelated rows
    where they are few (0.5 for 40 rows of 16 dimensions). Rows are normalised first, and the bandwidth is 1:
    rows at right angles have the kernel 1/e. Needs pairs; the null level is that of permuted pairs. One pair
    an item is measured, at most 2,000 (a seeded sample), because every row meets every other.

    References
    ----------
    Kornblith et al. (2019), *Similarity of neural network representations revisited*; Song et al. (2012),
    *Feature selection via dependence maximization*, eq. 5; Huh et al. (2024), *The platonic
    representation hypothesis*.

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 40, 16))
    >>> {part: round(value, 1) for part, value in RbfCka().measure_parts(x, y).items()}
    {'': -0.0, 'biased': 0.5}
    """

    part_limits: ClassVar = {"biased": (0.0, 1.0)}
    default = False
    diagonal = 1.0

    def _kernel(self, cosines: np.ndarray) -> np.ndarray:
        return np.exp((cosines - 1) / BANDWIDTH**2)  # the squared distance of unit rows is 2 - 2 cos
