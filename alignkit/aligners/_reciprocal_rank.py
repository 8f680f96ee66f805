"""The mean reciprocal rank of paired rows, for choosing a parameter inside a fit."""

import numpy as np

from alignkit.aligners._unit import unit_rows
from alignkit.shapes import Vectors, Weights


def rank_and_cosine(P: Vectors, Q: Vectors, weight: Weights) -> tuple[float, float]:
    """Return the weighted mean over both directions of 1/rank, and the weighted mean cosine of the pairs.

    Ranks are by cosine, ties by expectation. Row i of ``P`` belongs to row i of ``Q`` and to no other; a
    collapsed map scores at chance.
    """
    S = unit_rows(P) @ unit_rows(Q).T
    own = np.diag(S)
    forward = _expected(np.greater(S, own[:, None]), np.equal(S, own[:, None]), axis=1)
    backward = _expected(np.greater(S, own), np.equal(S, own), axis=0)
    return float(weight @ (forward + backward) / (2 * weight.sum())), float(weight @ own / weight.sum())


def _expected(above: np.ndarray, equal: np.ndarray, axis: int) -> np.ndarray:
    best = above.sum(axis=axis)  # rows that are surely in front
    last = best + equal.sum(axis=axis)  # the pair itself is among the equal ones
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, len(above) + 1))])
    return (harmonic[last] - harmonic[best]) / (last - best)
