"""Distance correlation: do pairs of rows that lie far apart on one side do so on the other (Székely 2007)."""

from typing import ClassVar

import numpy as np

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._dependence import OnDependence, Overlap
from alignkit.shapes import SourceRows, TargetRows


def distance_correlation(x: SourceRows, y: TargetRows) -> float:
    """Return the bias-corrected squared distance correlation; row i of x belongs to row i of y.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 4))
    >>> round(distance_correlation(x, -x), 6)
    1.0
    """
    return DistanceCorrelation().measure(x, y)


class DistanceCorrelation(OnDependence):
    r"""Return :math:`dCov(x, y) / \sqrt{dCov(x, x)\, dCov(y, y)}` of the U-centred matrices of distances.

    In [-1, 1]: 1 means that one side is the other turned or mirrored, 0 that partners share nothing, in
    whatever form. It compares distances within one side with those within the other, as Gromov's distance
    between metric spaces does, so it needs no common space and does not see where the sides lie.
    The value is the bias-corrected *square* (Székely and Rizzo 2013), 0 on average for unrelated rows. Part
    ``biased`` is the square as first published, in [0, 1], which nears 1 for unrelated rows of many
    dimensions; its root is the sample distance correlation. Part ``mantel`` is the plain correlation of the
    distances of all pairs of rows. Distances are Euclidean between unit rows. Needs pairs; the null level is
    that of permuted pairs. One pair an item is measured, at most 2,000 (a seeded sample), because every row
    meets every other.

    References
    ----------
    Székely, Rizzo and Bakirov (2007), *Measuring and testing dependence by correlation of distances*; Székely
    and Rizzo (2013), *The distance correlation t-test of independence in high dimension*; Mantel (1967).

    Examples
    --------
    >>> x, y = np.random.default_rng(0).normal(size=(2, 40, 16))
    >>> {part: round(value, 1) for part, value in DistanceCorrelation().measure_parts(x, y).items()}
    {'': -0.0, 'biased': 0.6, 'mantel': -0.0}
    """

    parts = (HEADLINE, "biased", "mantel")
    part_limits: ClassVar = {"biased": (0.0, 1.0)}
    default = False
    diagonal = 0.0

    def _kernel(self, cosines: np.ndarray) -> np.ndarray:
        return np.sqrt(2 - 2 * cosines)

    def _of(self, read: Overlap) -> dict[str, float]:
        return super()._of(read) | {"mantel": read.correlation()}
