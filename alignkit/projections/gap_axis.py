"""The line through both centroids, and the largest variance at a right angle to it (Liang et al. 2022)."""

import numpy as np

from alignkit.errors import DataError
from alignkit.projections._base import Projection, principal_axes
from alignkit.shapes import SourceRows, TargetRows


class GapAxis(Projection):
    """Draw the modality gap in true length: x is the exact projection on the difference of the two means.

    The distance of the two clouds' means on the x axis *is* the centroid distance of the rows as they are
    given (normalise them first for the gap of directions). The second axis is the first principal component
    of what is left once that direction is taken out and each side is moved to its own mean.

    References
    ----------
    Liang et al. (2022), *Mind the Gap*, figure 1, with the first axis made exact.

    Examples
    --------
    >>> x = np.array([[2.0, 0, 0], [2, 1, 0], [2, -1, 0]])
    >>> GapAxis().fit(x, x - [4, 0, 0]).transform(x)[:, 0].tolist()
    [2.0, 2.0, 2.0]
    """

    labels = ("along the line through both means", "first component at a right angle to it")

    def _axes(self, x: SourceRows, y: TargetRows) -> np.ndarray:
        gap = x.mean(axis=0) - y.mean(axis=0)
        length = np.linalg.norm(gap)
        scale = np.sqrt(max((x**2).sum(axis=1).max(), (y**2).sum(axis=1).max()))
        if length <= 1e-12 * scale or length == 0:
            raise DataError(
                "both sides have the same mean, so no line runs through the two: use pca instead."
            )
        across = gap / length
        rest = np.concatenate([x - x.mean(axis=0), y - y.mean(axis=0)])
        rest = rest - np.outer(rest @ across, across)
        up = principal_axes(rest, 1)[0]
        up = up - (up @ across) * across
        if not np.linalg.norm(up) > 0.5:  # nothing is left of the rows: any right angle will do
            up = np.eye(len(across))[np.abs(across).argmin()]
            up = up - (up @ across) * across
        return np.stack([across, up / np.linalg.norm(up)])
