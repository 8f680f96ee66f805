"""What every measure of the gap offers: its value, an interval that is valid for it, and a null level."""

from abc import ABC, abstractmethod
from typing import ClassVar

from alignkit.errors import DataError
from alignkit.gaps._clouds import Clouds
from alignkit.reports import Score
from alignkit.shapes import SourceRows, TargetRows

RESAMPLES = 2_000


class Measure(ABC):
    """Compare two clouds of unit rows with one number; the module's name is the measure's name.

    ``needs_pairs`` says whether partners must be known, ``interval`` how its interval is made, ``null``
    what its chance level is, ``limits`` the ends of its range, ``fewest`` how many rows a side it bears,
    and ``most`` the rows a side beyond which a seeded sample is measured (None: never).
    """

    needs_pairs: ClassVar[bool] = False
    interval: ClassVar[str]
    null: ClassVar[str]
    limits: ClassVar[tuple[float, float]]
    fewest: ClassVar[int] = 2
    most: ClassVar[int | None] = None

    def measure(self, x: SourceRows, y: TargetRows) -> float:
        """Return the bare value for two arrays of one width; rows are normalised first.

        Row i of ``x`` belongs to row i of ``y`` where the measure needs pairs. No rows are sampled.

        Raises
        ------
        DataError
            If a row has no direction, the widths differ, or there are too few rows.
        """
        clouds = (Clouds.paired if self.needs_pairs else Clouds.unpaired)(x, y)
        self._check(clouds)
        return float(self._value(clouds))

    def score(self, clouds: Clouds, *, seed: int = 0, resamples: int = RESAMPLES) -> Score:
        """Return the value with a 95 % interval, the items behind it and the null level as ``chance``."""
        self._check(clouds)
        if self.most is not None:
            clouds = clouds.sample(self.most, seed)
        value = float(self._value(clouds))
        low, high = self._interval(clouds, value, seed, resamples)
        return Score(value, low, high, n=clouds.n_items, chance=self._chance(clouds))

    def refusal(self, items: int, *, paired: bool) -> str | None:
        """Return why this measure cannot be taken on so few items, or without pairs; None where it can."""
        if self.needs_pairs and not paired:
            return "it compares partners, and the rows are not paired"
        if items < self.fewest:
            return f"it needs {self.fewest} independent rows a side, and there are {items}"
        return None

    def _check(self, clouds: Clouds) -> None:
        fault = self.refusal(clouds.fewest, paired=clouds.links is not None)
        if fault:
            name = type(self).__name__
            raise DataError(
                f"{name} cannot be measured: {fault}. Add what is missing or choose other measures."
            )

    @abstractmethod
    def _value(self, clouds: Clouds) -> float: ...

    @abstractmethod
    def _chance(self, clouds: Clouds) -> float: ...

    @abstractmethod
    def _interval(self, clouds: Clouds, value: float, seed: int, resamples: int) -> tuple[float, float]: ...
