"""Measures that are functions of means and covariances: their spectra are found once for all."""

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._replicas import Replicas
from alignkit.gaps._replicated import Replicated
from alignkit.gaps._spectra import Spectra, read_spectra, spectra_replicas


class OnSpectra(Replicated[Spectra]):
    """Read the means and the spectra of the covariances."""

    reads = "spectra"

    def _read(self, clouds: Clouds) -> Spectra:
        return read_spectra(clouds)

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[Spectra]:
        return spectra_replicas(clouds, seed)
