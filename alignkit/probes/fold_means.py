"""Accuracy as papers on folds print it: the mean over folds, however many rows each has."""

from typing import Any

import numpy as np

from alignkit.probes.counting import class_mean
from alignkit.probes.cross_fit import fold_codes
from alignkit.probes.resampling import Resampling, score_all
from alignkit.probes.scoring import ProbeResult, blind_calls, row_groups
from alignkit.reports import Score


def mean_fold_accuracy(
    result: ProbeResult,
    folds: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    resampling: Resampling | None = None,
) -> tuple[Score, dict[str, dict[str, Any]]]:
    """Return the mean over folds of each fold's accuracy, and every fold's own rows and accuracy.

    Equal to the accuracy of all rows where folds are equal; UrbanSound8K's are not. Groups are drawn over all
    folds together, as in the other scores; a fold of which a draw has no row is left out of that draw's mean.
    One class per row only.

    Examples
    --------
    >>> from alignkit.probes.targets import Targets
    >>> result = ProbeResult({}, Targets.of(["a", "a", "b"]), np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]))
    >>> score, by_fold = mean_fold_accuracy(result, np.array([1, 1, 2]))
    >>> score.value, by_fold
    (0.5, {'1': {'rows': 2, 'accuracy': 1.0}, '2': {'rows': 1, 'accuracy': 0.0}})
    """
    codes = fold_codes(folds, len(result.targets))
    units = row_groups(result.class_scores, result.calls, result.targets, groups)
    n_folds, n_units = int(codes.max()) + 1, int(units.max()) + 1
    won, blind = ((calls * result.targets.matrix).sum(axis=1) for calls in _calls(result))
    hits, rows = np.zeros((2, n_units, n_folds))
    np.add.at(hits, (units, codes), won)
    np.add.at(rows, (units, codes), 1)

    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        drawn = weights @ rows
        with np.errstate(invalid="ignore", divide="ignore"):
            return {"accuracy": class_mean(weights @ hits / drawn, drawn > 0)}

    sizes = rows.sum(axis=0)
    level = float(np.mean(np.bincount(codes, weights=blind) / sizes))
    found = score_all(statistic, n_units, chance={"accuracy": level}, resampling=resampling or Resampling())
    names = np.unique(folds).tolist()
    by_fold = {
        str(name): {"rows": int(size), "accuracy": float(hit / size)}
        for name, size, hit in zip(names, sizes, hits.sum(axis=0), strict=True)
    }
    return found["accuracy"], by_fold


def _calls(result: ProbeResult) -> tuple[np.ndarray, np.ndarray]:
    return result.calls, blind_calls(result.targets)
