"""What random splits of the pooled rows do, in closed form."""

import numpy as np
from scipy.special import gammaincinv

from alignkit.gaps._clouds import Clouds

TAIL = 0.025


def pooled_spread(clouds: Clouds) -> tuple[float, float]:
    """Return the traces of the pooled covariance and of its square, both unbiased.

    The plain trace of the squared sample covariance is too large by a share of rows to dimensions: the
    products of a row with itself are taken out. Rows have length 1, so the mean tells the trace.
    """
    return clouds.once("pooled spread", lambda: _pooled_spread(clouds))


def squared_band(mean: float, variance: float) -> tuple[float, float]:
    """Return the band of a squared length of this mean and variance: a scaled chi-square (Satterthwaite).

    Examples
    --------
    >>> low, high = squared_band(1.0, 2 / 30)  # thirty dimensions
    >>> round(low, 2), round(high, 2)
    (0.56, 1.57)
    """
    if variance <= 0 or mean <= 0:
        return max(mean, 0.0), max(mean, 0.0)
    shape = mean**2 / variance
    low, high = (mean / shape * float(gammaincinv(shape, tail)) for tail in (TAIL, 1 - TAIL))
    return low, high


def _pooled_spread(clouds: Clouds) -> tuple[float, float]:
    count = len(clouds.x) + len(clouds.y)
    total = clouds.x.sum(axis=0, dtype=np.float64) + clouds.y.sum(axis=0, dtype=np.float64)
    mean = total / count
    trace = 1 - mean @ mean
    if count <= clouds.x.shape[1]:
        rows = np.concatenate([clouds.x, clouds.y]) - mean
        squared = float(((rows @ rows.T) ** 2).sum()) / count**2
        along = float(((rows @ mean) ** 2).sum()) / count
    else:
        products = (clouds.x.T @ clouds.x + clouds.y.T @ clouds.y).astype(np.float64)
        products = products / count - np.outer(mean, mean)
        squared = float((products**2).sum())
        along = float(mean @ products @ mean)
    apart = (count * squared - trace**2 - 4 * along) / (count - 1)  # of different rows only
    return max(trace * count / (count - 1), 0.0), float(np.clip(apart, trace**2 / len(mean), trace**2))
