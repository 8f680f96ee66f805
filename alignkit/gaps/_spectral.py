"""Measures of one cloud at a time that are functions of the eigenvalues of its covariance."""

from abc import abstractmethod

import numpy as np

from alignkit.errors import DataError
from alignkit.gaps._clouds import unit_rows
from alignkit.gaps._on_spectra import OnSpectra
from alignkit.gaps._spectra import Spectra, eigenvalues_of
from alignkit.shapes import Vectors


class Spectral(OnSpectra):
    """Take one function of the eigenvalues of each side, ``source`` and ``target``."""

    parts = ("source", "target")
    fewest = 4  # two rows have one spectrum, whatever they are: of three, no jackknife sees anything vary

    def _of(self, read: Spectra) -> dict[str, float]:
        dim = len(read.mean_x)
        return {"source": self._of_side(read.x, dim), "target": self._of_side(read.y, dim)}

    @abstractmethod
    def _of_side(self, eigenvalues: np.ndarray, dim: int) -> float: ...

    @classmethod
    def of_cloud(cls, rows: Vectors) -> float:
        """Return the value for one cloud; rows are normalised first."""
        if len(rows) < 2:
            raise DataError(f"a covariance needs two rows or more, got {len(rows)}.")
        rows = unit_rows(rows)
        mean = rows.mean(axis=0, dtype=np.float64)
        return cls()._of_side(spectrum(rows - mean), rows.shape[1])


def spectrum(centred: Vectors) -> np.ndarray:
    """Return the eigenvalues of the covariance of centred rows, largest first (those of n rows at most)."""
    n, d = centred.shape
    return eigenvalues_of((centred @ centred.T if n < d else centred.T @ centred).astype(np.float64) / n)
