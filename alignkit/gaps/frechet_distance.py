"""Fréchet distance between the clouds, split into what the means and what the covariances add."""

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._on_spectra import OnSpectra
from alignkit.gaps._spectra import Spectra
from alignkit.shapes import SourceRows, TargetRows


def frechet_distance(x: SourceRows, y: TargetRows) -> float:
    """Return the squared Fréchet distance of the normal distributions with the moments of unit rows.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(40, 4))
    >>> abs(frechet_distance(x, x)) < 1e-9
    True
    """
    return FrechetDistance().measure(x, y)


class FrechetDistance(OnSpectra):
    r"""Return :math:`\lVert \mu_x - \mu_y \rVert^2 + tr(\Sigma_x + \Sigma_y - 2 (\Sigma_x \Sigma_y)^{1/2})`.

    In [0, 4] for unit rows. Part ``mean`` is the first term, which moving one cloud removes, and
    ``covariance`` the second, which it cannot. Covariances are divided by n - 1. No pairs needed. Samples of
    one cloud do not share their covariances, so the value is above 0 where there is no gap, and far above
    where rows are fewer than dimensions: compare with the null level of random splits of the same sizes.
    The square root is taken through eigenvalues of a symmetric product; no matrix root is formed.

    References
    ----------
    Dowson and Landau (1982), *The Fréchet distance between multivariate normal distributions*.

    Examples
    --------
    >>> import numpy as np
    >>> FrechetDistance().measure_parts(np.ones((9, 1)), -np.ones((9, 1)))
    {'': 4.0, 'mean': 4.0, 'covariance': 0.0}
    """

    parts = (HEADLINE, "mean", "covariance")
    limits = (0.0, 4.0)

    def _of(self, read: Spectra) -> dict[str, float]:
        apart = read.mean_x - read.mean_y
        mean = float(apart @ apart)
        covariance = max(float(read.x.sum() + read.y.sum() - 2 * read.overlap), 0.0)
        return {HEADLINE: mean + covariance, "mean": mean, "covariance": covariance}
