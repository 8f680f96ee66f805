"""Intervals by leaving blocks of rows out, and null levels by splitting the pooled rows at random.

Statistics of two clouds that are biased in the number of rows, or count pairs of different rows, cannot be
resampled with replacement: a row drawn twice is a pair at distance zero that the data does not hold.
Leaving rows out draws no row twice.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.stats import t as student

from alignkit.shapes import Labels, Mask, SourceRows, TargetRows
from alignkit.statistics.blocks import dealt, jackknife_variance
from alignkit.statistics.splits import first_of_two

BLOCKS = 20  # of each side: enough for a t interval with 19 degrees of freedom
SPLITS = 40  # random splits of the pooled rows behind a null level


def blocks_of(n: int, m: int, seed: int) -> tuple[Labels, Labels]:
    """Return the jackknife blocks of both sides."""
    return dealt(n, BLOCKS, [seed, 11]), dealt(m, BLOCKS, [seed, 12])


def jackknife_interval(
    value: float, without_reference: np.ndarray, without_generated: np.ndarray, *, level: float = 0.95
) -> tuple[float, float]:
    """Return the interval of a statistic of two independent clouds from its values without each block.

    The variances that the two sides cause add up; the quantile is Student's with the degrees of freedom of
    the side with fewer blocks.

    References
    ----------
    Efron & Tibshirani (1993), *An Introduction to the Bootstrap*, chapter 11; Arvesen (1969), *Jackknifing
    U-statistics*.

    Examples
    --------
    >>> jackknife_interval(1.0, np.array([1.0, 1.0]), np.array([1.0, 1.0]))
    (1.0, 1.0)
    """
    variance = jackknife_variance(without_reference) + jackknife_variance(without_generated)
    freedom = min(len(without_reference), len(without_generated)) - 1
    reach = float(student.ppf((1 + level) / 2, max(freedom, 1)) * np.sqrt(variance))
    return value - reach, value + reach


def left_out(
    reference: SourceRows,
    generated: TargetRows,
    value: Callable[[np.ndarray, np.ndarray], float],
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the statistic without each block of the reference, and without each of the generated rows."""
    real, made = blocks_of(len(reference), len(generated), seed)
    first = [value(reference[real != block], generated) for block in range(real.max() + 1)]
    second = [value(reference, generated[made != block]) for block in range(made.max() + 1)]
    return np.array(first), np.array(second)


def random_splits(n: int, m: int, seed: int, splits: int = SPLITS) -> Iterator[Mask]:
    """Yield which of n + m pooled rows form the first of two sides of the same sizes, drawn at random."""
    rng = np.random.default_rng([seed, 13])
    for _ in range(splits):
        yield first_of_two(n, m, rng)


def null_band(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of the values without a difference, and the band that holds 95 % of them."""
    low, high = np.quantile(values, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)
