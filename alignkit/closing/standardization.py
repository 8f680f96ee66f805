"""Give every dimension of each modality mean 0 and deviation 1 (I0T as its text has it, An et al. 2025)."""

import numpy as np

from alignkit.closing._base import ROUNDING, Fix, Side
from alignkit.shapes import SourceRows, TargetRows, Vectors


class Standardization(Fix):
    r"""Return :math:`N((x - \lambda\mu_x) / \sigma_x^\lambda)`, likewise for y, dimension by dimension.

    Means and deviations are those of the training rows of the modality. A dimension in which they do not
    vary keeps its scale. The authors' code leaves the deviations out: that is `centring`.

    References
    ----------
    An et al. (2025), *I0T: Embedding Standardization Method Towards Zero Modality Gap*, ACL.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(2000, 3)) * [9, 3, 1]
    >>> after = Standardization().fit(x, x).apply_source(x, 1.0)
    >>> after.std(axis=0).round(1).tolist()  # it was [0.8, 0.5, 0.2] of the unit rows
    [0.7, 0.5, 0.4]
    """

    def _fit(self, x: SourceRows, y: TargetRows) -> None:
        spreads = {"source": x.std(axis=0), "target": y.std(axis=0)}
        self.spreads_ = {side: np.where(spread > ROUNDING, spread, 1.0) for side, spread in spreads.items()}

    def _moved(self, rows: Vectors, side: Side, strength: float) -> Vectors:
        return (rows - strength * self.means_[side]) / self.spreads_[side] ** strength
