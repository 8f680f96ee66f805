"""Bootstrap by item for measures that are functions of means: weights drawn once, no row is touched twice."""

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr, stdtrit

from alignkit.gaps._clouds import Clouds
from alignkit.shapes import Labels
from alignkit.statistics.resampling import drawn_counts

LEVEL = 0.95
CHUNK = 1_000_000  # counts held at a time: 4 MB of float32, and twice that to draw them


def item_draws(clouds: Clouds, resamples: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, in chunks, how often each item of x and of y is drawn; partners are drawn together."""
    rng = np.random.default_rng(seed)
    if clouds.links is not None:
        for counts in _draws(rng, clouds.n_items, resamples):
            yield counts, counts
    else:
        second = _draws(np.random.default_rng([seed, 1]), len(clouds.y), resamples, like=len(clouds.x))
        first = _draws(rng, len(clouds.x), resamples, like=len(clouds.y))
        yield from zip(first, second, strict=True)


def sums_by_item(values: np.ndarray, items: Labels, n_items: int) -> np.ndarray:
    """Return the sum of ``values`` over the rows of each item (the values where each item is one row)."""
    if len(items) == n_items and np.array_equal(items, np.arange(n_items)):
        return values
    out = np.zeros((n_items, *values.shape[1:]), dtype=np.float64)
    np.add.at(out, items, values)
    return out


def resampled_means(counts: np.ndarray, sums: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the mean over the rows of the items drawn; NaN for a resample whose items have no row here."""
    drawn = np.asarray(counts @ sizes, dtype=np.float64).reshape(-1, *[1] * (sums.ndim - 1))
    totals = np.asarray(counts @ sums, dtype=np.float64)
    return np.divide(totals, drawn, out=np.full_like(totals, np.nan), where=drawn > 0)


def percentile_interval(
    replicates: np.ndarray, value: float, limits: tuple[float, float], n: int
) -> tuple[float, float]:
    """Return the expanded percentile interval of replicates of ``n`` items, their mean moved to ``value``.

    Percentiles of few items lie too close by the root of (n - 1) / n, and by Student's t against the normal:
    the tails are cut where that is made good (Hesterberg 2015). A resample adds its own noise to that of the
    sample, which pushes non-linear measures to one side a second time; the move takes that second push out.
    For means it changes nothing that matters. Resamples that have no value (NaN: no link was drawn) do not
    count.
    """
    replicates = replicates[np.isfinite(replicates)]
    tail = float(ndtr(-np.sqrt(n / (n - 1)) * stdtrit(n - 1, (1 + LEVEL) / 2)))
    low, high = np.quantile(replicates, [tail, 1 - tail]) - (replicates.mean() - value)
    return float(np.clip(min(low, value), *limits)), float(np.clip(max(high, value), *limits))


def _draws(rng: np.random.Generator, n: int, resamples: int, like: int = 0) -> Iterator[np.ndarray]:
    for counts in drawn_counts(rng, n, resamples, max(1, CHUNK // max(n, like))):
        yield counts.astype(np.float32)
