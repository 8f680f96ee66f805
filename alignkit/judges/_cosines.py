"""Scores that are means over partners; bootstraps over items are valid for means."""

from abc import abstractmethod

import numpy as np

from alignkit.errors import DataError
from alignkit.judges._base import Judge, Samples
from alignkit.reports import Score
from alignkit.shapes import Vectors
from alignkit.statistics.intervals import bootstrap_interval

BLOCK = 1024


class Partners(Judge):
    """Average something of the cosine of partners; a leaf says of it what in ``_of``."""

    needs = "pairs"
    better = "higher"
    interval = "percentile bootstrap over items, 10,000 resamples"
    chance = "the same rows, every one with every partner that is not its own"

    def _score(self, samples: Samples, seed: int) -> Score:
        real, made = (_unit(rows) for rows in (samples.reference, samples.generated))
        own = self._of(np.einsum("nd,nd->n", real, made))
        low, high = bootstrap_interval(own[:, None], samples.groups, seed=seed)[:, 0]
        total = sum(float(self._of(real[i : i + BLOCK] @ made.T).sum()) for i in range(0, len(real), BLOCK))
        others = (total - own.sum()) / (len(own) * (len(own) - 1))
        return Score(float(own.mean()), float(low), float(high), n=len(own), chance=float(others))

    @abstractmethod
    def _of(self, cosines: np.ndarray) -> np.ndarray: ...


def _unit(rows: Vectors) -> Vectors:
    rows = np.asarray(rows, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    bad = np.flatnonzero(lengths[:, 0] == 0)
    if len(bad):
        raise DataError(f"row {bad[0]} is all zeros and has no direction: remove or re-encode that item.")
    return rows / lengths
