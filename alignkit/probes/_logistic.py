"""Logistic regressions along a path of penalties: each in few steps, from where the ones before point to."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from alignkit.shapes import ClassScores, Membership, Vectors

ITERATIONS = 1_000
TOLERANCE = (
    1e-6  # of the mean gradient; scikit-learn's own 1e-4 stops where probabilities still move by 0.004
)
FARTHEST = 2.0  # steps of the path that a start may lie ahead


@dataclass(frozen=True, eq=False, slots=True)
class Plane:
    """Logits of rows are ``rows @ weights + biases``, one column per class."""

    weights: np.ndarray
    biases: np.ndarray
    converged: bool


def planes(
    rows: Vectors, truth: ClassScores | Membership, penalties: Sequence[float], *, exclusive: bool
) -> Iterator[Plane]:
    """Yield for each penalty what minimises summed log loss + penalty / 2 x squared length of the weights.

    ``exclusive``: one softmax over the columns of the 0/1 matrix ``truth``; else a sigmoid for each column,
    all solved as one problem. Biases cost nothing.

    The path is walked in coordinates that the rows span, which changes no minimum: weights outside of them
    cost and do nothing. Of 50 examples with 1024 dimensions, 50 numbers a class are left. Each fit starts
    where the line through the two before it leads (Park & Hastie 2007, the predictor step).

    References
    ----------
    Hastie & Tibshirani (2004), *Efficient quadratic regularization for expression arrays*; Park & Hastie
    (2007), *L1-regularization path algorithm for generalized linear models*.
    """
    mean, inner, basis = _spanned(rows)
    loss = _softmax_loss if exclusive else _sigmoid_loss
    shape = (inner.shape[1] + 1, truth.shape[1])
    truth = truth.astype(np.float64)
    past: list[tuple[float, np.ndarray]] = []
    for penalty in penalties:
        found = minimize(
            _objective,
            _start(past, penalty, shape).ravel(),
            args=(inner, truth, penalty, loss),
            jac=True,
            method="L-BFGS-B",
            options={
                "maxiter": ITERATIONS,
                "gtol": TOLERANCE,
                "ftol": 64 * np.finfo(np.float64).eps,
                "maxls": 50,
            },
        )
        past.append((penalty, found.x.reshape(shape)))
        weights, biases = past[-1][1][:-1], past[-1][1][-1]
        weights = weights.copy() if basis is None else basis @ weights
        yield Plane(weights, biases - mean @ weights, converged=bool(found.nit < ITERATIONS))


def _spanned(rows: Vectors) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return the mean, centred rows in fewest coordinates, and the directions of these (None: their own)."""
    rows = np.asarray(rows, dtype=np.float64)
    mean = rows.mean(axis=0)
    if len(rows) >= rows.shape[1]:
        return mean, rows - mean, None
    basis, coordinates = np.linalg.qr((rows - mean).T)
    return mean, np.ascontiguousarray(coordinates.T), basis


def _start(past: list[tuple[float, np.ndarray]], penalty: float, shape: tuple[int, int]) -> np.ndarray:
    """Return where a fit starts: on the line through the last two, as a function of the log penalty."""
    if not past:
        return np.zeros(shape)
    (last, here), (before, there) = past[-1], past[max(-2, -len(past))]
    if last == before:
        return here
    ahead = math.log(penalty / last) / math.log(last / before)
    return here + min(max(ahead, 0.0), FARTHEST) * (here - there)


def _objective(
    point: np.ndarray,
    rows: Vectors,
    truth: ClassScores,
    penalty: float,
    loss: Any,  # Any: one of the two below
) -> tuple[float, np.ndarray]:
    """Return the mean of loss and penalty over rows, and its gradient."""
    point = point.reshape(-1, truth.shape[1])
    total, residuals = loss(rows @ point[:-1] + point[-1], truth)
    gradient = np.empty_like(point)
    gradient[:-1] = (rows.T @ residuals + penalty * point[:-1]) / len(rows)
    gradient[-1] = residuals.sum(axis=0) / len(rows)
    cost = 0.5 * penalty * float(np.vdot(point[:-1], point[:-1]))
    return (total + cost) / len(rows), gradient.ravel()


def _softmax_loss(logits: ClassScores, truth: ClassScores) -> tuple[float, ClassScores]:
    """Return the summed log loss of one class a row, and probabilities less truth."""
    logits -= logits.max(axis=1, keepdims=True)
    right = float(np.vdot(logits, truth))
    odds = np.exp(logits, out=logits)
    sums = odds.sum(axis=1, keepdims=True)
    odds /= sums
    odds -= truth
    return float(np.log(sums).sum()) - right, odds


def _sigmoid_loss(logits: ClassScores, truth: ClassScores) -> tuple[float, ClassScores]:
    """Return the summed log loss of every class by itself, and probabilities less truth."""
    total = float(np.logaddexp(0.0, logits).sum()) - float(np.vdot(logits, truth))
    return total, 0.5 * (1 + np.tanh(0.5 * logits)) - truth
