"""How narrow the cone is in which each modality lies (Liang et al. 2022; Ethayarajh 2019)."""

import numpy as np

from alignkit.errors import DataError
from alignkit.gaps._clouds import unit_rows
from alignkit.gaps._on_sums import OnSums
from alignkit.gaps._sums import Sums
from alignkit.shapes import Vectors


def cone(rows: Vectors) -> tuple[float, float]:
    """Return the mean cosine between different rows of one cloud, and their mean cosine to their mean.

    Raises
    ------
    DataError
        If there are fewer than two rows, or one has no direction.

    Examples
    --------
    >>> cone(np.eye(2))
    (0.0, 0.70...)
    """
    if len(rows) < 2:
        raise DataError(f"a cone needs two rows or more, got {len(rows)}.")
    total = unit_rows(rows).sum(axis=0, dtype=np.float64)
    n = len(rows)
    return float((total @ total - n) / (n * (n - 1))), float(np.linalg.norm(total) / n)


class Cone(OnSums):
    r"""Return, for each side, the mean cosine between its rows, and that of its rows to their mean.

    Parts ``source`` and ``target`` (:math:`\frac{1}{n(n-1)}\sum_{i \ne j} \cos(x_i, x_j)`, in [-1, 1],
    unbiased) and ``source_to_mean``, ``target_to_mean`` (:math:`\lVert \bar x \rVert` of unit rows, in
    [0, 1], too large in small samples). 0 means that rows point everywhere, 1 that they are one point.
    Closed form, linear in rows. No pairs needed. The null level, of random splits of the pooled rows, is
    the cone of both together.

    References
    ----------
    Liang et al. (2022), *Mind the Gap*, section 3; Ethayarajh (2019), *How contextual are contextualized
    word representations?*

    Examples
    --------
    >>> Cone().measure_parts(np.ones((3, 2)), np.eye(3, 2) + 1)["source"].__round__(6)
    1.0
    """

    parts = ("source", "target", "source_to_mean", "target_to_mean")
    limits = (-1.0, 1.0)

    def _of(self, read: Sums) -> dict[str, float]:
        first, second = read.mean_cosines
        lengths = (float(np.linalg.norm(mean)) for mean in read.means)
        return dict(zip(self.parts, (first, second, *lengths), strict=True))
