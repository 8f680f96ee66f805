"""Take each modality's mean and covariance away, so that no direction is wider than another (ZCA)."""

import numpy as np
import scipy.linalg

from alignkit.closing._base import Fix, Side
from alignkit.shapes import SourceRows, TargetRows, Vectors


class Whitening(Fix):
    r"""Return :math:`N((x - \lambda\mu_x) (\Sigma_x + s_x I)^{-\lambda/2})`, likewise for y.

    The symmetric root keeps the axes, so that both modalities stay in their one space. To every eigenvalue
    of a side's covariance the share :math:`\min(1, d/n)` of their mean is added: by so much sampling
    scatters them (Marchenko and Pastur 1967), and with fewer training rows than dimensions the directions
    that no row spans would be blown up without end.

    References
    ----------
    Bell and Sejnowski (1997), *The "independent components" of natural scenes are edge filters* (ZCA).

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(2000, 3)) @ [[3, 0, 0], [2, 2, 0], [1, 0, 1]]
    >>> after = Whitening().fit(x, x).apply_source(x, 1.0)
    >>> [round(float(np.corrcoef(rows.T)[0, 1]), 2) for rows in (x, after)]
    [0.51, 0.14]
    """

    def _fit(self, x: SourceRows, y: TargetRows) -> None:
        self.spectra_ = {
            "source": _spectrum(x - self.means_["source"]),
            "target": _spectrum(y - self.means_["target"]),
        }

    def _moved(self, rows: Vectors, side: Side, strength: float) -> Vectors:
        values, vectors = self.spectra_[side]
        centred = rows - strength * self.means_[side]
        return ((centred @ vectors) * values ** (-strength / 2)) @ vectors.T


def _spectrum(centred: Vectors) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues of the covariance, raised as said above, and its eigenvectors."""
    n, d = centred.shape
    values, vectors = scipy.linalg.eigh(centred.T @ centred / n, driver="evd")
    mean = max(float(values.mean()), np.finfo(np.float64).tiny)  # all rows alike: nothing to whiten
    return np.maximum(values, 0.0) + min(1.0, d / n) * mean, vectors
