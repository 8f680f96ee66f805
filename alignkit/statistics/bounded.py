"""Intervals for the mean of shares between 0 and 1 that hold for any distribution and any number of them."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import rel_entr

from alignkit.errors import ParameterError


def share_interval(mean: float, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the ends of an interval for the expectation of which ``mean`` is the mean of ``n`` shares.

    Shares are numbers from 0 to 1, one for each unit, independent or drawn without replacement. The ends
    are those expectations from which a mean as far away has at most half of what ``level`` leaves, by the
    bound ``exp(-n KL(mean, expectation))``. So the interval is never too narrow: where every share is 1, as
    with a search that misses nothing, a bootstrap says [1, 1], and this one begins at ``.025 ** (1 / n)``.
    The price is width, several times that of a bootstrap where most shares are near their mean.

    Raises
    ------
    ParameterError
        If ``mean`` is no share, there is no unit, or ``level`` is not between 0 and 1.

    References
    ----------
    Hoeffding (1963), *Probability inequalities for sums of bounded random variables*, theorem 1 and, for
    draws without replacement, section 6.

    Examples
    --------
    >>> [round(end, 4) for end in share_interval(1.0, 1000)]
    [0.9963, 1.0]
    >>> [round(end, 4) for end in share_interval(0.99, 1000)]
    [0.9789, 0.9963]
    """
    if not 0 <= mean <= 1 or n < 1 or not 0 < level < 1:
        raise ParameterError(
            f"a mean of {mean} over {n} shares at level {level}: give shares from 0 to 1, at least one of "
            "them, and a level between 0 and 1."
        )
    allowed = -np.log((1 - level) / 2) / n

    def beyond(expectation: float) -> float:
        return rel_entr(mean, expectation) + rel_entr(1 - mean, 1 - expectation) - allowed

    least, most = np.nextafter(0, 1), np.nextafter(1, 0)
    low = brentq(beyond, least, mean) if mean > 0 and beyond(least) > 0 else 0.0
    high = brentq(beyond, mean, most) if mean < 1 and beyond(most) > 0 else 1.0
    return float(low), float(high)
