"""Linear probe: logistic regression on frozen embeddings, across given folds (Alain & Bengio 2016)."""

from collections.abc import Callable, Hashable, Iterator, Sequence

import numpy as np

from alignkit.probes._logistic import Plane, planes
from alignkit.probes.cross_fit import Fit, Path, Recipe, cross_fit
from alignkit.probes.resampling import Resampling
from alignkit.probes.scoring import ProbeResult, blind_calls, check_rows, score_table
from alignkit.probes.targets import Targets
from alignkit.shapes import ClassScores, Labels, Membership, Vectors


def linear_probe(
    rows: Vectors,
    labels: np.ndarray | Sequence[Hashable],
    folds: np.ndarray,
    *,
    classes: Sequence[Hashable] | None = None,
    groups: np.ndarray | None = None,
    recipe: Recipe | None = None,
    resampling: Resampling | None = None,
) -> ProbeResult:
    """Return what a linear classifier reads from rows that it was not fitted to.

    ``labels`` name one class per row (multinomial regression), or are a 0/1 matrix with the columns
    ``classes`` (a sigmoid for each class). ``folds`` are the data set's own: five of ESC-50, ten of
    UrbanSound8K; each is scored by a fit to the others. ``groups`` say which rows stem from one recording:
    they are drawn together in the intervals, and counted where they lie in several folds.

    The fits are held fixed in the intervals. Chance is a predictor that sees labels alone. ``map`` ranks the
    rows of all folds together: where folds take different penalties their probabilities are not alike, which
    costs it a little (ESC-50 in CLAP's space: .988 so, .990 with one penalty for all). All rows are held in
    double precision, twice over; 400 rows of 1,024 dimensions and 10 classes take 2 s of one core, 2,000 rows
    of 512 and 50 classes a quarter of a minute.

    Raises
    ------
    DataError
        If rows, labels, folds or groups do not fit, or the training rows of a fold have a single class.

    References
    ----------
    Alain & Bengio (2016), *Understanding intermediate layers using linear classifier probes*; Radford et al.
    (2021), appendix A.3, for the sweep of the penalty.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels, folds = np.arange(60) % 3, np.arange(60) // 20
    >>> rows = np.eye(3)[labels] + 0.1 * rng.normal(size=(60, 3))
    >>> linear_probe(rows, labels, folds).scores["accuracy"].value
    1.0
    """
    result = probe(rows, Targets.of(labels, classes), folds, logistic_path, (groups, recipe, resampling))
    result.facts["probe"] = "linear"
    return result


def probe(
    rows: Vectors,
    targets: Targets,
    folds: np.ndarray,
    path: Path,
    options: tuple[np.ndarray | None, Recipe | None, Resampling | None],
) -> ProbeResult:
    """Return the scores of any classifier across folds; ``options`` are groups, recipe and resampling."""
    groups, recipe, resampling = options
    check_rows(rows, targets)
    fitted = cross_fit(rows, targets, folds, path, recipe or Recipe(), groups=groups)
    scores, facts = score_table(
        fitted.probabilities,
        targets,
        blind_calls(targets),
        groups=groups,
        resampling=resampling or Resampling(),
    )
    chance = "the most frequent class" if targets.exclusive else "every class called for every row"
    return ProbeResult(scores, targets, fitted.probabilities, {**facts, **fitted.facts, "chance": chance})


def logistic_path(
    rows: Vectors, truth: Membership, exclusive: bool, penalties: Sequence[float]
) -> Iterator[Fit]:
    """Yield a logistic regression for each penalty, each started where the one before ended."""
    if exclusive:
        return _multinomial(rows, truth, penalties)
    return _sigmoids(rows, truth, penalties)


def _multinomial(rows: Vectors, truth: Membership, penalties: Sequence[float]) -> Iterator[Fit]:
    present = np.flatnonzero(truth.any(axis=0))
    pair = len(present) == len(("one", "other"))  # of two, the second against the first: one plane
    columns = present[1:] if pair else present
    for plane in planes(rows, truth[:, columns], penalties, exclusive=not pair):
        yield Fit(_softmax_of(plane, present, truth.shape[1]), plane.converged)


def _softmax_of(plane: Plane, present: Labels, n_classes: int) -> Callable[[Vectors], ClassScores]:
    """Return what gives probabilities; classes that were not trained on get 0."""
    weights, biases = plane.weights, plane.biases
    if len(biases) < len(present):
        weights, biases = np.hstack([0 * weights, weights]), np.r_[0.0, biases]

    def probabilities(V: Vectors) -> ClassScores:
        logits = V @ weights + biases
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        out = np.zeros((len(V), n_classes))
        out[:, present] = odds / odds.sum(axis=1, keepdims=True)
        return out

    return probabilities


def _sigmoids(rows: Vectors, truth: Membership, penalties: Sequence[float]) -> Iterator[Fit]:
    varied = np.asarray(truth.any(axis=0) & ~truth.all(axis=0))
    if not varied.any():
        yield from (Fit(_sigmoid_of(None, truth, varied), True) for _ in penalties)
        return
    for plane in planes(rows, truth[:, varied], penalties, exclusive=False):
        yield Fit(_sigmoid_of(plane, truth, varied), plane.converged)


def _sigmoid_of(
    plane: Plane | None, truth: Membership, varied: np.ndarray
) -> Callable[[Vectors], ClassScores]:
    """Return what gives probabilities; a class that all or no rows have is taken as it is."""
    constant = truth.all(axis=0).astype(np.float64)

    def probabilities(V: Vectors) -> ClassScores:
        out = np.tile(constant, (len(V), 1))
        if plane is not None:
            out[:, varied] = 0.5 * (1 + np.tanh(0.5 * (V @ plane.weights + plane.biases)))
        return out

    return probabilities
