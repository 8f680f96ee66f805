"""Subtract each modality's own mean (C3's "collapse", Zhang et al. 2024; what I0T's code does)."""

from alignkit.closing._base import Fix, Side
from alignkit.shapes import Vectors


class Centring(Fix):
    r"""Return :math:`N(x - \lambda\mu_x)` and :math:`N(y - \lambda\mu_y)`, the means of training rows.

    It takes away what all rows of a modality share: the gap, and the cone that the modality lies in. Unlike
    `shift` it treats each side for itself, so it needs no partners and no target to move to.

    References
    ----------
    Zhang, Sui and Yeung-Levy (2024), *Connect, Collapse, Corrupt* (C3), section 3.3. An et al. (2025),
    *I0T*, whose text says "standardization" and whose code (``remove_artifact_features``) subtracts the
    mean and divides by nothing; see `standardization`.

    Examples
    --------
    >>> fix = Centring().fit(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[-1.0, 0.0], [0.0, -1.0]]))
    >>> fix.apply_source(np.array([[1.0, 0.0]]), 1.0).round(4).tolist()
    [[0.7071, -0.7071]]
    """

    def _moved(self, rows: Vectors, side: Side, strength: float) -> Vectors:
        return rows - strength * self.means_[side]
