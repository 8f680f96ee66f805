"""Measures that are functions of sums over rows: one pass over the rows serves them all."""

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._replicas import Replicas
from alignkit.gaps._replicated import Replicated
from alignkit.gaps._sums import Sums, read_sums, sums_replicas


class OnSums(Replicated[Sums]):
    """Read sums over the rows."""

    def _read(self, clouds: Clouds) -> Sums:
        return read_sums(clouds)

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[Sums]:
        return sums_replicas(clouds, seed, pairs=self.needs_pairs)
