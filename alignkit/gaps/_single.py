"""Measures with one value, an interval of their own, and a null level in closed form."""

from abc import abstractmethod

import numpy as np

from alignkit.gaps._base import HEADLINE, Measure
from alignkit.gaps._clouds import Clouds
from alignkit.reports import Score


class Single(Measure):
    """Fill `Measure` for one value; a leaf gives the value, its null level and band, and its interval."""

    def _values(self, clouds: Clouds) -> dict[str, float]:
        return {HEADLINE: float(self._value(clouds))}

    def _scores(self, clouds: Clouds, seed: int, resamples: int) -> dict[str, Score]:
        value = float(self._value(clouds))
        low, high = self._interval(clouds, value, seed, resamples)
        chance = float(self._chance(clouds))
        ends = np.clip(self._band(clouds, chance, seed), *self.limits)
        return {
            HEADLINE: Score(
                value,
                low,
                high,
                n=clouds.n_items,
                chance=chance,
                chance_low=float(ends[0]),
                chance_high=float(ends[1]),
            )
        }

    @abstractmethod
    def _value(self, clouds: Clouds) -> float: ...

    @abstractmethod
    def _chance(self, clouds: Clouds) -> float: ...

    @abstractmethod
    def _band(self, clouds: Clouds, chance: float, seed: int) -> tuple[float, float]: ...

    @abstractmethod
    def _interval(self, clouds: Clouds, value: float, seed: int, resamples: int) -> tuple[float, float]: ...
