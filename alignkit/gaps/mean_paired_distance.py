"""Mean distance between partners (Schrodi et al. 2025: L2I)."""

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._on_sums import OnSums
from alignkit.gaps._replicated import PERMUTATIONS
from alignkit.gaps._sums import Sums
from alignkit.shapes import SourceRows, TargetRows


def mean_paired_distance(x: SourceRows, y: TargetRows) -> float:
    """Return the mean distance of row i of x to row i of y, rows at length 1.

    Examples
    --------
    >>> import numpy as np
    >>> round(mean_paired_distance(np.eye(3), np.eye(3)[[1, 2, 0]]), 4)
    1.4142
    """
    return MeanPairedDistance().measure(x, y)


class MeanPairedDistance(OnSums):
    r"""Return the mean distance of linked unit rows, :math:`\frac1m \sum \lVert x_i - y_i \rVert`.

    In [0, 2]: 0 means every row lies on its partner, 1.41 that partners are at right angles. Needs pairs.
    Like `mean_paired_cosine` it mixes the gap with how well pairs match; the null level is that of permuted
    pairs.

    References
    ----------
    Schrodi et al. (2025), *Two effects, one trigger*, ICLR: ``compute_l2i`` of the published code.

    Examples
    --------
    >>> import numpy as np
    >>> MeanPairedDistance().measure(np.eye(3), np.eye(3))
    0.0
    """

    needs_pairs = True
    null = PERMUTATIONS
    limits = (0.0, 2.0)

    def _of(self, read: Sums) -> dict[str, float]:
        return {HEADLINE: read.distance / read.links}
