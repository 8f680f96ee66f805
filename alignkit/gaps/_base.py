"""What every measure of the gap offers: its value, an interval that is valid for it, and a null band."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, TypeAlias

import numpy as np

from alignkit.errors import DataError
from alignkit.gaps._clouds import Clouds
from alignkit.reports import Score
from alignkit.shapes import SourceRows, TargetRows

RESAMPLES = 2_000
HEADLINE = ""
Reads: TypeAlias = Literal["rows", "sums", "spectra", "products"]


class Measure(ABC):
    """Compare two clouds of unit rows; the module's name is the measure's name.

    A measure has one value, or several under the names in ``parts`` ("" is the headline). ``default`` says
    whether it is taken unless others are asked for, ``needs_pairs`` whether partners must be known,
    ``needs_labels`` how many columns of labels it wants, ``interval`` how its interval is made, ``null``
    what its chance level is, ``limits`` the ends of its range (``part_limits`` where a part has others),
    ``fewest`` how many rows a side it bears, ``most`` the rows a side beyond which a seeded sample is
    measured (None: never), and ``reads`` what it takes from the rows: all but ``"rows"`` adds up over
    blocks, in memory that the number of rows does not change. `alignkit.gaps._single.Single` and
    `alignkit.gaps._replicated.Replicated` fill the rest.
    """

    parts: ClassVar[tuple[str, ...]] = (HEADLINE,)
    default: ClassVar[bool] = True
    needs_pairs: ClassVar[bool] = False
    needs_labels: ClassVar[int] = 0
    interval: ClassVar[str]
    null: ClassVar[str]
    limits: ClassVar[tuple[float, float]]
    reads: ClassVar[Reads] = "rows"
    part_limits: ClassVar[dict[str, tuple[float, float]]] = {}
    fewest: ClassVar[int] = 2
    most: ClassVar[int | None] = None

    def measure(self, x: SourceRows, y: TargetRows) -> float:
        """Return the bare value (of the first part) for two arrays of one width; rows are normalised first.

        Row i of ``x`` belongs to row i of ``y`` where the measure needs pairs. No rows are sampled.

        Raises
        ------
        DataError
            If a row has no direction, the widths differ, or there are too few rows.
        """
        return self.measure_parts(x, y)[self.parts[0]]

    def measure_parts(self, x: SourceRows, y: TargetRows) -> dict[str, float]:
        """Return the bare value of every part, as `measure` does for the first."""
        clouds = (Clouds.paired if self.needs_pairs else Clouds.unpaired)(x, y)
        self._check(clouds)
        return self._values(clouds)

    def scores(
        self, clouds: Clouds, *, seed: int = 0, resamples: int = RESAMPLES, most: int | None = None
    ) -> dict[str, Score]:
        """Return each part's value with a 95 % interval, the items behind it, its null level and null band.

        ``most`` stands in for the measure's own limit on the rows a side.
        """
        self._check(clouds)
        if self.most is not None:
            clouds = clouds.sample(self.most if most is None else most, seed)
        return self._scores(clouds, seed, resamples)

    def score(self, clouds: Clouds, *, seed: int = 0, resamples: int = RESAMPLES) -> Score:
        """Return the score of the first part."""
        return self.scores(clouds, seed=seed, resamples=resamples)[self.parts[0]]

    def values_of(self, clouds: Clouds) -> dict[str, float]:
        """Return the bare value of every part for clouds that this measure can bear."""
        return self._values(clouds)

    def null_of(self, clouds: Clouds, rng: np.random.Generator) -> dict[str, float]:
        """Return the values where there is no gap: of a random split, or of permuted pairs."""
        return self._values(clouds.permuted(rng) if self.needs_pairs else clouds.split(rng))

    def refusal(self, items: int, *, paired: bool, labels: int = 0) -> str | None:
        """Return why this measure cannot be taken on so few items, or without pairs; None where it can."""
        if self.needs_pairs and not paired:
            return "it compares partners, and the rows are not paired"
        if labels < self.needs_labels:
            return f"it needs labels of {self.needs_labels} kinds, each in a column, and {labels} were given"
        if items < self.fewest:
            return f"it needs {self.fewest} independent rows a side, and has {items}"
        return None

    def refusal_of(self, clouds: Clouds) -> str | None:
        """Return why this measure cannot be taken of these clouds; None where it can.

        A leaf adds here what the counts of `refusal` do not tell, such as rows against dimensions.
        """
        return self.refusal(clouds.fewest, paired=clouds.links is not None, labels=len(clouds.labels))

    def reach(self, part: str) -> tuple[float, float]:
        """Return the ends of the range of one part."""
        return self.part_limits.get(part, self.limits)

    def _check(self, clouds: Clouds) -> None:
        fault = self.refusal_of(clouds)
        if fault:
            name = type(self).__module__.rpartition(".")[2]  # a measure is known by its file
            raise DataError(
                f"{name} cannot be measured: {fault}; add what is missing, or choose other measures."
            )

    @abstractmethod
    def _values(self, clouds: Clouds) -> dict[str, float]: ...

    @abstractmethod
    def _scores(self, clouds: Clouds, seed: int, resamples: int) -> dict[str, Score]: ...
