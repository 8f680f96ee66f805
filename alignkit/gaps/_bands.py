"""Intervals and null bands from a few replicas of a measure."""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Level:
    """Hold what a measure shows where there is no gap: its mean, the 95 % band of one value, its variance."""

    chance: float
    low: float
    high: float
    variance: float

    @classmethod
    def drawn(cls, nulls: np.ndarray, limits: tuple[float, float]) -> "Level":
        """Return the level that a few null values show, and the band in which one more of them falls.

        Examples
        --------
        >>> level = Level.drawn(np.array([0.1, 0.2, 0.3]), (0, 1))
        >>> round(level.chance, 3), level.low, round(level.high, 3)
        (0.2, 0.0, 0.697)
        """
        few = len(nulls)
        spread = float(nulls.std(ddof=1))
        half = float(stdtrit(few - 1, (1 + LEVEL) / 2)) * spread * np.sqrt(1 + 1 / few)
        return cls.around(float(nulls.mean()), half, spread**2, limits)

    @classmethod
    def around(cls, chance: float, half: float, variance: float, limits: tuple[float, float]) -> "Level":
        """Return the level whose band reaches ``half`` to either side, cut at the range's ends."""
        low, high = np.clip([chance - half, chance + half], *limits)
        return cls(chance, float(low), float(high), variance)
