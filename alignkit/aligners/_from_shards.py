"""Fit linear maps from shard moments: the map, its folds, a grid of penalties, its bootstrap."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from sklearn.base import clone

from alignkit.aligners._frame import SPREADS
from alignkit.aligners._framed_shards import FramedShards
from alignkit.aligners._linear import LinearAligner
from alignkit.aligners._restarts import run_restarts
from alignkit.aligners._shard_scores import SCORES, grid_sums, held_out_sums, score_sums
from alignkit.aligners.ridge import Ridge
from alignkit.errors import ParameterError
from alignkit.moments import Moments, Parts
from alignkit.reports import Score

Criterion: TypeAlias = Literal["explained_variance", "pooled_cosine", "separation"]
CRITERIA: tuple[Criterion, ...] = get_args(Criterion)
GRID = np.logspace(-8, 2, 41)  # in units of the mean eigenvalue of X'X
_ENDS = (2.5, 97.5)  # percentiles of the interval
_BATCH = 16
_RESAMPLES = 2000  # of the sums of the shards: numbers, not matrices


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """Hold what every bootstrap replicate's map says.

    Parameters
    ----------
    explained_variance
        Share of the replicate's own target variance that its map explains.
    angle
        Degrees between the replicate's matrix and that of all shards, as vectors; for two rotations its
        cosine is the mean cosine between where the two send an axis.
    singular_values
        Of the replicate's cross-covariance in the joint frame, largest first.
    """

    explained_variance: np.ndarray
    angle: np.ndarray
    singular_values: np.ndarray


def parts_needed(aligner: LinearAligner, source_dim: int, target_dim: int) -> Parts:
    """Return which products a map and its scores need: a rotation that keeps lengths needs the cross ones."""
    spread = aligner.normalize in SPREADS  # the deviations come from xx and yy
    return "all" if spread or source_dim > target_dim else aligner._parts()


def fit_shards(aligner: LinearAligner, framed: FramedShards) -> LinearAligner:
    """Fit ``aligner`` to all shards, in the frames of all their rows, and return it.

    Raises
    ------
    ParameterError
        If its ``normalize`` is not that of the shards, or it needs rows to choose a parameter.
    """
    if aligner.normalize != framed.steps:
        raise ParameterError(
            f"shards of {framed.steps!r} rows do not fit a map with normalize={aligner.normalize!r}: make "
            "them in the frames of the map."
        )
    frames = framed.frames()
    aligner.from_moments(framed.joint(framed.shards.total(), frames).moments, *frames)
    return aligner


def score_folds(aligner: LinearAligner, framed: FramedShards, folds: int, seed: int) -> dict[str, Score]:
    """Return the scores of every shard under the map of the other folds' shards, with intervals over shards.

    A ridge penalty given as a number is scaled with the weight of the pairs, as the rest of ``X'X`` is.
    """
    sums = held_out_sums(framed, framed.shards.deal(folds, seed), _solver(aligner, framed))
    return _scored(sums, seed)


def score_grid(
    framed: FramedShards, folds: int, seed: int, grid: np.ndarray = GRID
) -> dict[str, list[Score]]:
    """Return, by score, the held-out scores of ridge for every penalty of ``grid`` (mean eigenvalues)."""
    sums = grid_sums(framed, framed.shards.deal(folds, seed), grid)
    by_penalty = [_scored(own, seed) for own in sums]
    return {name: [scores[name] for scores in by_penalty] for name in by_penalty[0]}


def best_penalty(
    framed: FramedShards, scores: dict[str, list[Score]], criterion: Criterion, grid: np.ndarray = GRID
) -> float:
    """Return the penalty of the best held-out score, in the units of ``X'X`` of all pairs.

    That is what `ridge` takes as ``alpha``. Of several equally good penalties it is the largest.
    """
    if criterion not in CRITERIA:
        raise ParameterError(f"criterion is {criterion!r}; choose one of {', '.join(CRITERIA)}.")
    values = np.array([score.value for score in scores[criterion]])
    best = len(values) - 1 - int(np.argmax(values[::-1]))
    frames = framed.frames()
    xx = framed.joint(framed.shards.total(), frames).moments.about_origin()[0]
    return float(grid[best] * np.trace(xx) / len(xx))


def resample(
    aligner: LinearAligner, framed: FramedShards, replicates: int, seed: int, jobs: int | None = None
) -> Replicates:
    """Refit ``aligner`` to samples of the shards, drawn with replacement, and say how its map varies.

    The frames stay those of all rows. Nothing is read; a replicate costs one decomposition.
    """
    frames, solve = framed.frames(), _solver(aligner, framed)
    matrix = aligner.matrix_

    def one(pooled) -> tuple[float, float, np.ndarray]:
        joint = framed.joint(pooled, frames)
        m, W = joint.moments, solve(joint.moments).matrix_
        values = np.linalg.svd(m.cross_about_origin() / m.weight, compute_uv=False)
        return _explained(W, m, joint.spreads), _degrees_between(matrix, W), values

    counts = framed.shards.draw(replicates, seed)
    found = []
    for start in range(0, replicates, _BATCH):
        batch = list(framed.shards.replicates(counts[start : start + _BATCH]))
        found += run_restarts(one, batch, jobs)
    variance, angle, values = zip(*found, strict=True)
    return Replicates(np.array(variance), np.array(angle), np.array(values))


def interval_scores(aligner: LinearAligner, framed: FramedShards, found: Replicates) -> dict[str, Score]:
    """Return the map's own scalars with the percentiles of their replicates."""
    joint = framed.joint(framed.shards.total(), framed.frames())
    m, n = joint.moments, len(framed.shards)
    values = np.linalg.svd(m.cross_about_origin() / m.weight, compute_uv=False)
    scores = {
        "explained_variance": _between(
            _explained(aligner.matrix_, m, joint.spreads), found.explained_variance, n
        )
    }
    for index in sorted({0, len(values) // 2, len(values) - 1}):
        scores[f"singular_value_{index + 1}"] = _between(values[index], found.singular_values[:, index], n)
    scores["angle_in_degrees"] = _between(float(np.median(found.angle)), found.angle, n)
    return scores


def _solver(aligner: LinearAligner, framed: FramedShards):
    whole = framed.shards.total().moments.weight

    def solve(moments: Moments) -> LinearAligner:
        again = clone(aligner)
        if isinstance(again, Ridge) and again.alpha != "cv":
            again.set_params(alpha=float(again.alpha) * moments.weight / whole)
        again._check_params()
        again._solve(moments)
        return again

    return solve


def _scored(sums: np.ndarray, seed: int) -> dict[str, Score]:
    shards = len(sums)
    generator = np.random.default_rng(np.random.PCG64(seed))
    counts = generator.multinomial(shards, np.full(shards, 1 / shards), size=_RESAMPLES)
    whole, drawn = score_sums(sums.sum(axis=0)), score_sums(counts @ sums)
    return {
        name: _between(float(whole[name]), drawn[name], shards, chance=0.0)
        for name in SCORES
        if np.isfinite(whole[name])
    }


def _between(value: float, drawn: np.ndarray, n: int, *, chance: float | None = None) -> Score:
    low, high = np.percentile(drawn, _ENDS)
    return Score(float(value), float(low), float(high), n=n, chance=chance)


def _degrees_between(one: np.ndarray, other: np.ndarray) -> float:
    """Return the angle between two matrices as vectors: none between zeros, a right one where one is zero."""
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    cosine = np.sum(one * other) / lengths if lengths > 0 else float(np.array_equal(one, other))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _explained(W: np.ndarray, m: Moments, spreads: np.ndarray) -> float:
    """Return the share of the targets' variance that the map explains on the rows of ``m``."""
    energy = spreads + m.weight * np.array([m.mean_x @ m.mean_x, m.mean_y @ m.mean_y])
    mapped = energy[0] if m.parts == "cross" else float(np.sum((m.about_origin()[0] @ W) * W))
    error = energy[1] - 2 * float(np.sum(W * m.cross_about_origin())) + mapped
    return float(1 - error / spreads[1]) if spreads[1] > 0 else 0.0
