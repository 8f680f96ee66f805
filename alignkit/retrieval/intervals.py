"""Percentile bootstrap intervals over queries or groups of queries, all metrics from the same draws.

Efron & Tibshirani (1993), *An Introduction to the Bootstrap*, chapter 13; groups are drawn whole, because
five captions of one picture are not five independent queries.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from alignkit.errors import ParameterError
from alignkit.shapes import Labels

Statistic: TypeAlias = Literal["mean", "median"]
BUDGET = 1 << 22  # counts held at once: 32 MB of float64
MANY = 20  # copies from which one binomial number is cheaper than drawing that often
FEWEST = 2  # groups without which nothing varies


def bootstrap_interval(
    values: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    statistic: Statistic = "mean",
    resamples: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> np.ndarray:
    """Return the ends of the interval of each column of ``values``, as rows (low, high).

    Each resample draws as many groups as there are, with replacement, and takes the statistic over all
    queries of the drawn groups; the ends are percentiles of the resamples. The gallery is held fixed, so
    the interval speaks of other queries to the same gallery. One stream of PCG64 from ``seed``: the same
    numbers on every run. With fewer than two groups, or no resamples, the ends are NaN. Below about 30
    groups percentile intervals are too narrow.

    Raises
    ------
    ParameterError
        If ``resamples`` is negative or ``level`` not between 0 and 1.

    Examples
    --------
    >>> bootstrap_interval(np.array([[0.0], [1.0]] * 50)).round(2).tolist()
    [[0.4], [0.6]]
    """
    check_resampling(resamples, level)
    values = np.asarray(values, dtype=np.float64)
    labels = None if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
    n_groups = len(values) if labels is None else int(labels.max(initial=-1)) + 1
    if n_groups < FEWEST or not resamples:
        return np.full((2, values.shape[1]), np.nan)
    draw = _means if statistic == "mean" else _medians
    drawn = draw(values, labels, resamples, np.random.Generator(np.random.PCG64(seed)))
    return np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)


def check_resampling(resamples: int, level: float) -> None:
    """Raise ParameterError unless intervals can be drawn so."""
    if resamples < 0 or not 0 < level < 1:
        raise ParameterError(
            f"{resamples} resamples at level {level}: need at least 0 (no interval) and a level in (0, 1)."
        )


def _means(values: np.ndarray, labels: Labels | None, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Return the mean of every resample and column: sums of the drawn groups over their sizes."""
    if labels is None:
        held = np.column_stack([np.ones(len(values)), values])
    else:
        # summed in an order that permuting the queries does not change
        order = np.lexsort((*values.T, labels))
        columns = (np.bincount(labels[order], weights=column[order]) for column in values.T)
        held = np.column_stack([np.bincount(labels), *columns])
    kinds, copies = np.unique(held, axis=0, return_counts=True)
    totals = np.concatenate([counts @ kinds for counts in _draws(copies, resamples, rng)])
    return totals[:, 1:] / totals[:, :1]


def _medians(
    values: np.ndarray, labels: Labels | None, resamples: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the median over the queries of every resample, by counting how often each value was drawn."""
    if labels is None:
        values, copies = np.unique(values, axis=0, return_counts=True)
        labels = np.arange(len(values))
    else:
        copies = np.ones(int(labels.max()) + 1, np.int64)
    columns = [np.unique(column, return_inverse=True) for column in values.T]
    # how many queries of each group have each value: a drawn group brings all of its queries
    held = [
        csr_array((np.ones(len(labels)), (labels, place.ravel())), shape=(len(copies), len(found)))
        for found, place in columns
    ]
    parts = []
    for counts in _draws(copies, resamples, rng):
        drawn = [(table.T @ counts.T).T for table in held]
        parts.append(
            np.stack(
                [_weighted_median(c, found) for c, (found, _) in zip(drawn, columns, strict=True)], axis=1
            )
        )
    return np.concatenate(parts)


def _weighted_median(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return, for each row of counts, the median of ascending ``values`` repeated so often."""
    reached = np.cumsum(counts, axis=1)
    total = reached[:, -1:]
    lower, upper = ((reached <= middle).sum(axis=1) for middle in ((total - 1) // 2, total // 2))
    return (values[lower] + values[upper]) / 2


def _draws(copies: Labels, resamples: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Return, in chunks of resamples, how often each kind is drawn among ``copies.sum()`` draws.

    Kinds with many copies are counted by a multinomial; the others are drawn one by one, which costs less
    for them. Together that is one multinomial over all kinds, split exactly.
    """
    n, many = int(copies.sum()), copies >= MANY
    few = np.flatnonzero(~many)
    members = np.repeat(np.arange(len(few)), copies[few])
    odds = np.r_[copies[many], len(members)] / n
    for start in range(0, resamples, max(1, BUDGET // len(copies))):
        size = min(max(1, BUDGET // len(copies)), resamples - start)
        counts = np.empty((size, len(copies)))
        drawn = rng.multinomial(n, odds, size=size)
        counts[:, many] = drawn[:, :-1]
        if len(few):
            for row, rest in enumerate(drawn[:, -1]):
                picked = members[rng.integers(0, len(members), rest, dtype=np.uint32)]
                counts[row, few] = np.bincount(picked, minlength=len(few))
        yield counts
