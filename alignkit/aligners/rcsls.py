"""Fit the matrix whose pairs stand out among neighbours: relaxed CSLS, RCSLS (Joulin et al. 2018)."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from alignkit._params import check_amount, check_count, check_flag
from alignkit.aligners._both_nearest import Nearest, nearest_exactly
from alignkit.aligners._csls import NEIGHBOURS
from alignkit.aligners._frame import Normalize
from alignkit.aligners._rotation import rotation_of
from alignkit.aligners._svd import thin_svd
from alignkit.aligners._unit import unit_rows
from alignkit.aligners._vocabulary import Vocabulary, VocabularyAligner
from alignkit.errors import DataError, ParameterError
from alignkit.shapes import SourceVectors

FINEST = 2.0**-20  # of the first step: below it the search has come to rest


class Rcsls(VocabularyAligner):
    """Minimise the CSLS loss of the pairs over matrices, from the Procrustes rotation downhill.

    The loss of a matrix ``R`` is the mean over the pairs of ``-2 (x R) y``, plus the mean of ``(x R) z``
    over the ``neighbours`` targets ``z`` nearest to ``x R``, plus the mean of ``(z R) y`` over the
    ``neighbours`` sources ``z`` whose images are nearest to ``y``; all rows are unit rows, and products
    stand for cosines as in the paper. It is convex, and a maximum of linear functions.

    The order is: normalise both sides; Procrustes on the pairs; then ``steps`` trials along the steepest
    descent of the whole loss: a trial that lowers it is taken, any other one is dropped and the step
    halved, so the loss never rises; with ``spectral`` each trial is first projected onto the matrices
    whose singular values are at most 1. At the end one factor fits the lengths of the rows; it changes
    no direction.

    Without ``spectral`` the loss has no minimum: it doubles where ``R`` is doubled, so more steps fit the
    pairs ever closer. The few steps are what holds it back. `fit` has only pairs, so their distinct rows
    are the neighbours that are pushed away; hand over all rows of both sides with `fit_vocabulary`. A
    trial costs two products of all pairs with a vocabulary; nothing is drawn at random.

    Parameters
    ----------
    steps
        Trials, taken or dropped; 0 leaves the rotation.
    rate
        Length of the first step, as a share of the length of the rotation (Frobenius).
    spectral
        Keep the singular values at most 1, as the paper's relaxation asks.
    neighbours
        Neighbours on either side.
    normalize
        The frames; see `FramedAligner`.

    Attributes
    ----------
    history_
        One row for the start and for every trial: the loss of the matrix kept, and the step tried.

    References
    ----------
    Joulin, Bojanowski, Mikolov, Jégou and Grave (2018), *Loss in translation: learning bilingual word
    mapping with a retrieval criterion*, section 3. Differences from its code: a step that raises the loss
    is taken back in fact, the step is measured against the matrix, and no batch is drawn.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, S = rng.normal(size=(300, 8)), rng.normal(size=(8, 8))
    >>> fitted = Rcsls(steps=5).fit(X, X @ S)
    >>> bool(fitted.history_[-1, 0] < fitted.history_[0, 0])
    True
    """

    def __init__(
        self,
        *,
        steps: int = 10,
        rate: float = 0.075,
        spectral: bool = True,
        neighbours: int = NEIGHBOURS,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.steps = steps
        self.rate = rate
        self.spectral = spectral
        self.neighbours = neighbours

    def _check_params(self) -> None:
        super()._check_params()
        check_count("steps", self.steps, least=0)
        check_count("neighbours", self.neighbours, least=1)
        check_amount("rate", self.rate)
        check_flag("spectral", self.spectral)
        if self.rate == 0:
            raise ParameterError("rate is 0: no step would be taken; give a share such as 0.1, or steps=0.")

    def _learn(self, known: Vocabulary, *, ordered: bool) -> None:  # noqa: ARG002
        loss = _Loss(known, self.neighbours)
        here = loss.at(rotation_of(known.source, known.target, known.links, known.weights))
        steepness = float(np.linalg.norm(here.gradient))
        step = first = self.rate * float(np.linalg.norm(here.matrix)) / steepness if steepness > 0 else 0.0
        history = [(here.value, 0.0)]
        while len(history) <= self.steps and step > FINEST * first:
            trial = here.matrix - step * here.gradient
            if not np.isfinite(trial).all():
                raise DataError(f"step {len(history)} left the range of float64: give a smaller rate.")
            there = loss.at(_clipped(trial) if self.spectral else trial)
            taken = there.value < here.value
            here = there if taken else here
            history.append((here.value, step))
            step = step if taken else step / 2
        self.matrix_ = here.matrix * _fitting_length(known, here.matrix)
        self.history_ = np.array(history)


@dataclass(frozen=True, slots=True)
class _Point:
    """A matrix, its loss, and a (sub)gradient of the loss there."""

    matrix: np.ndarray
    value: float
    gradient: np.ndarray


class _Loss:
    def __init__(self, known: Vocabulary, neighbours: int) -> None:
        self.source, self.target = unit_rows(known.source), unit_rows(known.target)
        self.x, self.y = self.source[known.links[:, 0]], self.target[known.links[:, 1]]
        self.weights = known.weights / known.weights.sum()
        self.neighbours = neighbours

    def at(self, matrix: np.ndarray) -> _Point:
        images = self.x @ matrix
        ahead = nearest_exactly(images, self.target, self.neighbours)
        back = nearest_exactly(self.y, self.source @ matrix, self.neighbours)
        # the neighbours are fixed, so every term is linear in the matrix
        pushed = _means_of(ahead, self.target) - 2 * self.y
        pulled = _means_of(back, self.source)
        values = np.einsum("md,md->m", images, pushed) + np.einsum("md,md->m", pulled @ matrix, self.y)
        weights = self.weights[:, None]
        gradient = (self.x * weights).T @ pushed + pulled.T @ (self.y * weights)
        return _Point(matrix, float(self.weights @ values), gradient)


def _means_of(found: Nearest, rows: SourceVectors) -> np.ndarray:
    """Return the mean of the rows that were found, for every line."""
    n, k = found.indices.shape
    picked = csr_array(
        (np.full(n * k, 1 / k), found.indices.reshape(-1), np.arange(n + 1) * k), shape=(n, len(rows))
    )
    return picked @ rows


def _clipped(matrix: np.ndarray) -> np.ndarray:
    """Return the nearest matrix whose singular values are at most 1."""
    U, s, Vt = thin_svd(matrix)
    return (U * np.minimum(s, 1)) @ Vt


def _fitting_length(known: Vocabulary, matrix: np.ndarray) -> float:
    """Return the factor with which the images of the linked rows come nearest to their partners."""
    images = known.source[known.links[:, 0]] @ matrix * np.sqrt(known.weights)[:, None]
    partners = known.target[known.links[:, 1]] * np.sqrt(known.weights)[:, None]
    along, energy = float(np.sum(images * partners)), float(np.sum(images * images))
    return along / energy if along > 0 and energy > 0 else 1.0
