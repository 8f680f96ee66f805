"""Measures whose interval and null band come from replicas: blocks left out, and clouds without a gap."""

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar, Generic, TypeVar

import numpy as np

from alignkit.gaps._bands import Level
from alignkit.gaps._base import Measure
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._replicas import Replicas, row_replicas
from alignkit.reports import Score
from alignkit.statistics.blocks import student_interval

JACKKNIFE = "Student with the variance of a delete-a-block jackknife"
SPLITS = "random splits of the pooled rows"
PERMUTATIONS = "permuted pairs"
T = TypeVar("T")


class Replicated(Measure, Generic[T]):
    """Fill `Measure` from what is read off replicas of the clouds.

    A leaf says what it reads off the clouds (`_read`) and off all replicas (`_replicas`, once for all the
    measures that read the same), and what it makes of that (`_of`). ``degenerate`` says that its first order
    vanishes where there is no gap.
    """

    interval = JACKKNIFE
    null = SPLITS
    fewest = 3
    degenerate: ClassVar[bool] = False

    @abstractmethod
    def _of(self, read: T) -> dict[str, float]: ...

    @abstractmethod
    def _read(self, clouds: Clouds) -> T: ...

    @abstractmethod
    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[T]: ...

    def of_replicas(self, replicas: Replicas[T], n: int) -> dict[str, Score]:
        """Return each part's score from what was read off the replicas of ``n`` items."""
        values = self._of(replicas.whole)
        left_out = [self._of(one) for one in replicas.left_out]
        out = {}
        for part, level in self._levels(replicas).items():
            without = np.array([one[part] for one in left_out])
            low, high = self._ends(part, values[part], without, level, replicas.whole)
            out[part] = Score(
                values[part],
                low,
                high,
                n=n,
                chance=level.chance,
                chance_low=level.low,
                chance_high=level.high,
            )
        return out

    def _ends(
        self,
        part: str,
        value: float,
        left_out: np.ndarray,
        level: Level,
        whole: T,  # noqa: ARG002
    ) -> tuple[float, float]:
        """Return a part's interval from its values with each block left out; ``whole`` gave its value."""
        # only there its first order may vanish: elsewhere nothing is to be taken off
        inside = self.degenerate and level.low <= value <= level.high
        return student_interval(value, left_out, self.reach(part), level.variance if inside else 0.0)

    def _levels(self, replicas: Replicas[T]) -> dict[str, Level]:
        """Return each part's null level; a leaf that knows it in closed form draws no nulls."""
        nulls = [self._of(one) for one in replicas.nulls]
        return {
            part: Level.drawn(np.array([one[part] for one in nulls]), self.reach(part)) for part in nulls[0]
        }

    def _values(self, clouds: Clouds) -> dict[str, float]:
        return self._of(self._read(clouds))

    def _scores(self, clouds: Clouds, seed: int, resamples: int) -> dict[str, Score]:  # noqa: ARG002
        return self.of_replicas(self._replicas(clouds, seed), clouds.n_items)


class OnRows(Replicated[Clouds]):
    """Read the clouds themselves: right for every measure, and the slowest way."""

    def _read(self, clouds: Clouds) -> Clouds:
        return clouds

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[Clouds]:
        return row_replicas(clouds, seed, pairs=self.needs_pairs)


class OnPairs(OnRows):
    """Read one pair an item, row i beside row i, also where the null permutes the pairs."""

    needs_pairs = True
    null = PERMUTATIONS

    def _values(self, clouds: Clouds) -> dict[str, float]:
        return self._of(clouds.matched(0))

    def _scores(self, clouds: Clouds, seed: int, resamples: int) -> dict[str, Score]:
        return super()._scores(clouds.matched(seed), seed, resamples)

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[Clouds]:
        found = super()._replicas(clouds, seed)
        return replace(found, nulls=(one.matched(0) for one in found.nulls))
