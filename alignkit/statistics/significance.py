"""Say which of two methods is better on the same queries: paired tests over groups, many tests corrected.

Good (2005), *Permutation, Parametric and Bootstrap Tests of Hypotheses*, section 3.2: where two methods are
equally good, the sign of each query's difference is a toss of a coin.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.shapes import Labels, PerQuery
from alignkit.statistics.intervals import bootstrap_interval

FLIPS = 10_000
EXACT = 16  # groups up to which every flip is looked at: 32,768 by symmetry
MANY = 20  # copies from which one binomial number is cheaper than tossing that often
BUDGET = 1 << 23  # table look-ups held at once: 64 MB of float64
ROUNDING = 1e-12  # of the sum of all magnitudes: sums that differ by less are equal


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better the first method is than the second, and how surely it is not luck.

    Parameters
    ----------
    value
        Mean over queries of first less second.
    low, high
        Ends of its bootstrap interval, or None where fewer than two groups leave none.
    p
        Of the two-sided paired test that neither is better.
    n, groups
        Queries, and groups of them that were drawn together.
    wins, ties, losses
        Groups in which the first has the larger, an equal, the smaller sum.
    exact
        Whether all flips were looked at rather than a random number of them.
    """

    value: float
    low: float | None
    high: float | None
    p: float
    n: int
    groups: int
    wins: int
    ties: int
    losses: int
    exact: bool

    def to_json(self) -> dict[str, Any]:
        """Return the fields as one object."""
        return asdict(self)


def sign_flip(
    values_a: PerQuery,
    values_b: PerQuery,
    groups: np.ndarray | None = None,
    *,
    flips: int = FLIPS,
    level: float = 0.95,
    seed: int = 0,
) -> Difference:
    """Compare two methods by a metric's values for the same queries, in the same order.

    Differences are summed within each group (five captions of one picture are one observation), the signs
    of the sums are flipped at random, and p is the share of flips whose total is at least as far from zero
    as the one found, itself counted in: (b + 1) / (flips + 1). Up to 16 groups that differ, all flips are
    looked at and p is exact. No p is below 1 / (flips + 1). The order of the queries changes nothing, and
    the same seed gives the same numbers. The interval is that of `bootstrap_interval` on the differences.
    20,000 queries and 10,000 flips take half a CPU second, the interval another.

    Raises
    ------
    DataError
        If the two have different lengths, or a value is not finite.
    ParameterError
        If ``flips`` is below 1, or ``level`` not between 0 and 1.

    Examples
    --------
    >>> found = sign_flip(np.array([1.0, 1, 1, 1, 1, 0]), np.array([0.0, 0, 0, 0, 0, 0]))
    >>> found.p, found.wins, found.ties, found.losses  # 2 of the 32 ways to sign five ones
    (0.0625, 5, 1, 0)
    """
    if flips < 1:
        raise ParameterError(f"flips is {flips}: a test needs 1 or more; take {FLIPS}.")
    a, b = (np.asarray(values, dtype=np.float64) for values in (values_a, values_b))
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise DataError(f"values have shapes {a.shape} and {b.shape}: give one for each query, for both.")
    if not np.isfinite([a, b]).all():
        raise DataError("some values are not finite: leave out queries without a positive, for both methods.")
    labels = np.arange(len(a)) if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
    if len(labels) != len(a):
        raise DataError(f"{len(labels)} group labels for {len(a)} queries: give one for each.")
    gained = a - b
    sums = _group_sums(gained, labels)
    # a sum of rounding errors is a tie
    sums[np.abs(sums) <= ROUNDING * np.abs(gained).sum()] = 0.0
    p, exact = _p_value(sums, flips, np.random.Generator(np.random.PCG64([seed, 1])))
    low, high = bootstrap_interval(gained[:, None], labels, resamples=flips, level=level, seed=seed).ravel()
    return Difference(
        value=float(np.sort(gained).mean()),
        low=float(low) if np.isfinite(low) else None,
        high=float(high) if np.isfinite(high) else None,
        p=p,
        n=len(a),
        groups=len(sums),
        wins=int((sums > 0).sum()),
        ties=int((sums == 0).sum()),
        losses=int((sums < 0).sum()),
        exact=exact,
    )


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return p-values corrected for their number: reject below 5 % and 5 % bounds any false rejection.

    Holm (1979), *A simple sequentially rejective multiple test procedure*. It needs no independence.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return corrected


def benjamini_hochberg(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return p-values corrected so that rejecting below 5 % bounds the share of false among all rejections.

    Benjamini & Hochberg (1995), *Controlling the false discovery rate*. It needs independent tests, or
    tests that go up and down together.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")[::-1]
    corrected = np.empty(len(p))
    scaled = p[order] * len(p) / np.arange(len(p), 0, -1)
    corrected[order] = np.minimum(1, np.minimum.accumulate(scaled))
    return corrected


def _checked(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ParameterError("p-values lie between 0 and 1: give them as one list.")
    return p


def _group_sums(gained: PerQuery, labels: Labels) -> np.ndarray:
    """Return the sum of every group, added in an order that permuting the queries does not change."""
    order = np.lexsort((gained, labels))
    return np.bincount(labels[order], weights=gained[order])


def _p_value(sums: np.ndarray, flips: int, rng: np.random.Generator) -> tuple[float, bool]:
    sizes = np.sort(np.abs(sums[sums != 0]))
    reach = abs(np.sort(sums).sum()) - ROUNDING * sizes.sum()
    if len(sizes) <= EXACT:
        totals = np.abs(_all_totals(sizes))
        return float((totals >= reach).mean()), True
    reached = sum(int((np.abs(totals) >= reach).sum()) for totals in _totals(sizes, flips, rng))
    return (reached + 1) / (flips + 1), False


def _all_totals(sizes: np.ndarray) -> np.ndarray:
    """Return the sum under every choice of signs, the first of which is held: the other half mirrors it."""
    totals = np.zeros(1) if not len(sizes) else sizes[:1].copy()
    for size in sizes[1:]:
        totals = np.concatenate([totals + size, totals - size])
    return totals


def _totals(sizes: np.ndarray, flips: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield the sums under random signs, some flips at a time.

    Equal sizes are tossed together, as one binomial number. The others go eight at a time: a random byte
    names their signs, and a table holds the sum for each of its 256 values.
    """
    kinds, copies = np.unique(sizes, return_counts=True)
    many = copies >= MANY
    few = np.repeat(kinds[~many], copies[~many])
    table = _byte_table(few)
    at_once = max(1, BUDGET // max(1, len(table)))
    for start in range(0, flips, at_once):
        count = min(at_once, flips - start)
        totals = np.zeros(count)
        for size, n in zip(kinds[many], copies[many], strict=True):
            totals += size * (2 * rng.binomial(n, 0.5, count) - n)
        if len(table):
            signs = rng.integers(0, 256, (count, len(table)), dtype=np.uint8)
            places = signs + np.arange(0, table.size, 256)
            totals += table.ravel()[places].sum(axis=1)
        yield totals


def _byte_table(sizes: np.ndarray) -> np.ndarray:
    """Return, for every eight sizes, their sum under the signs that the bits of each byte name."""
    padded = np.zeros(-(-len(sizes) // 8) * 8)
    padded[: len(sizes)] = sizes
    signs = 1 - 2 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float64)
    return padded.reshape(-1, 8) @ signs.T
