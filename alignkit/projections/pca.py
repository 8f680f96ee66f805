"""The two directions of largest variance of all rows (Pearson 1901)."""

import numpy as np

from alignkit.projections._base import Projection, principal_axes
from alignkit.shapes import SourceRows, TargetRows


class Pca(Projection):
    """Draw along the two principal components of both sides together.

    Where the gap is large the first axis follows it, but not exactly: `gap_axis` does.

    References
    ----------
    Pearson (1901), *On lines and planes of closest fit*.

    Examples
    --------
    >>> x = np.array([[3.0, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0]])
    >>> Pca().fit(x, x).transform([[1.0, 2, 5]]).tolist()
    [[1.0, 2.0]]
    """

    labels = ("first principal component", "second principal component")

    def _axes(self, x: SourceRows, y: TargetRows) -> np.ndarray:
        return principal_axes(np.concatenate([x, y]), 2)
