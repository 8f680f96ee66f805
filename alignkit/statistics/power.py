"""The smallest difference between two methods that a paired comparison of so many queries would see.

Cohen (1988), *Statistical Power Analysis for the Behavioral Sciences*, chapter 2; groups of queries are one
observation each, as in `sign_flip`.
"""

import numpy as np
from scipy.special import ndtri

from alignkit.errors import DataError, ParameterError
from alignkit.shapes import PerQuery
from alignkit.statistics.resampling import group_totals

POWER = 0.8
LEVEL = 0.95


def detectable_difference(
    values_a: PerQuery,
    values_b: PerQuery,
    groups: np.ndarray | None = None,
    *,
    power: float = POWER,
    level: float = LEVEL,
) -> float:
    """Return the true difference that a two-sided paired test would call one, with the chance ``power``.

    It answers what "no difference found" is worth: a difference well above this number would have been
    seen, one below may be there. The test is that of `sign_flip` at 1 - ``level``. The number comes from
    the spread of the groups' differences, by the normal distribution: with fewer than about 30 groups it
    is too small. It is a property of the data and the test, not of the difference that was found: do not
    read power off the latter.

    Raises
    ------
    DataError
        If the two have different lengths, a value is not finite, or there are fewer than two groups.
    ParameterError
        If ``power`` is not above half of 1 - ``level`` and below 1, or ``level`` not between 0 and 1.

    Examples
    --------
    >>> a, b = np.tile([1.0, 0.5, 0.5, 0.2], 100), np.tile([0.5, 1.0, 0.5, 0.2], 100)
    >>> round(detectable_difference(a, b), 3)
    0.05
    """
    a, b = (np.asarray(values, dtype=np.float64) for values in (values_a, values_b))
    if a.shape != b.shape:
        raise DataError(f"values have shapes {a.shape} and {b.shape}: give one for each query, for both.")
    return _deviations(power, level) * _standard_error(a - b, groups)


def planned_detectable_difference(
    values: PerQuery,
    groups: np.ndarray | None = None,
    *,
    correlation: float,
    power: float = POWER,
    level: float = LEVEL,
) -> float:
    """Return what `detectable_difference` would be if there were a second method: before it exists.

    The second method is assumed to spread over the groups as the first does, and the two to rise and fall
    together with ``correlation``, so that the variance of their difference is 2 (1 - correlation) times
    that of the first. Take the correlation from two methods that exist: 0.5 to 0.9 is common for maps of
    one kind; 0 is the bad case, and 1 would see anything.

    Raises
    ------
    DataError
        If a value is not finite or there are fewer than two groups.
    ParameterError
        If the correlation is not from -1 to 1, or as for `detectable_difference`.

    Examples
    --------
    >>> values = np.tile([1.0, 0.5, 0.25, 0.2], 100)
    >>> round(planned_detectable_difference(values, correlation=0.7), 3)
    0.034
    """
    if not -1 <= correlation <= 1:
        raise ParameterError(f"correlation is {correlation}: it lies between -1 and 1.")
    spread = _standard_error(np.asarray(values, dtype=np.float64), groups)
    return _deviations(power, level) * float(np.sqrt(2 * (1 - correlation))) * spread


def _deviations(power: float, level: float) -> float:
    """Return how many standard errors a difference must measure."""
    if not (0 < level < 1 and (1 - level) / 2 < power < 1):
        raise ParameterError(
            f"power {power} at level {level}: the level lies between 0 and 1, the power between half of "
            f"what the level leaves and 1, like {POWER} at {LEVEL}."
        )
    return float(ndtri((1 + level) / 2) + ndtri(power))


def _standard_error(values: PerQuery, groups: np.ndarray | None) -> float:
    """Return the standard error of the mean over the queries, of which groups are drawn."""
    if values.ndim != 1 or not np.isfinite(values).all():
        raise DataError("some values are not finite: leave out queries without a positive.")
    labels = np.arange(len(values)) if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
    if len(labels) != len(values):
        raise DataError(f"{len(labels)} group labels for {len(values)} queries: give one for each.")
    sizes, sums = group_totals(values[:, None], labels)
    if len(sizes) < 2:
        raise DataError(f"{len(sizes)} group(s) of queries: their spread takes two or more.")
    gaps = np.sort(sums[:, 0] - np.sort(values).mean() * sizes)
    return float(np.sqrt((gaps**2).sum() * len(sizes) / (len(sizes) - 1)) / len(values))
