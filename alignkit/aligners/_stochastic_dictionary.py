"""Match by CSLS, forget some of what was seen, rotate onto the matches, until nothing improves."""

from dataclasses import dataclass

import numpy as np

from alignkit.aligners._both_nearest import Nearest, nearest_both
from alignkit.aligners._csls import NEIGHBOURS
from alignkit.aligners._rotation import rotation_of
from alignkit.aligners._unit import unit_rows
from alignkit.errors import DataError
from alignkit.shapes import Links, SourceRows, TargetRows, Weights

KEPT = 32  # candidates of every row; a row that forgets all of them sits out one round


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the share of entries that a round sees grows, and when the rounds end.

    ``keep`` is the first share, in (0, 1]; it is doubled after ``patience`` rounds in which the criterion
    did not rise by ``gain``; at 1 the rounds end instead, and after ``most`` rounds in any case.
    """

    keep: float
    patience: int
    gain: float
    most: int


def self_learn(
    source: np.ndarray,
    target: np.ndarray,
    rotation: np.ndarray,
    schedule: Schedule,
    rng: np.random.Generator,
    *,
    pinned: tuple[Links, Weights] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rotation at rest, a history line a round, and the last dictionary.

    A round matches every row of both sides with its best partner by ``cos - r / 2``, where ``r`` is the
    partner's mean cosine to its nearest rows; each entry is seen with the probability ``keep``, so that
    the partner is the best, or, with ``1 - keep``, the second best, and so on. Rows in ``pinned`` links
    keep their partners. The criterion is the mean of the best ``cos - r / 2`` in both directions.
    """
    targets = unit_rows(target).astype(np.float32)
    keep, best, idle = schedule.keep, -np.inf, 0
    history: list[tuple[float, float, int]] = []
    links = np.zeros((0, 2), np.int64)
    while len(history) < schedule.most:
        found = _both_ways(unit_rows(source @ rotation).astype(np.float32), targets)
        criterion = float(np.mean([side.best for side in found]))
        links = _dictionary(found, keep, rng)
        idle = 0 if criterion >= best + schedule.gain else idle + 1
        best = max(best, criterion)
        history.append((criterion, keep, len(links)))
        if idle > schedule.patience:
            if keep >= 1:
                break
            keep, idle = min(1.0, 2 * keep), 0
        rotation = _rotation(source, target, links, pinned, len(history))
    return rotation, np.array(history, np.float64).reshape(-1, 3), links


@dataclass(frozen=True, slots=True)
class _Side:
    """Every row's candidates from best to worst by the criterion, and the mean criterion of the best."""

    candidates: np.ndarray
    best: float


def _both_ways(images: SourceRows, targets: TargetRows) -> tuple[_Side, _Side]:
    rows, columns = nearest_both(images, targets, max(KEPT, NEIGHBOURS))
    source_means, target_means = (side.scores[:, :NEIGHBOURS].mean(axis=1) for side in (rows, columns))
    return _ordered(rows, target_means), _ordered(columns, source_means)


def _ordered(found: Nearest, means: np.ndarray) -> _Side:
    criterion = found.scores - means[found.indices] / 2
    order = np.argsort(-criterion, axis=1, kind="stable")
    return _Side(
        np.take_along_axis(found.indices, order, axis=1), float(criterion.max(axis=1).mean(dtype=np.float64))
    )


def _dictionary(found: tuple[_Side, _Side], keep: float, rng: np.random.Generator) -> Links:
    """Return the pairs of both directions; a pair that both found counts twice."""
    (there, partners), (back, origins) = (_drawn(side.candidates, keep, rng) for side in found)
    return np.concatenate([np.stack([there, partners], axis=1), np.stack([origins, back], axis=1)])


def _drawn(candidates: np.ndarray, keep: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that found a partner, and whom: the best candidate that was not forgotten."""
    lines = np.arange(len(candidates))
    if keep >= 1:
        return lines, candidates[:, 0]
    # of entries seen independently, the rank of the first one seen is geometric
    ranks = rng.geometric(keep, len(candidates)) - 1
    lines = lines[ranks < candidates.shape[1]]
    return lines, candidates[lines, ranks[lines]]


def _rotation(
    source: np.ndarray,
    target: np.ndarray,
    links: np.ndarray,
    pinned: tuple[Links, Weights] | None,
    count: int,
) -> np.ndarray:
    weights = np.ones(len(links))
    if pinned is not None:
        links, weights = with_pinned(links, *pinned)
    if not len(links):
        raise DataError(f"round {count} found no pair to learn from: give more rows or a larger keep.")
    try:
        return rotation_of(source, target, links, weights)
    except DataError as error:
        raise DataError(f"round {count}: {error}") from error


def with_pinned(links: np.ndarray, pinned: Links, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Return the links between rows that no pinned link uses, and then the pinned ones with their weights."""
    free = ~(np.isin(links[:, 0], pinned[:, 0]) | np.isin(links[:, 1], pinned[:, 1]))
    return np.concatenate([links[free], pinned]), np.concatenate([np.ones(int(free.sum())), weights])
