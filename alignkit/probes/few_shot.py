"""Few-shot curves: how accurate a linear probe is after k examples of each class (Wav2CLIP, figure 2)."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.probes.counting import ClassCounts, top_shares
from alignkit.probes.cross_fit import Recipe, content_order, fold_codes, scaler
from alignkit.probes.linear import logistic_path
from alignkit.probes.precision import mean_average_precision
from alignkit.probes.resampling import Resampling, score_of
from alignkit.probes.scoring import SINGLE, chance_levels, check_rows, row_facts, row_groups
from alignkit.probes.targets import Targets, shape_of
from alignkit.reports import Score
from alignkit.shapes import ClassScores, Labels, Vectors


@dataclass(frozen=True, eq=False, slots=True)
class FewShotPoint:
    """One point of the curve: ``scores`` after ``shots`` examples a class, and each seed's own values."""

    shots: int
    scores: dict[str, Score]
    by_seed: dict[str, tuple[float, ...]]


@dataclass(frozen=True, eq=False, slots=True)
class FewShotCurve:
    """The points in the order of their shots, and the facts that make them repeatable."""

    points: tuple[FewShotPoint, ...]
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shots:
    """Say how examples are drawn: how many of each class, and how often anew (from ``seed`` on)."""

    counts: tuple[int, ...] = (1, 2, 4, 8, 16)
    draws: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        if (
            not self.counts
            or min(self.counts) < 1
            or len(set(self.counts)) < len(self.counts)
            or self.draws < 1
        ):
            raise ParameterError(
                f"counts {self.counts} with {self.draws} draws: name different counts from 1 up, and at "
                "least 1 draw."
            )


def few_shot_curve(
    rows: Vectors,
    labels: np.ndarray | Sequence[Hashable],
    folds: np.ndarray,
    *,
    shots: Shots | None = None,
    recipe: Recipe | None = None,
    groups: np.ndarray | None = None,
    resampling: Resampling | None = None,
) -> FewShotCurve:
    """Return the scores of a linear probe for growing numbers of examples, each the mean over several draws.

    Order, for each draw and fold: shuffle the rows of the other folds; take the first k of each class, from k
    recordings where ``groups`` leave as many; fit; score the fold. Larger sets of one draw hold the smaller
    ones, so a curve is not jagged by luck. The penalty is one number for all k (the first of ``recipe``): a
    handful of examples cannot choose it.

    The interval covers both the draw of examples and the test rows: each resample draws seeds and groups
    with replacement (Owen 2007, *The pigeonhole bootstrap*: rather too wide than too narrow). With five
    seeds, read ``by_seed`` beside it. One class per row only.

    Raises
    ------
    DataError
        If a class has fewer than k rows beside a fold, or rows may have several classes.

    References
    ----------
    Wu et al. (2022), *Wav2CLIP: Learning Robust Audio Representations From CLIP*, figure 2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels, folds = np.arange(80) % 2, np.arange(80) // 40
    >>> rows = np.eye(2)[labels] + 0.6 * rng.normal(size=(80, 2))
    >>> curve = few_shot_curve(rows, labels, folds, shots=Shots((1, 16), draws=3))
    >>> [round(point.scores["accuracy"].value, 2) for point in curve.points]
    [0.8, 0.88]
    """
    shots, recipe, resampling = shots or Shots(), recipe or FEW_SHOT, resampling or Resampling()
    if len(shape_of(labels)) != 1:
        raise DataError(
            "examples are drawn class by class, so each row needs one class: give one name per row."
        )
    targets = Targets.of(labels)
    check_rows(rows, targets)
    codes = fold_codes(folds, len(targets))
    _check_enough(targets, codes, max(shots.counts))
    tables, blind = _tables(rows, targets, codes, groups, shots, recipe)
    points = tuple(
        _point(count, tables[count], targets, groups, blind, resampling) for count in sorted(shots.counts)
    )
    facts = {
        **row_facts(targets, points[0].scores["accuracy"].n, resampling),
        "probe": "few_shot",
        "folds": int(codes.max()) + 1,
        "shots": sorted(shots.counts),
        "draws": shots.draws,
        "draw_seed": shots.seed,
        "penalty": recipe.penalties[0],
        "scale": recipe.scale,
        "chance": "uniform guessing",
    }
    return FewShotCurve(points, facts)


FEW_SHOT = Recipe(penalties=(0.1,), scale="unit")


def draw_examples(
    candidates: Labels, codes: Labels, groups: np.ndarray | None, most: int, rng: np.random.Generator
) -> Labels:
    """Return rows in an order of which the first k of each class are its k examples, for any k.

    Rows of recordings that a class has not given yet come before further rows of the same recording.
    Result: row numbers, ``most`` for each class, sorted by turn and then class.
    """
    shuffled = rng.permutation(candidates)
    classes = codes[shuffled]
    again = np.zeros(len(shuffled), np.int64)
    if groups is not None:
        again = _turns(classes, np.unique(groups, return_inverse=True)[1].ravel()[shuffled])
    order = np.lexsort((np.arange(len(shuffled)), again, classes))
    ranked = shuffled[order]
    turn = _turns(codes[ranked])
    chosen = ranked[turn < most]
    return chosen[np.lexsort((codes[chosen], turn[turn < most]))]


def _turns(*keys: Labels) -> Labels:
    """Return how many earlier entries have the same keys."""
    same = np.unique(np.stack(keys), axis=1, return_inverse=True)[1].ravel()
    order = np.argsort(same, kind="stable")
    starts = np.r_[0, np.flatnonzero(np.diff(same[order])) + 1]
    lengths = np.diff(np.r_[starts, len(same)])
    out = np.empty(len(same), np.int64)
    out[order] = np.arange(len(same)) - np.repeat(starts, lengths)
    return out


def _tables(
    rows: Vectors, targets: Targets, folds: Labels, groups: np.ndarray | None, shots: Shots, recipe: Recipe
) -> tuple[dict[int, list[ClassScores]], ClassScores]:
    """Return for each number of shots the probabilities of every draw, and uniform calls."""
    n_classes = len(targets.classes)
    tables = {count: [np.empty(targets.matrix.shape) for _ in range(shots.draws)] for count in shots.counts}
    order = content_order(rows)
    for draw in range(shots.draws):
        for fold in np.unique(folds):
            rng = np.random.default_rng([shots.seed + draw, int(fold)])
            train, test = order[folds[order] != fold], order[folds[order] == fold]
            examples = draw_examples(train, targets.codes, groups, max(shots.counts), rng)
            for count in shots.counts:
                few = examples[: count * n_classes]
                prepare = scaler(rows[few], recipe.scale)
                fit = next(logistic_path(prepare(rows[few]), targets.matrix[few], True, recipe.penalties[:1]))
                tables[count][draw][test] = fit.probabilities(prepare(rows[test]))
    return tables, np.full(targets.matrix.shape, 1 / n_classes)


def _point(
    count: int,
    tables: list[ClassScores],
    targets: Targets,
    groups: np.ndarray | None,
    blind: ClassScores,
    resampling: Resampling,
) -> FewShotPoint:
    codes = row_groups(np.mean(tables, axis=0), blind, targets, groups)
    truth = targets.matrix.astype(np.float64)
    counts = [ClassCounts.of(truth, top_shares(table), codes) for table in tables]

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        found = [
            {
                **own.rates(weights, SINGLE),
                "map": mean_average_precision(targets.matrix, table, weights[:, codes]),
            }
            for own, table in zip(counts, tables, strict=True)
        ]
        return {name: np.stack([values[name] for values in found], axis=1) for name in found[0]}

    n_groups = int(codes.max()) + 1
    values = {name: found[0] for name, found in statistic(np.ones((1, n_groups))).items()}
    drawn = resampling.replicates(statistic, n_groups, len(targets))
    rng = np.random.default_rng([resampling.seed, 1])
    seeds = rng.multinomial(len(tables), np.full(len(tables), 1 / len(tables)), size=resampling.resamples)
    chance = chance_levels(targets, blind, SINGLE)
    scores = {}
    for name, by_seed in values.items():
        replicates = (drawn[name] * seeds).sum(axis=1) / len(tables) if drawn else None
        scores[name] = score_of(
            float(by_seed.mean()), replicates, resampling, n=n_groups, chance=chance[name]
        )
    return FewShotPoint(count, scores, {name: tuple(map(float, found)) for name, found in values.items()})


def _check_enough(targets: Targets, folds: Labels, most: int) -> None:
    for fold in np.unique(folds):
        sizes = targets.matrix[folds != fold].sum(axis=0)
        if sizes.min() < most:
            name = targets.classes[int(sizes.argmin())]
            raise DataError(
                f"class {name!r} has {sizes.min()} rows beside one of the folds, and {most} examples are "
                "asked for: ask for fewer, or leave the class out."
            )
