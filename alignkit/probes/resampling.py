"""Intervals for any statistic of groups: groups are drawn whole, and the statistic is taken of the draw."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.reports import Score
from alignkit.shapes import Labels
from alignkit.statistics.resampling import drawn_counts

Statistic: TypeAlias = Callable[[np.ndarray], dict[str, np.ndarray]]
"""Takes weights (resamples x groups), returns for each name one value per resample."""

BUDGET = 1 << 22  # numbers held at once: 32 MB of float64
FEWEST = 2  # groups without which nothing varies


@dataclass(frozen=True, slots=True)
class Resampling:
    """Say how intervals are drawn: how many resamples, for which level, from which seed.

    Each resample draws as many groups as there are, with replacement; all rows of a drawn group come along
    (takes of one recording are no independent rows). What was fitted stays fixed, so an interval speaks of
    other test rows and not of other training rows. The same seed gives the same numbers.

    References
    ----------
    Davison & Hinkley (1997), *Bootstrap Methods and their Application*, sections 2.3 and 3.8.
    """

    resamples: int = 2_000
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < 0 or not 0 < self.level < 1:
            raise ParameterError(
                f"{self.resamples} resamples at level {self.level}: need at least 0 (no interval) and a "
                "level in (0, 1)."
            )

    def weights(self, n_groups: int, width: int = 0) -> Iterator[np.ndarray]:
        """Yield how often each group is drawn, some resamples at a time (fewer where ``width`` is large)."""
        rng = np.random.Generator(np.random.PCG64(self.seed))
        size = max(1, BUDGET // max(n_groups, width))
        for counts in drawn_counts(rng, n_groups, self.resamples, size):
            yield counts.astype(np.float64)

    def replicates(self, statistic: Statistic, n_groups: int, width: int = 0) -> dict[str, np.ndarray]:
        """Return the statistic of every resample; no entry where there is nothing to draw."""
        if n_groups < FEWEST or not self.resamples:
            return {}
        parts = [statistic(weights) for weights in self.weights(n_groups, width)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def ends(self, replicates: np.ndarray | None, value: np.ndarray | float) -> np.ndarray:
        """Return the ends (low, high) of the percentile interval, moved so that its mean lies on ``value``.

        A resample adds its own noise to the sample's, which pushes curved statistics (F1, average precision)
        to one side a second time; the move takes that out. NaN where there are no replicates. Resamples for
        which the statistic does not exist (NaN) do not count. Where all rows are right, both ends are 1:
        percentiles know nothing of what was never seen.
        """
        shape = np.shape(value)
        if replicates is None or not len(replicates):
            return np.full((2, *shape), np.nan)
        tail = (1 - self.level) / 2
        exists = np.isfinite(replicates).any(axis=0)
        kept = np.where(exists, replicates, 0.0)
        quantile, mean = (np.quantile, np.mean) if np.isfinite(kept).all() else (np.nanquantile, np.nanmean)
        low, high = quantile(kept, [tail, 1 - tail], axis=0) - (mean(kept, axis=0) - value)
        ends = np.stack([np.minimum(low, value), np.maximum(high, value)])
        return np.where(exists, ends, np.nan)


def score_all(
    statistic: Statistic,
    n_groups: int,
    *,
    chance: Mapping[str, float],
    resampling: Resampling,
    width: int = 0,
) -> dict[str, Score]:
    """Return every value of ``statistic`` with interval, group count and chance; values lie in [0, 1]."""
    values = statistic(np.ones((1, n_groups)))
    drawn = resampling.replicates(statistic, n_groups, width)
    return {
        name: score_of(float(found[0]), drawn.get(name), resampling, n=n_groups, chance=chance.get(name))
        for name, found in values.items()
    }


def score_of(
    value: float, replicates: np.ndarray | None, resampling: Resampling, *, n: int, chance: float | None
) -> Score:
    """Return one value in [0, 1] as a score."""
    low, high = np.clip(resampling.ends(replicates, value), 0.0, 1.0)
    known = bool(np.isfinite(low))
    return Score(value, float(low) if known else None, float(high) if known else None, n=n, chance=chance)


def group_codes(groups: np.ndarray | None, order: tuple[np.ndarray, ...]) -> Labels:
    """Return the group of each row as a number: of ``groups``, or of its own where there are none.

    Rows without groups are numbered in the order of the keys ``order`` (the last one first, as in
    `numpy.lexsort`), so that permuting the rows changes no interval.

    Raises
    ------
    DataError
        If there is not one label per row.
    """
    n = len(order[0])
    if groups is None:
        codes = np.empty(n, np.int64)
        codes[np.lexsort(order)] = np.arange(n)
        return codes
    if np.shape(groups) != (n,):
        raise DataError(f"groups have shape {np.shape(groups)} for {n} rows: give one label per row.")
    return np.unique(groups, return_inverse=True)[1].ravel()
