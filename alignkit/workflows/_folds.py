"""Ask a method about every training pair by way of maps that never saw it."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from alignkit.aligners import METHODS
from alignkit.alignment import Alignment
from alignkit.errors import PairingError
from alignkit.pairs import Pairs
from alignkit.reports import Score
from alignkit.retrieval.protocol import Protocol
from alignkit.shapes import Labels
from alignkit.statistics.intervals import bootstrap_interval
from alignkit.workflows.evaluation import evaluate
from alignkit.workflows.learning import Known, learn

FEWEST = 4  # sets of connected pairs: two folds with two each


@dataclass(frozen=True, slots=True)
class Asked:
    """Every query's value, with its component and fold; weights make both directions count the same."""

    values: np.ndarray
    weights: np.ndarray
    groups: Labels
    fold: Labels
    chance: float

    def mean(self) -> float:
        """Return the mean over queries, both directions weighing the same."""
        return float(np.sort(self.values * self.weights).mean())

    def score(self, seed: int) -> Score:
        """Return the mean with its interval over components."""
        weighted = self.values * self.weights
        low, high = bootstrap_interval(weighted[:, None], self.groups, seed=seed).ravel()
        ends = (float(low), float(high)) if np.isfinite(low) else (None, None)
        return Score(self.mean(), *ends, n=len(np.unique(self.groups)), chance=self.chance)


def deal(train: Pairs, folds: int, seed: int) -> tuple[Labels, Labels]:
    """Return component and fold of every pair; folds are as equal in pairs as whole components allow."""
    labels = train.components()
    sizes = np.bincount(labels)
    if folds < 2 or len(sizes) < FEWEST:
        raise PairingError(
            f"{len(train)} training pairs in {len(sizes)} groups that stay together make no {folds} folds: 2 "
            f"or more folds of {FEWEST} or more groups are needed; add pairs or name a method."
        )
    folds = min(folds, len(sizes) // 2)
    order = np.random.Generator(np.random.PCG64([seed, 2])).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    home, held = np.zeros(len(sizes), np.int64), np.zeros(folds, np.int64)
    for component in order:
        home[component] = int(held.argmin())
        held[home[component]] += sizes[component]
    return labels, home[labels]


def cross_validated(
    method: str,
    params: dict[str, Any],
    train: Pairs,
    dealt: tuple[Labels, Labels],
    metric: str,
    held_out: Pairs | None,
) -> tuple[Asked, float]:
    """Return what a method answers about every fold when fitted without it, and the CPU seconds of the fits.

    ``held_out`` names pairs whose rows no fit may see at all.
    """
    labels, fold = dealt
    parts, chances, spent = [], [], 0.0
    for number in range(int(fold.max()) + 1):
        inside, outside = train.subset(fold == number), train.subset(fold != number)
        unseen = inside.links if held_out is None else np.concatenate([inside.links, held_out.links])
        aligner = METHODS.get(method)(**params)
        started = time.process_time()
        learn(aligner, outside, Pairs(train.source, train.target, unseen), Known())
        spent += time.process_time() - started
        rows = inside.restricted()
        scored = evaluate(
            rows.source,
            rows.target,
            pairs=rows,
            alignment=Alignment(method, aligner, train.source.space, train.target.space),
            protocol=Protocol(metrics=(metric,), resamples=0),
        )
        for side, direction in enumerate(("forward", "backward")):
            values = scored.tables[direction][metric].to_numpy()
            groups = np.empty(len(values), np.int64)
            groups[rows.links[:, side]] = labels[fold == number]
            parts.append((values, groups, np.full(len(values), number), np.full(len(values), side)))
            chances.append((scored.report.sections[direction][metric].chance or 0.0, len(values), side))
    values, groups, folds, sides = (np.concatenate(column) for column in zip(*parts, strict=True))
    weights = len(values) / (2 * np.bincount(sides)[sides])
    share = {side: sum(n for _, n, s in chances if s == side) for side in (0, 1)}
    chance = sum(level * n / (2 * share[side]) for level, n, side in chances)
    return Asked(values, weights, groups, folds, chance), spent
