"""Score a table of class scores against the truth: every metric with interval, count and chance level."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alignkit.errors import DataError
from alignkit.probes.counting import ClassCounts, top_shares
from alignkit.probes.precision import mean_average_precision
from alignkit.probes.resampling import Resampling, group_codes, score_all
from alignkit.probes.targets import Targets
from alignkit.reports import Score
from alignkit.shapes import ClassScores, Labels

SINGLE = ("accuracy", "balanced_accuracy", "macro_f1")
MULTI = ("macro_f1", "micro_f1")
THRESHOLD = 0.5  # of a probability, where classes are no rivals


@dataclass(frozen=True, eq=False, slots=True)
class ProbeResult:
    """What a probe found, and what is needed to judge or to repeat it.

    Parameters
    ----------
    scores
        ``accuracy``, ``balanced_accuracy``, ``macro_f1`` and ``map`` where each row has one class;
        ``macro_f1``, ``micro_f1`` and ``map`` where it may have several (called from 0.5 on). Each with its
        interval, the number of groups, and the level of a predictor that never sees the rows.
    targets
        The truth: class names and which row has which.
    class_scores
        For each row and class, in the order of ``targets.classes``: a probability from folds that held the
        row out, or a cosine.
    facts
        Counts, settings and what was chosen, ready for a report's context.
    """

    scores: dict[str, Score]
    targets: Targets
    class_scores: ClassScores
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def calls(self) -> ClassScores:
        """The share of each row's call that each class gets: 1 for the best one, or from 0.5 on."""
        return calls_of(self.class_scores, exclusive=self.targets.exclusive)


def calls_of(class_scores: ClassScores, *, exclusive: bool) -> ClassScores:
    """Return what scores call: the best class, shared where several tie, or every class from 0.5 on."""
    return top_shares(class_scores) if exclusive else (class_scores >= THRESHOLD).astype(np.float64)


def score_table(
    class_scores: ClassScores,
    targets: Targets,
    blind: ClassScores,
    *,
    groups: np.ndarray | None,
    resampling: Resampling,
) -> tuple[dict[str, Score], dict[str, Any]]:
    """Return the metrics of one table of scores, and the facts about its rows.

    ``blind`` holds the calls of a predictor that does not see the rows: the chance levels of all but
    ``map``, whose level is the mean share of true rows. Accuracy and F1 take the expectation over
    the order of tied classes.
    """
    calls = calls_of(class_scores, exclusive=targets.exclusive)
    codes = row_groups(class_scores, calls, targets, groups)
    counts = ClassCounts.of(targets.matrix.astype(np.float64), calls, codes)
    names = SINGLE if targets.exclusive else MULTI

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        precision = mean_average_precision(targets.matrix, class_scores, weights[:, codes])
        return {**counts.rates(weights, names), "map": precision}

    scores = score_all(
        statistic,
        counts.n_groups,
        chance=chance_levels(targets, blind, names),
        resampling=resampling,
        width=len(targets),
    )
    return scores, row_facts(targets, counts.n_groups, resampling)


def blind_calls(targets: Targets) -> ClassScores:
    """Return what a predictor calls that knows how frequent classes are and never sees a row.

    The most frequent class, shared where several are; or, where a row may have many classes, all of them:
    no other constant call has a better F1 of each class. (The most frequent class of the training rows of
    a fold would do worse than chance: it is rare where the fold has it often.)
    """
    if not targets.exclusive:
        return np.ones(targets.matrix.shape)
    return np.tile(top_shares(targets.matrix.mean(axis=0, keepdims=True)), (len(targets), 1))


def chance_levels(targets: Targets, blind: ClassScores, names: tuple[str, ...]) -> dict[str, float]:
    """Return what a predictor that never sees the rows scores; for ``map``, the mean share of true rows."""
    one_group = np.zeros(len(targets), np.int64)
    rates = ClassCounts.of(targets.matrix.astype(np.float64), blind, one_group).rates(names=names)
    shares = targets.matrix.mean(axis=0)
    return {**{name: float(rate[0]) for name, rate in rates.items()}, "map": float(shares[shares > 0].mean())}


def row_groups(
    class_scores: ClassScores, calls: ClassScores, targets: Targets, groups: np.ndarray | None
) -> Labels:
    """Return the group of each row; without labels every row is one, numbered by what it shows."""
    own = np.where(targets.matrix, class_scores, 0.0).sum(axis=1)
    won = (calls * targets.matrix).sum(axis=1)
    called = calls.argmax(axis=1) if targets.exclusive else calls.sum(axis=1)
    return group_codes(groups, (own, called, won, targets.matrix.argmax(axis=1)))


def row_facts(targets: Targets, n_groups: int, resampling: Resampling) -> dict[str, Any]:
    """Return how many rows, groups and classes there are, and how the intervals were drawn."""
    return {
        "rows": len(targets),
        "groups": n_groups,
        "classes": len(targets.classes),
        "classes_without_rows": int((~targets.matrix.any(axis=0)).sum()),
        "one_class_per_row": targets.exclusive,
        "resamples": resampling.resamples,
        "level": resampling.level,
        "seed": resampling.seed,
    }


def check_rows(rows: np.ndarray, targets: Targets) -> None:
    """Raise DataError unless rows are a finite matrix with one truth each."""
    if np.ndim(rows) != 2 or len(rows) != len(targets):
        raise DataError(
            f"rows have shape {np.shape(rows)} for {len(targets)} labels: give one label per row."
        )
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise DataError(f"row {bad[0]} holds NaN or an infinite value: remove or re-encode that item.")
