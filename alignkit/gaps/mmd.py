"""Maximum mean discrepancy between the clouds, squared and without bias (Gretton et al. 2012)."""

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._kernel_sums import KernelMeans
from alignkit.gaps._on_kernel import OnKernel
from alignkit.shapes import SourceRows, TargetRows


def mmd(x: SourceRows, y: TargetRows) -> float:
    """Return the unbiased squared maximum mean discrepancy of unit rows; no pairs needed.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(50, 8))
    >>> mmd(x + 9, x - 9) > 1.9
    True
    """
    return Mmd().measure(x, y)


class Mmd(OnKernel):
    r"""Return :math:`E\,k(x, x') + E\,k(y, y') - 2 E\,k(x, y)` over different rows, Gaussian kernel.

    In [-2, 2]: 0 on average where both sides are samples of one distribution, at every sample size, so it may
    fall below 0; above it differences of any kind count, not only of means. The kernel is fixed,
    :math:`e^{-2 \lVert x - y \rVert^2} = e^{4 (\cos - 1)}`, so numbers of two spaces compare. No pairs
    needed. Beyond 5,000 rows a side a seeded sample is used; the pass is blocked, and one pass serves the
    interval and the null band.

    References
    ----------
    Gretton et al. (2012), *A kernel two-sample test*, lemma 6.

    Examples
    --------
    >>> import numpy as np
    >>> round(Mmd().measure(np.ones((9, 1)), -np.ones((9, 1))), 3)
    1.999
    """

    limits = (-2.0, 2.0)
    degenerate = True

    def _of(self, read: KernelMeans) -> dict[str, float]:
        return {HEADLINE: read.x + read.y - 2 * read.across}
