"""Intervals from values with one block left out each time: right where no row may be drawn twice."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

from alignkit.shapes import Labels

LEVEL = 0.95
ROUNDING = 1e-12
KNEE = 2.0  # where the saturating scale has fallen to half: intervals of hubness hold best near here


def dealt(count: int, blocks: int, seed: Sequence[int]) -> Labels:
    """Return the block of each of ``count`` rows or items: of one size as far as it goes, dealt at random."""
    return np.random.default_rng(seed).permutation(np.arange(count) % min(blocks, count))


def jackknife_variance(left_out: np.ndarray) -> float:
    """Return the variance of an estimate from its values with one block of equal size left out each time."""
    blocks = len(left_out)
    return float((blocks - 1) / blocks * ((left_out - left_out.mean()) ** 2).sum())


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
    half = _student(left_out) * np.sqrt(max(found - null_variance, found / 2))
    return float(np.clip(value - half, *limits)), float(np.clip(value + half, *limits))


def saturating_interval(
    value: float, left_out: np.ndarray, limits: tuple[float, float]
) -> tuple[float, float]:
    """Return Student's interval on the scale a / (1 + abs(a) / 2): for what varies the more the larger it is.

    Few rows make a large skewness, so it is known the worse the larger it is: on its own scale the intervals
    of samples that fell low are too short. An end that this scale puts at infinity is cut at ``limits``.

    Examples
    --------
    >>> low, high = saturating_interval(3.0, np.linspace(2.8, 3.2, 20), (-20, 20))
    >>> round(low, 2), round(high, 2)
    (2.09, 4.43)
    """
    middle, without = _saturated(np.asarray(value)), _saturated(left_out)
    half = _student(without) * np.sqrt(jackknife_variance(without))
    low, high = np.clip([middle - half, middle + half], *_saturated(np.array(limits)))
    return float(low / (1 - abs(low) / KNEE)), float(high / (1 - abs(high) / KNEE))


def _saturated(values: np.ndarray) -> np.ndarray:
    return values / (1 + np.abs(values) / KNEE)


def _student(left_out: np.ndarray) -> float:
    return float(stdtrit(len(left_out) - 1, (1 + LEVEL) / 2))


def wilson_interval(share: float, variance: float, n: int) -> tuple[float, float]:
    """Return Wilson's interval for a share with the number of independent rows that its variance implies.

    That number is never above ``n``, so a share of exactly 0 or 1, whose variance is 0, keeps an interval
    (Korn and Graubard 1998).

    Examples
    --------
    >>> [round(end, 4) for end in wilson_interval(1.0, 0.0, 500)]
    [0.9924, 1.0]
    """
    spread = share * (1 - share)
    # a share that rounding keeps from 0 or 1 has a variance of rounding: their quotient means nothing
    effective = min(n, max(1.0, spread / variance)) if variance > 0 and spread > ROUNDING else n
    z = float(ndtri((1 + LEVEL) / 2))
    scale = 1 + z * z / effective
    centre = (share + z * z / (2 * effective)) / scale
    half = z / scale * np.sqrt(spread / effective + z * z / (4 * effective**2))
    return float(max(0.0, min(centre - half, share))), float(min(1.0, max(centre + half, share)))
