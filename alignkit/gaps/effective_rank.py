"""Effective rank of each cloud: over how many directions its variance is spread (Roy and Vetterli 2007)."""

import numpy as np

from alignkit.gaps._spectral import Spectral
from alignkit.shapes import Vectors


def effective_rank(rows: Vectors) -> float:
    """Return the effective rank of the covariance of one cloud of unit rows.

    Examples
    --------
    >>> round(effective_rank(np.concatenate([np.eye(3), -np.eye(3)])), 6)
    3.0
    """
    return EffectiveRank.of_cloud(rows)


class EffectiveRank(Spectral):
    r"""Return, for each side, :math:`\exp(-\sum p_k \log p_k)` of the eigenvalue shares of its covariance.

    Between 1 (all variance along one line) and the number of dimensions (a sphere); never above n - 1, so
    small samples understate it: compare sides at equal numbers of rows, and read the curve. A cloud without
    variance has 0. No pairs needed. The null level, of random splits of the pooled rows, is the rank of both
    together.

    References
    ----------
    Roy and Vetterli (2007), *The effective rank: a measure of effective dimensionality*.

    Examples
    --------
    >>> rows = np.concatenate([np.eye(3), -np.eye(3)])
    >>> round(EffectiveRank().measure(rows, rows), 6)
    3.0
    """

    limits = (0.0, np.inf)

    def _of_side(self, eigenvalues: np.ndarray, dim: int) -> float:  # noqa: ARG002
        total = eigenvalues.sum()
        if total <= 0:
            return 0.0
        shares = eigenvalues[eigenvalues > 0] / total
        return float(np.exp(-(shares * np.log(shares)).sum()))
