"""Fréchet audio distance extrapolated to infinitely many rows, subsampling without replacement."""

from functools import partial

import numpy as np

from alignkit.errors import ParameterError
from alignkit.judges._base import Judge, Samples
from alignkit.judges._blocks import dealt, jackknife_interval, left_out
from alignkit.judges._frechet import frechet
from alignkit.reports import Score

PARTS = (1, 2, 3, 4)
DEALS = 4  # random partitions that each number of parts is averaged over


class FadInf(Judge):
    """Return the intercept of the Fréchet distance over 1 / N, both sides cut into the same number of parts.

    Both sides are partitioned at random into 1, 2, 3 and 4 parts; the mean distance of partners among the
    parts grows linearly in their number, to first order, and a line through the four is read at zero parts:
    the bias of the generated *and* of the reference rows goes. Parts share no row. (Published code draws
    rows with replacement; copies then count as evidence of a narrow cloud and most of the bias stays.) The
    line holds where parts have several times as many rows as dimensions; below twice as many it is refused.
    Can fall below 0.

    References
    ----------
    Chong and Forsyth (2020), *Effectively unbiased FID and Inception Score*; Gui et al. (2024), *Adapting
    Fréchet Audio Distance for generative music evaluation*.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = (rng.normal(size=(400, 8)) for _ in range(2))
    >>> abs(extrapolated(x, y)) < 0.3 * frechet(x, y)
    True
    """

    needs = "clouds"
    better = "lower"
    default = False
    interval = "t interval of a jackknife over 20 blocks of each side, each extrapolated anew"
    chance = "0: the bias is taken off"

    def _score(self, samples: Samples, seed: int) -> Score:
        real, made = samples.reference, samples.generated
        line = partial(extrapolated, seed=seed)
        value = line(real, made)
        low, high = jackknife_interval(value, *left_out(real, made, line, seed))
        return Score(value, low, high, n=len(made), chance=0.0)

    def refusal(self, samples: Samples) -> str | None:
        """Return why these samples cannot be extrapolated; None where they can."""
        fewest = min(len(samples.reference), len(samples.generated)) // max(PARTS)
        if fewest < 2 * samples.reference.shape[1]:
            return (
                f"a quarter of the smaller side has {fewest} rows for {samples.reference.shape[1]} "
                "dimensions, where the bias is no line in 1/N; use kad, which has none"
            )
        return None


def extrapolated(x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> float:
    """Return the distance that a line through those of 1, 2, 3 and 4 parts has at none.

    Raises
    ------
    ParameterError
        If a side has fewer than two rows a part.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> bool(extrapolated(rng.normal(size=(200, 2)), rng.normal(size=(200, 2)) + 3) > 15)
    True
    """
    if min(len(x), len(y)) < 2 * max(PARTS):
        raise ParameterError(f"{min(len(x), len(y))} rows cannot be cut into {max(PARTS)} parts of two.")
    counts, means = [], []
    for parts in PARTS:
        for deal in range(DEALS if parts > 1 else 1):
            mine, theirs = (
                dealt(len(side), parts, [seed, 14, deal, parts, i]) for i, side in enumerate((x, y))
            )
            found = [frechet(x[mine == part], y[theirs == part]) for part in range(parts)]
            counts.append(parts)
            means.append(np.mean(found))
    return float(np.polynomial.polynomial.polyfit(counts, means, 1)[0])
