"""Confusion matrices with intervals, and the difference of two on the same rows (Wav2CLIP, figure 3)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from alignkit.errors import DataError
from alignkit.probes.resampling import Resampling, group_codes
from alignkit.probes.scoring import calls_of
from alignkit.probes.targets import Targets
from alignkit.shapes import ClassScores, Labels


@dataclass(frozen=True, eq=False, slots=True)
class Confusion:
    """Shares of each true class's rows that were called each class, or the difference of two such tables.

    Parameters
    ----------
    classes
        Names of rows and columns.
    value, low, high
        ``value[i, j]``: of rows of class i, the share called j (of the difference: first less second), and
        the ends of its interval; NaN where class i has no row, or too few groups for an interval.
    n
        Rows of each true class.
    groups
        Groups of each true class: the units that the intervals draw.
    """

    classes: tuple
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: Labels
    groups: Labels

    def most_confused(self, count: int = 10) -> list[tuple]:
        """Return the largest entries beside the diagonal as (true, called, value, low, high), largest first.

        Of a difference, the largest by size. Equal ones come in the order of the table.
        """
        size = np.where(
            np.eye(len(self.classes), dtype=bool) | np.isnan(self.value), -1.0, np.abs(self.value)
        )
        order = np.argsort(-size, axis=None, kind="stable")[:count]
        places = [np.unravel_index(place, size.shape) for place in order]
        return [
            (self.classes[i], self.classes[j], *(float(t[i, j]) for t in (self.value, self.low, self.high)))
            for i, j in places
            if size[i, j] > 0
        ]


def confusion(
    targets: Targets,
    class_scores: ClassScores,
    *,
    groups: np.ndarray | None = None,
    resampling: Resampling | None = None,
) -> Confusion:
    """Return how often rows of each class were called each class.

    ``class_scores`` are a probe's (``result.targets`` and ``result.class_scores``): the best class is
    called, shared where several tie. Intervals draw groups within the whole set; cells are judged one by one,
    so of a hundred cells that differ by nothing, five leave zero out at the 95 % level.

    Raises
    ------
    DataError
        If rows may have several classes, or shapes differ.

    Examples
    --------
    >>> targets = Targets.of(["cat", "cat", "dog"])
    >>> confusion(targets, np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])).value.tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    """
    return _table(targets, _calls(targets, class_scores), groups, resampling or Resampling(), (0.0, 1.0))


def confusion_difference(
    targets: Targets,
    first: ClassScores,
    second: ClassScores,
    *,
    groups: np.ndarray | None = None,
    resampling: Resampling | None = None,
) -> Confusion:
    """Return the confusion of ``first`` less that of ``second`` on the same rows, cell by cell.

    Both tables see the same resamples, so what they share cancels out of the interval. Positive on the
    diagonal: the first is better at that class; positive beside it: the first confuses those two more often.

    Raises
    ------
    DataError
        If rows may have several classes, or shapes differ.

    References
    ----------
    Wu et al. (2022), *Wav2CLIP*, figure 3.

    Examples
    --------
    >>> targets = Targets.of(["cat", "dog"])
    >>> confusion_difference(targets, np.eye(2), np.array([[0.0, 1.0], [0.0, 1.0]])).value.tolist()
    [[1.0, -1.0], [0.0, 0.0]]
    """
    gained = _calls(targets, first) - _calls(targets, second)
    return _table(targets, gained, groups, resampling or Resampling(), (-1.0, 1.0))


def _calls(targets: Targets, class_scores: ClassScores) -> ClassScores:
    if not targets.exclusive:
        raise DataError("a confusion matrix needs one class per row: look at each class's F1 instead.")
    if class_scores.shape != targets.matrix.shape:
        raise DataError(
            f"scores have shape {class_scores.shape} for {targets.matrix.shape[0]} rows and "
            f"{targets.matrix.shape[1]} classes: give one score for each."
        )
    return calls_of(class_scores, exclusive=True)


def _table(
    targets: Targets,
    calls: ClassScores,
    groups: np.ndarray | None,
    resampling: Resampling,
    limits: tuple[float, float],
) -> Confusion:
    shape = (len(targets.classes),) * 2
    value, low, high = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    codes = group_codes(groups, (*calls.T[::-1], targets.codes))
    n_groups = np.zeros(shape[0], np.int64)
    for true, sums, sizes, homes in _by_class(targets, calls, codes):
        value[true] = sums.sum(axis=0) / sizes.sum()
        n_groups[true] = len(homes)
        if len(homes) > 1:
            drawn = _drawn(sums, sizes, homes, int(codes.max()) + 1, resampling)
            low[true], high[true] = np.clip(resampling.ends(drawn, value[true]), *limits)
    return Confusion(targets.classes, value, low, high, targets.matrix.sum(axis=0), n_groups)


def _by_class(
    targets: Targets, calls: ClassScores, codes: Labels
) -> Iterator[tuple[int, np.ndarray, np.ndarray, Labels]]:
    """Yield for each true class: its calls and its rows, summed by those groups that have it, and these."""
    for true in np.flatnonzero(targets.matrix.any(axis=0)):
        rows = np.flatnonzero(targets.matrix[:, true])
        homes, own = np.unique(codes[rows], return_inverse=True)
        sums = np.zeros((len(homes), calls.shape[1]))
        np.add.at(sums, own.ravel(), calls[rows])
        yield int(true), sums, np.bincount(own.ravel()).astype(np.float64), homes


def _drawn(
    sums: np.ndarray, sizes: np.ndarray, homes: Labels, n_groups: int, resampling: Resampling
) -> np.ndarray | None:
    def statistic(weights: np.ndarray) -> dict[str, np.ndarray]:
        kept = weights[:, homes]
        with np.errstate(invalid="ignore", divide="ignore"):
            return {"share": kept @ sums / (kept @ sizes)[:, None]}

    return resampling.replicates(statistic, n_groups).get("share")
