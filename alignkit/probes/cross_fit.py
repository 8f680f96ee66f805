"""Fit a classifier on all folds but one and score the one, with its penalty chosen on the training folds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.probes.counting import top_shares
from alignkit.probes.targets import Targets
from alignkit.shapes import ClassScores, Labels, Membership, Vectors

Scale: TypeAlias = Literal["standard", "unit", "root-unit", "none"]
SCALES = ("standard", "unit", "root-unit", "none")
TINY = 1e-12  # probabilities below it cost as much as it does


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted classifier: ``probabilities`` takes rows and returns one column per class."""

    probabilities: Callable[[Vectors], ClassScores]
    converged: bool


Path: TypeAlias = Callable[[Vectors, Membership, bool, Sequence[float]], Iterator[Fit]]
"""Takes rows, truth, whether classes exclude one another, and penalties; yields a fit for each penalty."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Say how a probe is fitted; every field is repeated among the facts of the result.

    Parameters
    ----------
    penalties
        Weights of half the squared length of the coefficients against the summed log loss (scikit-learn's
        1 / C of logistic regression, and alpha of its MLP). One of them is taken as it is. Of several, the
        one with the fewest mistakes on inner folds, which see training rows alone; where rows may have
        several classes, or mistakes are equal, the one with the least log loss.
    inner_folds
        How many inner folds at most. They are made of whole outer folds where two or more are left to train
        on (so takes of one recording stay together as the data set deals them), else of whole groups.
    scale
        What is done to rows first: ``"unit"`` (each row to unit length), ``"root-unit"`` (the root of each
        number, with its sign, and then unit length: the Hellinger kernel of Arandjelović and Zisserman 2012,
        for activations, of which few are large), ``"standard"`` (each dimension centred and of unit variance
        on the training rows; penalties are then some thousand times larger) or ``"none"``.
    seed
        Of everything random.
    """

    penalties: tuple[float, ...] = (1e1, 1.0, 1e-1, 1e-2, 1e-3, 1e-4)
    inner_folds: int = 3
    scale: Scale = "unit"
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.penalties or not all(np.isfinite(p) and p > 0 for p in self.penalties):
            raise ParameterError(f"penalties are {self.penalties}: name one or more positive numbers.")
        if self.inner_folds < 2:
            raise ParameterError(f"inner_folds is {self.inner_folds}: a penalty is chosen on 2 or more.")
        if self.scale not in SCALES:
            raise ParameterError(f"scale is {self.scale!r}: choose one of {', '.join(SCALES)}.")


@dataclass(frozen=True, eq=False, slots=True)
class CrossFit:
    """Class probabilities of rows from fits that did not see them.

    ``facts`` tells the folds, the penalty that each took and whether all fits converged.
    """

    probabilities: ClassScores
    facts: dict[str, Any]


def cross_fit(
    rows: Vectors,
    targets: Targets,
    folds: np.ndarray,
    path: Path,
    recipe: Recipe,
    *,
    groups: np.ndarray | None = None,
) -> CrossFit:
    """Return probabilities for every row from a classifier that was fitted without its fold.

    ``folds`` holds one label per row: the data set's own folds. Order, for each fold: choose the penalty on
    inner folds of the other rows; fit on all of them; score the fold. ``groups`` never move a row: where
    one lies in several folds, as a few recordings of ESC-50 do, the facts count it.

    Raises
    ------
    DataError
        If there are fewer than two folds, or the training rows of one have a single class.
    """
    folds = fold_codes(folds, len(targets))
    probabilities = np.empty(targets.matrix.shape)
    chosen, converged, order = [], True, content_order(rows)
    for fold in np.unique(folds):
        train, test = order[folds[order] != fold], order[folds[order] == fold]
        truth = targets.matrix[train]
        own = None if groups is None else np.asarray(groups)[train]
        inner = _inner_folds(folds[train], own, recipe)
        penalty = _choose(rows[train], truth, targets.exclusive, inner, path, recipe)
        fit, prepare = _fitted(rows[train], truth, targets.exclusive, (penalty,), path, recipe.scale)
        only = next(fit)
        probabilities[test] = only.probabilities(prepare(rows[test]))
        chosen.append(penalty)
        converged = converged and only.converged
    facts = {
        "folds": len(chosen),
        "groups_across_folds": _across(folds, groups),
        "penalties": list(recipe.penalties),
        "chosen": chosen,
        "chosen_at_edge": sum(chosen.count(end) for end in _ends(recipe.penalties)),
        "inner_folds": recipe.inner_folds,
        "scale": recipe.scale,
        "fit_seed": recipe.seed,
        "converged": converged,
    }
    return CrossFit(probabilities, facts)


def content_order(rows: Vectors) -> Labels:
    """Return the rows sorted by what they hold: fitted so, no permutation of them changes a fit."""
    return np.lexsort(np.asarray(rows).T[::-1])


def fold_codes(folds: np.ndarray, n: int) -> Labels:
    """Return folds as numbers; raise DataError unless there is one label per row and at least two folds."""
    if np.shape(folds) != (n,):
        raise DataError(f"folds have shape {np.shape(folds)} for {n} rows: give one label per row.")
    names, codes = np.unique(folds, return_inverse=True)
    if len(names) < 2:
        raise DataError(f"all rows are in fold {names.tolist()[0]!r}: a probe needs two folds or more.")
    return codes.ravel()


def scaler(rows: Vectors, scale: Scale) -> Callable[[Vectors], Vectors]:
    """Return a function that scales rows with the numbers of these training rows."""
    if scale == "none":
        return lambda V: np.asarray(V, dtype=np.float64)
    if scale == "unit":
        return _unit
    if scale == "root-unit":
        return lambda V: _unit(np.sign(V) * np.sqrt(np.abs(np.asarray(V, dtype=np.float64))))
    rows = np.asarray(rows, dtype=np.float64)
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    # a dimension that is constant but for rounding carries nothing: it stays as small as it is
    spread = np.where(spread > 1e-7 * np.abs(mean), spread, np.maximum(np.abs(mean), 1.0))
    return lambda V: (np.asarray(V, dtype=np.float64) - mean) / spread


def _unit(rows: Vectors) -> Vectors:
    rows = np.asarray(rows, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1.0)


def _fitted(
    rows: Vectors, truth: Membership, exclusive: bool, penalties: Sequence[float], path: Path, scale: Scale
) -> tuple[Iterator[Fit], Callable[[Vectors], Vectors]]:
    if exclusive and truth.any(axis=0).sum() < 2:
        raise DataError("the training rows of a fold have a single class: deal the rows into other folds.")
    prepare = scaler(rows, scale)
    return path(prepare(rows), truth, exclusive, penalties), prepare


def _choose(
    rows: Vectors, truth: Membership, exclusive: bool, inner: Labels, path: Path, recipe: Recipe
) -> float:
    """Return the penalty with the fewest mistakes on inner folds; of equals, the least log loss."""
    penalties = sorted(recipe.penalties, reverse=True)
    if len(penalties) == 1:
        return penalties[0]
    mistakes, losses = np.zeros(len(penalties)), np.zeros(len(penalties))
    for fold in np.unique(inner):
        train, test = inner != fold, inner == fold
        fits, prepare = _fitted(rows[train], truth[train], exclusive, penalties, path, recipe.scale)
        for place, fit in enumerate(fits):
            found = fit.probabilities(prepare(rows[test]))
            losses[place] += log_loss(truth[test], found, exclusive=exclusive)
            if exclusive:
                mistakes[place] += (top_shares(found) * ~truth[test]).sum()
    return float(penalties[np.lexsort((losses, mistakes))[0]])


def log_loss(truth: Membership, probabilities: ClassScores, *, exclusive: bool) -> float:
    """Return the summed log loss of probabilities, of the true class or of each class on its own."""
    loss = -np.log(np.maximum(probabilities, TINY))[truth].sum()
    if not exclusive:
        loss -= np.log(np.maximum(1 - probabilities, TINY))[~truth].sum()
    return float(loss)


def _inner_folds(folds: Labels, groups: np.ndarray | None, recipe: Recipe) -> Labels:
    """Deal training rows into inner folds: whole outer folds in turn, or whole groups at random."""
    if len(np.unique(folds)) >= 2:
        units = np.unique(folds, return_inverse=True)[1].ravel()
        return units % recipe.inner_folds
    units = np.arange(len(folds)) if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
    dealt = np.random.default_rng(recipe.seed).permutation(int(units.max()) + 1)
    return dealt[units] % recipe.inner_folds


def _ends(penalties: Sequence[float]) -> set[float]:
    """Return the ends of the grid: where one is chosen, a wider grid may hold a better penalty."""
    return {max(penalties), min(penalties)} if len(penalties) > 1 else set()


def _across(folds: Labels, groups: np.ndarray | None) -> int:
    if groups is None:
        return 0
    codes = np.unique(groups, return_inverse=True)[1].ravel()
    pairs = np.unique(np.stack([codes, folds], axis=1), axis=0)
    return int((np.bincount(pairs[:, 0]) > 1).sum())
