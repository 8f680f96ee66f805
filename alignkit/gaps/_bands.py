"""Null levels and bands of a measure, from a few values where there is no gap."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from alignkit.statistics.blocks import LEVEL


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
