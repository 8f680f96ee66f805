"""Count by group and class what is true, what is called and what is both; every rate follows from that."""

from dataclasses import dataclass

import numpy as np

from alignkit.shapes import ClassScores, Labels, PerClass, PerResample

RATES = ("accuracy", "balanced_accuracy", "macro_f1", "micro_f1")


@dataclass(frozen=True, eq=False, slots=True)
class ClassCounts:
    """Hold three tables, groups x classes: ``hits`` (true and called), ``actual`` (true), ``called``.

    Units are rows, segments or events. A call shared among tied classes counts in parts.
    """

    hits: np.ndarray
    actual: np.ndarray
    called: np.ndarray

    @classmethod
    def of(cls, truth: ClassScores, calls: ClassScores, groups: Labels) -> "ClassCounts":
        """Count rows: ``truth`` 0/1, ``calls`` the share of each row's call that each class gets."""
        n_groups = int(groups.max()) + 1
        tables = (truth * calls, truth, calls)
        return cls(*(_sums(table, groups, n_groups) for table in tables))

    @property
    def n_groups(self) -> int:
        """Groups, with or without any true unit."""
        return len(self.hits)

    def totals(self, weights: np.ndarray | None = None) -> tuple[PerClass, PerClass, PerClass]:
        """Return hits, actual and called for each class, one row per row of ``weights`` (default: ones)."""
        weights = np.ones((1, self.n_groups)) if weights is None else weights
        return weights @ self.hits, weights @ self.actual, weights @ self.called

    def rates(
        self, weights: np.ndarray | None = None, names: tuple[str, ...] = RATES
    ) -> dict[str, PerResample]:
        """Return the named rates, one value per row of ``weights``.

        ``accuracy`` is hits over true units (recall, where calls are not exclusive), ``balanced_accuracy``
        its mean over classes, ``macro_f1`` the mean F1 over classes and ``micro_f1`` the F1 of all units.
        Classes without a true unit are left out of means over classes, as `sed_eval` does; their false
        alarms still count in ``micro_f1``. A class that is never called has F1 0. NaN where nothing is true.
        """
        hits, actual, called = self.totals(weights)
        with np.errstate(invalid="ignore", divide="ignore"):
            formulas = {
                "accuracy": lambda: hits.sum(axis=1) / actual.sum(axis=1),
                "balanced_accuracy": lambda: class_mean(hits / actual, actual > 0),
                "macro_f1": lambda: class_mean(2 * hits / (actual + called), actual > 0),
                "micro_f1": lambda: 2 * hits.sum(axis=1) / (actual + called).sum(axis=1),
            }
            found = {name: formulas[name]() for name in names}
        return {name: np.where(actual.any(axis=1), value, np.nan) for name, value in found.items()}


def class_mean(values: PerClass, counted: np.ndarray) -> PerResample:
    """Return the mean over the classes that are counted; NaN where none is."""
    with np.errstate(invalid="ignore"):
        return np.where(counted, values, 0.0).sum(axis=1) / counted.sum(axis=1)


def top_shares(scores: ClassScores) -> ClassScores:
    """Return each row's call: 1 for its best class, shared equally where several tie for it.

    Examples
    --------
    >>> top_shares(np.array([[0.2, 0.9, 0.1], [0.4, 0.4, 0.1]])).tolist()
    [[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]]
    """
    best = scores == scores.max(axis=1, keepdims=True)
    return best / best.sum(axis=1, keepdims=True)


def _sums(table: np.ndarray, groups: Labels, n_groups: int) -> np.ndarray:
    return np.stack([np.bincount(groups, weights=column, minlength=n_groups) for column in table.T], axis=1)
