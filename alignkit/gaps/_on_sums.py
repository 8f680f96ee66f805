"""Measures that are functions of sums over rows: one pass over the rows serves them all."""

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._replicas import Replicas
from alignkit.gaps._replicated import Replicated
from alignkit.gaps._single import Single
from alignkit.gaps._sums import Sums, read_sums, sums_replicas


class OnSums(Replicated[Sums]):
    """Read sums over the rows."""

    reads = "sums"

    def _read(self, clouds: Clouds) -> Sums:
        return read_sums(clouds)

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[Sums]:
        return sums_replicas(clouds, seed, pairs=self.needs_pairs)


class Bootstrapped(Single, OnSums):
    """Read sums, and resample items with replacement: right for functions of means.

    Rows that stream by cannot be drawn again: there the jackknife over blocks takes the bootstrap's place.
    """

    fewest = 2

    def _value(self, clouds: Clouds) -> float:
        return self._of(self._read(clouds))[HEADLINE]
