"""Find rows that nearly coincide: one item encoded twice, found exactly by blocked products."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import betaincinv

from alignkit.errors import DataError
from alignkit.rows import Rows
from alignkit.shapes import Labels

NEAR = 0.985  # lowest at which analyses/split_leak raises no false alarm, with a little room
LIMIT = 20_000_000_000  # comparisons: about 100 CPU seconds at 512 dimensions
CHANCE = 0.01  # strangers that may pass for copies, expected over all comparisons
BLOCK = 8192  # rows framed at a time
TILES = 1024, 2048  # rows of either side compared at a time: 8 MB of scores, which the caches nearly hold
SCREEN = 64  # dimensions of the first look
CHEAP = 200_000_000  # multiplications below which a first look costs more than it saves
ROUNDING = 1e-5  # of a float32 product of unit rows, with room to spare
SAMPLE = 4096  # rows that show which directions matter
EDGES = 1_000_000  # pairs held before they are summed up in labels


@dataclass(frozen=True, slots=True)
class NearMatches:
    """Which rows have a near-duplicate on the other side, of those that were compared, and by which cosine.

    ``rows`` and ``partners`` hold positions of either side, one partner for each row.
    """

    rows: np.ndarray
    partners: np.ndarray
    compared: int
    threshold: float


def near_matches(
    left: Rows, right: Rows, *, threshold: float = NEAR, limit: int = LIMIT, seed: int = 0
) -> NearMatches:
    """Return the rows of ``left`` that have a near-duplicate in ``right``.

    Rows are divided by their length, centred by the mean of both sides and divided again; two of them are
    near-duplicates if their cosine reaches the threshold. That is exact: the first look, in 64 dimensions,
    bounds the cosine from above, and what passes is computed in float64. In a space of few dimensions
    strangers come that close as well; there the threshold rises until chance would yield 0.01 pairs in all
    comparisons. A row that points nowhere matches nothing.

    Memory is that of ``left`` and one block of ``right``. Beyond ``limit`` comparisons a random sample of
    ``left`` is looked at, and ``compared`` says how large it was.

    Raises
    ------
    DataError
        If the two sides have different dimensions.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 32))
    >>> near_matches(X[:5] + 0.01, X[3:]).rows.tolist()
    [3, 4]
    """
    if left.shape[1] != right.shape[1]:
        raise DataError(
            f"rows of {left.shape[1]} and {right.shape[1]} dimensions cannot be near one another."
        )
    most = max(1, limit // max(1, len(right)))
    chosen = np.arange(len(left))
    if len(left) > most:
        chosen = np.sort(np.random.Generator(np.random.PCG64(seed)).permutation(len(left))[:most])
    search = _Search(left, right, threshold, len(chosen) * len(right))
    partners = np.full(len(left), -1)
    for rows, found in search.pairs(chosen, np.arange(len(right))):
        partners[rows] = found
    rows = np.flatnonzero(partners >= 0)
    return NearMatches(rows, partners[rows], len(chosen), search.threshold)


def near_labels(rows: Rows, *, threshold: float = NEAR, limit: int = LIMIT) -> Labels:
    """Return one label per row; rows that are near-duplicates, directly or by way of others, share it.

    Near is as for `near_matches`. Labels count from 0 in the order of first appearance. 100,000 rows of 512
    dimensions take about 25 CPU seconds; all rows are held in memory in float32.

    Raises
    ------
    DataError
        If there are more rows than ``limit`` comparisons allow: a sample could not tell all copies.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(30, 32))
    >>> near_labels(np.concatenate([X, X[:2] + 0.01])).tolist()[-4:]
    [28, 29, 0, 1]
    """
    n = len(rows)
    if n * (n - 1) // 2 > limit:
        raise DataError(
            f"{n} rows would take {n * (n - 1) // 2:.1e} comparisons, more than the {limit:.1e} allowed: "
            "name what belongs together in a metadata column and group by it instead."
        )
    search = _Search(rows, rows, threshold, n * (n - 1) // 2)
    labels, first, second, held = np.arange(n), [], [], 0
    for start in range(0, n, BLOCK):
        some = np.arange(start, min(start + BLOCK, n))
        for one, other in search.pairs(np.arange(start, n), some):
            first.append(one)
            second.append(other)
            held += len(one)
            if held > EDGES:
                labels = _joined(labels, first, second)
                first, second, held = [], [], 0
    labels = _joined(labels, first, second)
    _, place, back = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(place))[back]


class _Search:
    """Rows of two sides in their common frame, and which pairs of them are near."""

    def __init__(self, left: Rows, right: Rows, threshold: float, comparisons: int) -> None:
        self.left, self.right = left, right
        self.mean = _mean(left, right)
        sample = np.concatenate([self._framed(side, _spread(len(side))) for side in (left, right)])
        self.threshold = max(threshold, _chance_threshold(_dimension(sample), comparisons))
        self.basis = None
        if comparisons * left.shape[1] > CHEAP:
            basis = _leading(sample)
            seen = np.square(sample @ basis).sum() / max(1.0, np.square(sample).sum())
            self.basis = basis if seen > 1 / 4 else None  # else nearly all would pass the first look

    def pairs(self, left: np.ndarray, right: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the near pairs among some rows of either side, as positions of both."""
        ours = [self._looked_at(self.left, left[i : i + BLOCK]) for i in range(0, len(left), BLOCK)]
        P = np.concatenate(ours) if ours else np.empty((0, 1), np.float32)
        least = np.float32(self.threshold - ROUNDING)
        for start in range(0, len(right), TILES[1]):
            Q = self._looked_at(self.right, right[start : start + TILES[1]]).T
            for first in range(0, len(left), TILES[0]):
                scores = P[first : first + TILES[0]] @ Q
                if scores.max() < least:  # the common case costs one pass
                    continue
                rows, columns = np.nonzero(scores >= least)
                rows, columns = left[rows + first], right[columns + start]
                for part in range(0, len(rows), BLOCK):
                    one, other = rows[part : part + BLOCK], columns[part : part + BLOCK]
                    near = self._cosines(one, other) >= self.threshold - 1e-12
                    yield one[near], other[near]

    def _looked_at(self, side: Rows, rows: np.ndarray) -> np.ndarray:
        """Return framed rows for a first look: leading coordinates, and the length of all others."""
        V = self._framed(side, rows).astype(np.float32)
        if self.basis is None:
            return V
        P = V @ self.basis.astype(np.float32)
        rest = np.sqrt(np.maximum(np.square(V).sum(axis=1) - np.square(P).sum(axis=1), 0))
        return np.column_stack([P, rest])

    def _cosines(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        P, Q = self._framed(self.left, left), self._framed(self.right, right)
        return np.einsum("nd,nd->n", P, Q)

    def _framed(self, side: Rows, rows: np.ndarray) -> np.ndarray:
        V = _unit(side[rows])
        V -= V.any(axis=1, keepdims=True) * self.mean
        return _unit(V, least=1e-9)  # a row at the mean is left with rounding errors, no direction


def _unit(rows: np.ndarray, least: float = 0.0) -> np.ndarray:
    """Return rows of length 1 in float64; one that is no longer than ``least``, or not finite, is zeros."""
    V = np.asarray(rows, dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        largest = np.abs(V).max(axis=1, keepdims=True)
        bad = ~(np.isfinite(largest) & (largest > least))
        V = np.where(bad, 0.0, V / np.where(bad, 1.0, largest))
    return V / np.where(bad, 1.0, np.linalg.norm(V, axis=1, keepdims=True))


def _mean(left: Rows, right: Rows) -> np.ndarray:
    total, count = np.zeros(left.shape[1]), 0
    for side in (left, right):
        for start in range(0, len(side), BLOCK):
            V = _unit(side[start : start + BLOCK])
            total += V.sum(axis=0)
            count += len(V)
    return total / max(1, count)


def _spread(n: int) -> np.ndarray:
    """Return up to SAMPLE row numbers, evenly spread."""
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, SAMPLE)).astype(np.int64))


def _dimension(sample: np.ndarray) -> float:
    """Return the effective number of dimensions, (tr C)^2 / tr C^2."""
    C = sample.T @ sample
    square = float(np.square(C).sum())
    return float(np.trace(C)) ** 2 / square if square > 0 else 1.0


def _chance_threshold(dimension: float, comparisons: int) -> float:
    """Return the cosine that CHANCE pairs of random directions are expected to reach."""
    if dimension <= 1 + 1e-6:
        return 1.0 + 1e-9  # on a line every cosine is 1 or -1: nothing can be told
    share = min(1.0, 2 * CHANCE / max(1, comparisons))
    return float(np.sqrt(1 - betaincinv((dimension - 1) / 2, 0.5, share)))


def _leading(sample: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of nearly the leading SCREEN directions, by two power steps.

    Any basis gives the right answer; a better one lets fewer pairs pass the first look.
    """
    start = np.random.Generator(np.random.PCG64(0)).normal(size=(sample.shape[1], SCREEN))
    C = sample.T @ sample
    return np.linalg.qr(C @ np.linalg.qr(C @ start)[0])[0]


def _joined(labels: np.ndarray, first: list[np.ndarray], second: list[np.ndarray]) -> np.ndarray:
    """Return labels in which the pairs share theirs."""
    if not first:
        return labels
    n = int(labels.max(initial=-1)) + 1
    one, other = labels[np.concatenate(first)], labels[np.concatenate(second)]
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(n, n))
    return connected_components(graph, directed=False)[1][labels]
