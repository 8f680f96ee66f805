"""IsoScore: how evenly each cloud fills the dimensions of its space (Rudman et al. 2022)."""

import numpy as np

from alignkit.gaps._spectral import Spectral
from alignkit.shapes import Vectors


def isotropy(rows: Vectors) -> float:
    """Return the IsoScore of one cloud of unit rows.

    Examples
    --------
    >>> round(isotropy(np.concatenate([np.eye(3), -np.eye(3)])), 6)
    1.0
    """
    return Isotropy.of_cloud(rows)


class Isotropy(Spectral):
    r"""Return, for each side, its IsoScore: the share of dimensions that the variance fills evenly.

    In [0, 1]: 0 where all variance lies along one line, 1 where it is the same in all d directions. The
    eigenvalues are scaled to length :math:`\sqrt d`, their distance to :math:`(1, ..., 1)` is divided by its
    largest value (the *isotropy defect* :math:`\delta`), and :math:`k = (d - \delta^2 (d - \sqrt d))^2 / d`
    dimensions give :math:`(k - 1) / (d - 1)`. The mean plays no part: see `cone`. Understated by samples
    smaller than d. No pairs needed; the null level is that of random splits of the pooled rows.

    References
    ----------
    Rudman et al. (2022), *IsoScore: measuring the uniformity of embedding space utilization*, algorithm 1.

    Examples
    --------
    >>> line = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0], [1.0, 4.0]])
    >>> Isotropy().measure(line, line) < 0.1
    True
    """

    limits = (0.0, 1.0)

    def _of_side(self, eigenvalues: np.ndarray, dim: int) -> float:
        length = float(np.sqrt((eigenvalues**2).sum()))
        if dim < 2 or length <= 0:
            return 0.0
        # ||scaled - 1||^2 = 2 d - 2 sqrt(d) sum / length: eigenvalues beyond the rows are 0 and need no place
        defect = (2 * dim - 2 * np.sqrt(dim) * eigenvalues.sum() / length) / (2 * (dim - np.sqrt(dim)))
        filled = (dim - defect * (dim - np.sqrt(dim))) ** 2 / dim
        return float(np.clip((filled - 1) / (dim - 1), 0, 1))
