"""Participation ratio of each cloud's variance: an effective number of dimensions (Gao et al. 2017)."""

import numpy as np

from alignkit.gaps._spectral import Spectral
from alignkit.shapes import Vectors


def participation_ratio(rows: Vectors) -> float:
    """Return the participation ratio of the covariance of one cloud of unit rows.

    Examples
    --------
    >>> round(participation_ratio(np.concatenate([np.eye(3), -np.eye(3)])), 6)
    3.0
    """
    return ParticipationRatio.of_cloud(rows)


class ParticipationRatio(Spectral):
    r"""Return, for each side, :math:`(\sum \lambda_k)^2 / \sum \lambda_k^2` of its covariance's eigenvalues.

    Between 1 (a line) and the number of dimensions (a sphere); it follows the large eigenvalues more than
    `effective_rank` does, and is understated by small samples. A cloud without variance has 0. No pairs
    needed. The null level, of random splits of the pooled rows, is the ratio of both together.

    References
    ----------
    Gao et al. (2017), *A theory of multineuronal dimensionality, dynamics and measurement*.

    Examples
    --------
    >>> rows = np.concatenate([np.eye(3), -np.eye(3)])
    >>> round(ParticipationRatio().measure(rows, rows), 6)
    3.0
    """

    limits = (0.0, np.inf)

    def _of_side(self, eigenvalues: np.ndarray, dim: int) -> float:  # noqa: ARG002
        squares = float((eigenvalues**2).sum())
        return float(eigenvalues.sum() ** 2 / squares) if squares > 0 else 0.0
