"""Hold out some training pairs in turn, so that a method can choose a parameter by retrieval."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from alignkit.aligners._base import Blocks
from alignkit.aligners._folds import assign_folds, pair_keys, row_keys
from alignkit.aligners._frame import Frame, FrameFit
from alignkit.errors import DataError, ParameterError
from alignkit.moments import Moments

Frames: TypeAlias = tuple[Frame, Frame]
Keys: TypeAlias = tuple[np.ndarray, np.ndarray]
TIE = 1e-6  # differences of MRR that decide nothing


@dataclass(frozen=True, slots=True)
class Fold:
    """The moments of the pairs that stay, and the framed rows of some that do not, with their weights."""

    rest: Moments
    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True, slots=True)
class Plan:
    """How many folds there are at most, how many pairs of each are ranked, and what is chosen by it."""

    folds: int
    max_queries: int
    chosen: str


def hold_out(
    blocks: Blocks, groups: np.ndarray | None, frames: Frames, plan: Plan, keys: Keys | None = None
) -> list[Fold]:
    """Return every fold of the pairs, in two passes over ``blocks`` and O(d^2) memory beside the ranked rows.

    Held-out pairs share no row and no group with those that stay; copies of a pair are ranked once, with
    their weight. What a pair holds decides its fold and whether it is ranked, not where it stands; or
    ``keys`` do, a number for each side of every pair that tells its rows from others.

    Raises
    ------
    ParameterError
        If all pairs share a row or a group, so that none can be held out.
    """
    source, target, weight = _keyed(blocks, frames)
    fold_of, kept = _deal(*(keys or (source, target)), weight, groups, plan)
    parts = [Moments(len(frames[0].mean), len(frames[1].mean)) for _ in range(fold_of.max() + 1)]
    held: list[list[tuple[np.ndarray, ...]]] = [[] for _ in parts]
    for X, Y, weight, rows in _framed_blocks(blocks, frames):
        for fold, (part, collected) in enumerate(zip(parts, held, strict=True)):
            here = fold_of[rows] == fold
            part.update(X[here], Y[here], None if weight is None else weight[here])
            ranked = here & (kept[rows] > 0)
            collected.append((X[ranked], Y[ranked], kept[rows][ranked]))
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return [
        Fold(whole.without(part), *(np.concatenate(column) for column in zip(*one, strict=True)))
        for part, one in zip(parts, held, strict=True)
    ]


def best_of(scores: np.ndarray, folds: list[Fold]) -> tuple[int, np.ndarray]:
    """Return the best of many candidates, and the mean over the folds of their scores.

    ``scores`` holds two numbers for every fold and candidate: the mean reciprocal rank decides, and the
    second one (a mean cosine) among candidates within 1e-6 of the best.
    """
    mean = np.average(scores, axis=0, weights=[fold.weight.sum() for fold in folds])
    ranks, seconds = mean.T
    return int(np.argmax(np.where(ranks >= ranks.max() - TIE, seconds, -np.inf))), mean


def _keyed(blocks: Blocks, frames: Frames) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for every pair a number that its source row alone decides, one for its target, its weight."""
    columns = [
        (
            *(row_keys(FrameFit(frame.steps).unit(rows)) for frame, rows in zip(frames, (X, Y), strict=True)),
            np.asarray(weight[0], np.float64) if weight else np.ones(len(X)),
        )
        for X, Y, *weight in blocks()
    ]
    source, target, weight = (np.concatenate(column) for column in zip(*columns, strict=True))
    return source, target, weight


def _deal(
    source: np.ndarray, target: np.ndarray, weight: np.ndarray, groups: np.ndarray | None, plan: Plan
) -> tuple[np.ndarray, np.ndarray]:
    """Return the fold of every row (-1: no weight), and its weight as a query (0: not ranked)."""
    if groups is not None and len(groups) != len(weight):
        raise DataError(f"{len(groups)} group labels for {len(weight)} pairs: give one for each.")
    used = np.flatnonzero(weight > 0)
    dealt = assign_folds(source[used], target[used], None if groups is None else groups[used], plan.folds)
    if dealt.max(initial=0) == 0:
        raise ParameterError(
            f"{plan.chosen}='cv' must hold out some pairs, but all of them share a row or a group: "
            f"give {plan.chosen} a number."
        )
    folds, kept = np.full(len(weight), -1), np.zeros(len(weight))
    folds[used] = dealt
    _, first, copy = np.unique(pair_keys(source[used], target[used]), return_index=True, return_inverse=True)
    counted = np.bincount(copy, weight[used])
    for fold in range(dealt.max() + 1):  # keys are in ascending order: a draw that no row order changes
        chosen = np.flatnonzero(dealt[first] == fold)[: plan.max_queries]
        kept[used[first[chosen]]] = counted[chosen]
    return folds, kept


def _framed_blocks(blocks: Blocks, frames: Frames) -> Iterator[tuple]:
    start = 0
    for X, Y, *weight in blocks():
        rows = slice(start, start + len(X))
        start += len(X)
        framed = [frame.apply(side, dtype=np.float64) for frame, side in zip(frames, (X, Y), strict=True)]
        yield *framed, np.asarray(weight[0], np.float64) if weight else None, rows
