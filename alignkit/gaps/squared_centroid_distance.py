"""Unbiased squared distance between the two modality means."""

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._on_sums import OnSums
from alignkit.gaps._sums import Sums
from alignkit.shapes import SourceRows, TargetRows


def squared_centroid_distance(x: SourceRows, y: TargetRows) -> float:
    """Return the squared distance between the means of unit rows, without what sampling adds; no pairs.

    Examples
    --------
    >>> import numpy as np
    >>> same = np.random.default_rng(0).normal(size=(2, 200, 16))
    >>> abs(squared_centroid_distance(*same)) < 0.01
    True
    """
    return SquaredCentroidDistance().measure(x, y)


class SquaredCentroidDistance(OnSums):
    r"""Return an unbiased estimate of :math:`\lVert E[x] - E[y] \rVert^2` for unit rows.

    At most 4; 0 on average where there is no gap, at every sample size, so it may fall below 0. Only
    products of rows of *different items* enter: :math:`\lVert \sum_i a_i \rVert^2 - \sum_i \lVert a_i
    \rVert^2`, times N/(N - 1), with :math:`a_i` what item i adds to the difference of the means. For pairs
    that is :math:`\lVert\bar x - \bar y\rVert^2 - tr\,Cov(x - y)/n`; without pairs each side's own products
    are taken out. Pairs are not needed; where they are known, partners are one item. `centroid_distance` is
    the familiar length, which shows a gap where none is.

    References
    ----------
    Gretton et al. (2012), *A kernel two-sample test*, lemma 6, with the linear kernel.

    Examples
    --------
    >>> import numpy as np
    >>> SquaredCentroidDistance().measure(np.ones((9, 1)), -np.ones((9, 1)))
    4.0
    """

    limits = (-4.0, 4.0)
    degenerate = True

    def _of(self, read: Sums) -> dict[str, float]:
        x, y = read.means
        if not read.links:
            within = sum(read.mean_cosines)
            return {HEADLINE: float(within - 2 * (x @ y))}
        apart = x - y
        own = read.xx / read.n**2 + read.yy / read.m**2 - 2 * read.xy / (read.n * read.m)
        return {HEADLINE: float((apart @ apart - own) * read.items / (read.items - 1))}
