"""Leave one group of queries out at a time: what the mean and the median become, in closed form.

Efron & Tibshirani (1993), *An Introduction to the Bootstrap*, chapter 11.
"""

import numpy as np

from alignkit.shapes import Labels


def means_without(sizes: Labels, sums: np.ndarray) -> np.ndarray:
    """Return, for each group left out, the mean over the queries of all others, column by column.

    Examples
    --------
    >>> means_without(np.array([1, 2]), np.array([[1.0], [8.0]])).tolist()
    [[4.0], [1.0]]
    """
    total = np.sort(sums, axis=0).sum(axis=0)  # the same bits in any order of the groups
    return (total - sums) / (sizes.sum() - sizes)[:, None]


def medians_without(values: np.ndarray, labels: Labels) -> np.ndarray:
    """Return, for each group left out, the median over the queries of all others, column by column.

    Every column is sorted once: in what a group leaves behind, the place of an entry is its place among
    all less the number of the group's own members before it.

    Examples
    --------
    >>> medians_without(np.array([[1.0], [2.0], [3.0], [9.0]]), np.array([0, 0, 1, 2])).tolist()
    [[6.0], [2.0], [2.0]]
    """
    sizes = np.bincount(labels)
    left = len(labels) - sizes
    columns = []
    for column in values.T:
        order = np.argsort(column, kind="stable")
        ordered, owner = column[order], labels[order]
        # members of a group, in order: member j has so many strangers before it
        by_group = np.argsort(owner, kind="stable")
        first = np.cumsum(sizes) - sizes
        strangers = by_group - (np.arange(len(owner)) - np.repeat(first, sizes))
        middles = []
        for place in ((left - 1) // 2, left // 2):
            before = strangers <= np.repeat(place, sizes)
            skipped = np.bincount(np.repeat(np.arange(len(sizes)), sizes)[before], minlength=len(sizes))
            middles.append(ordered[place + skipped])
        columns.append((middles[0] + middles[1]) / 2)
    return np.stack(columns, axis=1)


def acceleration(without: np.ndarray) -> np.ndarray:
    """Return how fast the spread of each column's statistic grows with it: 0 where nothing varies.

    A sixth of the skewness of the leave-one-out values, turned round.

    References
    ----------
    Efron (1987), *Better bootstrap confidence intervals*, eq. 6.6.
    """
    gaps = np.sort(without, axis=0)  # sums that the order of the groups does not change
    gaps = gaps.mean(axis=0) - gaps
    spread = (gaps**2).sum(axis=0) ** 1.5
    return (gaps**3).sum(axis=0) / (6 * np.where(spread > 0, spread, 1))
