"""How far a chain of maps strays: what comes back from a cycle, and a bound made of the parts' errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from alignkit.alignment import Alignment
from alignkit.errors import PairingError
from alignkit.rows import Rows
from alignkit.shapes import SourceVectors, TargetVectors, Vectors
from alignkit.spaces import Embeddings, Space


@dataclass(frozen=True, slots=True)
class CycleError:
    """How far rows are from where they came back to.

    Parameters
    ----------
    cosine
        Mean of 1 - cosine, in [0, 2].
    distance
        Root mean square distance, as a share of that of the rows from their mean: 0 means that they came
        back, 1 that answering with the mean would have been as near.
    n
        Rows that went round.
    """

    cosine: float
    distance: float
    n: int


@dataclass(frozen=True, slots=True)
class ChainBound:
    """An upper bound of a chain's error in its last space, made of the errors of its parts.

    All are root mean squares, as shares of the spread of the last space's rows (their root mean square
    distance from their mean).

    Parameters
    ----------
    carried
        For every part, its error on its own pairs after the rest of the chain has carried it on.
    gains
        For every part, by how much the rest of the chain stretches its errors; 1 for the last part.
    bound
        Sum of ``carried``: no chain of these parts errs by more on the same rows.
    estimate
        Root of the sum of the squares of ``carried``: the error if the parts err independently.
    """

    carried: tuple[float, ...]
    gains: tuple[float, ...]
    bound: float
    estimate: float


def cycle_error(there: Alignment, rows: Embeddings | Rows, back: Alignment | None = None) -> CycleError:
    """Return how far rows of the source are from what comes back after going ``there`` and ``back``.

    Both distances are taken in the source's own frame; a row of zeros has cosine 0 with any. Without
    ``back`` the way back is the inverse of ``there``, and the error that of its rounding and of the row
    lengths that a unit step discards; with a map fitted in the other direction, or a chain by way of other
    spaces, it says what the cycle loses. A small error is no proof of a good map: any map and its inverse
    have none.

    Raises
    ------
    NotInvertibleError
        If there is no ``back`` and the map has no inverse.
    SpaceMismatchError
        If the way back starts or ends in another space.

    Examples
    --------
    >>> from alignkit.aligners.procrustes import Procrustes
    >>> rng = np.random.default_rng(0)
    >>> X, Q = rng.normal(size=(50, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> there = Alignment("procrustes", Procrustes(normalize="none").fit(X, X @ Q), Space(4), Space(4))
    >>> back = Alignment("procrustes", Procrustes(normalize="none").fit(X @ Q, X), Space(4), Space(4))
    >>> round(cycle_error(there, X, back).distance, 9)
    0.0
    """
    cycle = there.then(there.inverse() if back is None else back)
    cycle.source.check_meets(cycle.target, "the start of this cycle")
    start = _array(rows, there.source, "the start of this cycle")
    end = _mapped([cycle], start)
    lengths = _lengths(start) * _lengths(end)
    cosine = np.einsum("nd,nd->n", start, end) / np.where(lengths > 0, lengths, 1)
    return CycleError(float(1 - cosine.mean()), _rms(end - start) / _spread(start), len(start))


def chain_error(parts: Sequence[Alignment], source: Embeddings | Rows, target: Embeddings | Rows) -> float:
    """Return the root mean square distance of mapped rows from their partners, as a share of the spread.

    Row i of ``source`` belongs to row i of ``target``. The distance is taken in the target's own frame,
    the spread is the root mean square distance of the target's rows from their mean.

    Raises
    ------
    PairingError
        If there is no part, or the sides have different lengths.
    SpaceMismatchError
        If the parts or the sides do not meet.
    """
    _check_chain(parts)
    x = _array(source, parts[0].source, "the source of this chain")
    y = _array(target, parts[-1].target, "the target of this chain")
    if len(x) != len(y):
        raise PairingError(f"the chain has {len(x)} rows to map and {len(y)} partners: align them.")
    return _rms(_mapped(parts, x) - y) / _spread(y)


def chain_bound(
    parts: Sequence[Alignment], pairs: Sequence[tuple[Embeddings | Rows, Embeddings | Rows]]
) -> ChainBound:
    r"""Return an upper bound of the error of ``parts`` applied one after the other.

    ``pairs`` holds, for every part, rows of its source beside rows of its target that it was not fitted
    on. With maps ``f_1 ... f_k``, pairs ``(z_(j-1), z_j)`` of part j and the rest of the chain behind it
    ``F_j = f_k o ... o f_(j+1)``, the inequality is

    .. math:: |F_0(z_0) - z_k| \le \sum_j |F_j(f_j(z_{j-1})) - F_j(z_j)| = \sum_j g_j |f_j(z_{j-1}) - z_j|,

    with ``|.|`` the root mean square over rows and ``g_j`` the gain: the triangle inequality, one part
    after the other, then Minkowski's. Where the maps behind part j are matrices between frames that only
    centre, ``g_j`` is at most the product of their operator norms; the gain that is measured on the
    errors themselves is smaller, and holds through normalisations too, which have no norm.

    On rows that all spaces hold the bound holds exactly. On held-out rows that differ from part to part it
    holds up to what sampling scatters. Of two parts it is at most ``sqrt(2 / (1 + r))`` times the error,
    with ``r`` the correlation of the two carried errors: 1.41 times where they are independent (then
    ``estimate`` is the error), 2 times at -1/2. What scatters the rows of a middle space, and no map
    follows, stands in both errors with opposite signs and cancels in the chain: where all spaces scatter
    alike, ``r`` is -1/2, and the bound of k parts is k times the error. A map followed by its own
    inverse does not err at all, and there the bound says nothing.

    Raises
    ------
    PairingError
        If there is not one set of pairs for each part, or the sides of one have different lengths.
    SpaceMismatchError
        If the parts or their pairs do not meet.

    Examples
    --------
    >>> from alignkit.aligners.procrustes import Procrustes
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 4))
    >>> Y, Z = (X + 0.1 * rng.normal(size=X.shape) for _ in range(2))
    >>> fitted = [Procrustes(normalize="center").fit(*rows) for rows in ((X, Y), (Y, Z))]
    >>> parts = [Alignment("procrustes", each, Space(4), Space(4)) for each in fitted]
    >>> found = chain_bound(parts, [(X, Y), (Y, Z)])
    >>> chain_error(parts, X, Z) <= found.bound
    True
    """
    if len(parts) != len(pairs):
        raise PairingError(f"there are {len(pairs)} sets of pairs for {len(parts)} maps: give one for each.")
    _check_chain(parts)
    carried, gains = [], []
    for j, (part, (source, target)) in enumerate(zip(parts, pairs, strict=True)):
        x = _array(source, part.source, f"the source of part {j} of the chain")
        y = _array(target, part.target, f"the target of part {j} of the chain")
        if len(x) != len(y):
            raise PairingError(f"part {j} of the chain has pairs of {len(x)} and {len(y)} rows: align them.")
        found, rest = part.aligner.transform(x), parts[j + 1 :]
        error, moved = _rms(found - y), _rms(_mapped(rest, found) - _mapped(rest, y))
        carried.append(moved)
        gains.append(moved / error if error > 0 else 0.0)
    spread = _spread(_array(pairs[-1][1], parts[-1].target, "the end of this chain"))
    shares = tuple(moved / spread for moved in carried)
    return ChainBound(shares, tuple(gains), sum(shares), float(np.sqrt(sum(e * e for e in shares))))


def _check_chain(parts: Sequence[Alignment]) -> None:
    if not parts:
        raise PairingError("the chain has no part: give one map or more.")
    for first, second in pairwise(parts):
        second.source.check_meets(first.target, f"the next map of the chain ({second.method})")


def _array(rows: Embeddings | Rows, space: Space, what: str) -> Vectors:
    if isinstance(rows, Embeddings):
        space.check_meets(rows.space, what)
        rows = rows.vectors
    return np.asarray(rows[:], dtype=np.float64)


def _mapped(parts: Sequence[Alignment], rows: SourceVectors) -> TargetVectors:
    mapped: np.ndarray = rows
    for part in parts:
        mapped = part.aligner.transform(mapped)
    return mapped


def _lengths(rows: Vectors) -> np.ndarray:
    return np.sqrt(np.einsum("nd,nd->n", rows, rows))


def _rms(rows: Vectors) -> float:
    return float(np.sqrt(np.mean(np.einsum("nd,nd->n", rows, rows))))


def _spread(rows: Vectors) -> float:
    """Return the root mean square distance from the mean; rows that are all alike have a spread of 1."""
    spread = _rms(rows - rows.mean(axis=0))
    return spread if spread > 0 else 1.0
