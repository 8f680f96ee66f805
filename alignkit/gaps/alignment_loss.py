"""Mean squared distance between partners (Wang and Isola 2020)."""

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._on_sums import OnSums
from alignkit.gaps._replicated import PERMUTATIONS
from alignkit.gaps._sums import Sums
from alignkit.shapes import SourceRows, TargetRows


def alignment_loss(x: SourceRows, y: TargetRows) -> float:
    """Return the mean squared distance of row i of x to row i of y, rows at length 1.

    Examples
    --------
    >>> import numpy as np
    >>> alignment_loss(np.eye(3), np.eye(3)[[1, 2, 0]])
    2.0
    """
    return AlignmentLoss().measure(x, y)


class AlignmentLoss(OnSums):
    r"""Return the mean squared distance of linked unit rows, :math:`\frac1m \sum \lVert x_i - y_i \rVert^2`.

    In [0, 4]; equal to 2 less twice the mean cosine of partners. Needs pairs. Read it beside
    `uniformity`: a collapsed space is perfectly aligned. The null level is that of permuted pairs.

    References
    ----------
    Wang and Isola (2020), *Understanding contrastive representation learning through alignment and
    uniformity on the hypersphere*, equation 3 with exponent 2.

    Examples
    --------
    >>> import numpy as np
    >>> AlignmentLoss().measure(np.eye(3), -np.eye(3))
    4.0
    """

    needs_pairs = True
    null = PERMUTATIONS
    limits = (0.0, 4.0)

    def _of(self, read: Sums) -> dict[str, float]:
        return {HEADLINE: 2 - 2 * read.cosine / read.links}
