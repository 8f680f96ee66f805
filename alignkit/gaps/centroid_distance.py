"""Distance between the two modality means (Liang et al. 2022)."""

import numpy as np

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._bootstrap import item_draws, percentile_interval, resampled_means, sums_by_item
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._on_sums import Bootstrapped
from alignkit.gaps._splits import pooled_spread, squared_band
from alignkit.gaps._sums import Sums
from alignkit.shapes import Labels, SourceRows, TargetRows, Vectors


def centroid_distance(x: SourceRows, y: TargetRows) -> float:
    """Return the distance between the means of unit rows; no pairs needed.

    Examples
    --------
    >>> round(centroid_distance(np.eye(2), -np.eye(2)), 4)
    1.4142
    """
    return CentroidDistance().measure(x, y)


class CentroidDistance(Bootstrapped):
    r"""Return the distance between the means of the unit rows, :math:`\lVert \bar x - \bar y \rVert`.

    In [0, 2]: 0 means the clouds share a centre, 2 that each is one point and they sit at opposite poles.
    It says nothing about spread; see `relative_modality_gap`. Pairs are not needed.

    Two samples of *one* cloud do not share their means, so the value is above 0 where there is no gap,
    the more so the fewer rows: compare with the null level, the root mean square over all random splits of
    the pooled rows (closed form). Partners that nearly coincide share their sampling noise and may lie
    closer than that. The interval is a bootstrap by item and belongs to samples of this size.

    References
    ----------
    Liang et al. (2022), *Mind the Gap*, section 4.2.

    Examples
    --------
    >>> CentroidDistance().measure(np.eye(2), -np.eye(2)).__round__(4)
    1.4142
    """

    interval = "bootstrap by item"
    null = "random splits of the pooled rows, closed form"
    limits = (0.0, 2.0)

    def _of(self, read: Sums) -> dict[str, float]:
        x, y = read.means
        return {HEADLINE: float(np.linalg.norm(x - y))}

    def _chance(self, clouds: Clouds) -> float:
        return float(np.sqrt(pooled_spread(clouds)[0] * _shares(clouds)))

    def _band(self, clouds: Clouds, chance: float, seed: int) -> tuple[float, float]:  # noqa: ARG002
        low, high = squared_band(chance**2, 2 * pooled_spread(clouds)[1] * _shares(clouds) ** 2)
        return float(np.sqrt(low)), float(np.sqrt(high))

    def _interval(self, clouds: Clouds, value: float, seed: int, resamples: int) -> tuple[float, float]:
        x_sums, x_sizes = _side(clouds.x, clouds.x_items, clouds)
        y_sums, y_sizes = _side(clouds.y, clouds.y_items, clouds)
        replicates = []
        for x_counts, y_counts in item_draws(clouds, resamples, seed):
            x_means = resampled_means(x_counts, x_sums, x_sizes)
            y_means = resampled_means(y_counts, y_sums, y_sizes)
            replicates.append(np.linalg.norm(x_means - y_means, axis=1))
        return percentile_interval(np.concatenate(replicates), value, self.limits, clouds.n_items)


def _shares(clouds: Clouds) -> float:
    return 1 / len(clouds.x) + 1 / len(clouds.y)


def _side(rows: Vectors, items: Labels, clouds: Clouds) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of the rows of each item, and how many they are, in single precision."""
    size = len(rows) if clouds.links is None else clouds.n_items
    sums = sums_by_item(rows, items, size).astype(np.float32, copy=False)
    return sums, np.bincount(items, minlength=size).astype(np.float32)
