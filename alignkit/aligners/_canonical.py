"""Canonical directions of two sides: what is projected and predicted by them, and how they are tuned."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from alignkit._params import check_amount
from alignkit.aligners._held_out import Fold, best_of
from alignkit.aligners._reciprocal_rank import rank_and_cosine
from alignkit.aligners._spectrum import Regularization, Spectrum, added_eigenvalue, fixed_signs
from alignkit.aligners._svd import thin_svd
from alignkit.aligners._unit import unit_rows
from alignkit.moments import Moments

Tunable: TypeAlias = float | Literal["cv"]
NAMES = ("regularization", "exponent")
SHARES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)  # of the mean eigenvalue of each side
EXPONENTS = (0.25, 0.5, 1.0, 1.5, 2.0)


@dataclass(frozen=True, slots=True)
class Canonical:
    """Matrices whose columns are the canonical directions of either side, and their correlations.

    ``back`` turns the target's whitened directions into its framed rows.
    """

    source: np.ndarray
    target: np.ndarray
    correlations: np.ndarray
    back: np.ndarray

    @classmethod
    def of(cls, moments: Moments, regularization: Regularization, most: int | None) -> "Canonical":
        """Return at most ``most`` pairs of directions, the most correlated first."""
        xx, xy, yy = moments.about_origin()
        source, target = Spectrum.of(xx), Spectrum.of(yy)
        shift_x, shift_y = (added_eigenvalue(regularization, product, moments.weight) for product in (xx, yy))
        whiten_x, whiten_y = source.power(-0.5, shift_x), target.power(-0.5, shift_y)
        U, s, Vt = thin_svd(whiten_x @ xy @ whiten_y)
        kept = s > s[0] * len(s) * 4 * np.finfo(np.float64).eps
        kept[len(kept) if most is None else most :] = False
        U, V = fixed_signs(U[:, kept], Vt[kept].T)
        return cls(whiten_x @ U, whiten_y @ V, s[kept], (target.power(0.5, shift_y) @ V).T)

    def projections(self, exponent: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the matrices into the joint frame, every direction scaled by its correlation's power."""
        weights = self.correlations**exponent
        return self.source * weights, self.target * weights

    def prediction(self) -> np.ndarray:
        """Return the matrix that predicts framed target rows from framed source rows."""
        return (self.source * self.correlations) @ self.back


def fitted_length(matrix: np.ndarray, moments: Moments) -> np.ndarray:
    """Return the matrix times the one factor with which its predictions come nearest to the target rows."""
    xx, xy, _ = moments.about_origin()
    along, energy = float(np.sum(matrix * xy)), float(np.sum(matrix * (xx @ matrix)))
    return matrix * (along / energy) if along > 0 and energy > 0 else matrix


def check_tunable(regularization: object, exponent: object) -> None:
    """Raise ParameterError unless either is ``"cv"`` or a number of at least 0."""
    for name, value in zip(NAMES, (regularization, exponent), strict=True):
        if value != "cv":
            check_amount(name, value, other=", or 'cv' to choose it by held-out retrieval")


def candidates(
    regularization: Tunable, exponent: Tunable
) -> tuple[tuple[float, ...], tuple[float, ...], str | None]:
    """Return the regularisations and exponents to choose from, and what is to be chosen (None: nothing)."""
    open_ones = [name for name, value in zip(NAMES, (regularization, exponent), strict=True) if value == "cv"]
    return (
        SHARES if regularization == "cv" else (float(regularization),),
        EXPONENTS if exponent == "cv" else (float(exponent),),
        open_ones[0] if open_ones else None,
    )


def choose(
    folds: list[Fold], shares: tuple[float, ...], exponents: tuple[float, ...]
) -> tuple[tuple[float, float], np.ndarray]:
    """Return the regularisation and the exponent that find held-out pairs best, and all scores.

    The scores are the mean reciprocal rank, which decides, and the mean cosine of the pairs less that of
    strangers, which decides where it is level; ``(shares, exponents, 2)``.
    """
    best, mean = best_of(np.array([_scores(fold, shares, exponents) for fold in folds]), folds)
    chosen = shares[best // len(exponents)], exponents[best % len(exponents)]
    return chosen, mean.reshape(len(shares), len(exponents), 2)


def _scores(fold: Fold, shares: tuple[float, ...], exponents: tuple[float, ...]) -> list[tuple[float, float]]:
    """Return mean reciprocal rank and mean cosine of every candidate on one fold."""
    xx, xy, yy = fold.rest.about_origin()
    source, target = Spectrum.of(xx), Spectrum.of(yy)
    # in the axes of the two spectra a whitening is a scaling, so only the SVD is left to every share
    cross = source.vectors.T @ xy @ target.vectors
    X, Y = fold.source @ source.vectors, fold.target @ target.vectors
    found = []
    for share in shares:
        left, right = (
            1 / np.sqrt(side.values + added_eigenvalue(share, product, fold.rest.weight))
            for side, product in ((source, xx), (target, yy))
        )
        U, s, Vt = thin_svd(left[:, None] * cross * right)
        P, Q = (X * left) @ U, (Y * right) @ Vt.T
        found += [_rank_and_contrast(P * s**power, Q * s**power, fold.weight) for power in exponents]
    return found


def _rank_and_contrast(P: np.ndarray, Q: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return the mean reciprocal rank, and the mean cosine of pairs less that of all.

    A cosine alone would favour one common direction in which everything is alike.
    """
    rank, cosine = rank_and_cosine(P, Q, weight)
    means = [weight @ unit_rows(side) / weight.sum() for side in (P, Q)]
    return rank, cosine - float(means[0] @ means[1])
