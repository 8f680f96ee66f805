"""Intervals and null bands from a few replicas of a measure."""

import numpy as np
from scipy.special import stdtrit

from alignkit.gaps._jackknife import jackknife_variance

LEVEL = 0.95


def student_interval(
    value: float, left_out: np.ndarray, limits: tuple[float, float], null_variance: float = 0.0
) -> tuple[float, float]:
    """Return Student's interval with the variance of a delete-a-block jackknife, cut at the range's ends.

    Where nothing is to be found, a squared distance between samples is a *degenerate* U-statistic, and the
    jackknife gives twice its variance (Efron and Stein 1981): what the nulls vary by is then taken off,
    but never more than half.

    Examples
    --------
    >>> low, high = student_interval(0.5, np.linspace(0.49, 0.51, 20), (0, 1))
    >>> round(low, 3), round(high, 3)
    (0.445, 0.555)
    """
    found = jackknife_variance(left_out)
    half = float(stdtrit(len(left_out) - 1, (1 + LEVEL) / 2)) * np.sqrt(max(found - null_variance, found / 2))
    return float(np.clip(value - half, *limits)), float(np.clip(value + half, *limits))


def null_band(nulls: np.ndarray, limits: tuple[float, float]) -> tuple[float, float, float]:
    """Return the mean of a few null values and the band in which one more of them falls (95 %).

    Examples
    --------
    >>> [round(end, 3) for end in null_band(np.array([0.1, 0.2, 0.3]), (0, 1))]
    [0.2, 0.0, 0.697]
    """
    mean = float(nulls.mean())
    few = len(nulls)
    half = float(stdtrit(few - 1, (1 + LEVEL) / 2)) * float(nulls.std(ddof=1)) * np.sqrt(1 + 1 / few)
    return mean, float(np.clip(mean - half, *limits)), float(np.clip(mean + half, *limits))
