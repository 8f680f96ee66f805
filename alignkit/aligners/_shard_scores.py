"""Score maps on held-out shards from their moments alone: no row is read again."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from alignkit.aligners._framed_shards import FramedShards
from alignkit.aligners._linear import LinearAligner
from alignkit.aligners._spectrum import Spectrum
from alignkit.moments import Moments

Solve: TypeAlias = Callable[[Moments], LinearAligner]
SUMS = (
    "weight",
    "target",  # of the targets with themselves, in the frame of the target
    "baseline",  # of the targets about the mean of the targets that were fitted
    "cross",  # of the mapped rows with the targets
    "mapped",  # of the mapped rows with themselves
    "joint_cross",  # of the two sides' projections with each other, in the joint frame
    "joint_source",  # and of each with itself
    "joint_target",
    "paired",  # joint_cross about the means of the held-out rows
    "strangers",  # squared similarity of held-out rows that are no pair, about its mean
)
SCORES = ("explained_variance", "pooled_cosine", "separation")


def score_sums(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Return the scores that sums over held-out rows tell; the last axis is that of `SUMS`.

    - ``explained_variance``: 1 - squared error / squared error of always answering the fitted mean. 0 is no
      better than the mean, 1 perfect; a rotation may fall below 0.
    - ``pooled_cosine``: the cosine between all mapped rows laid end to end and all their partners, in the
      joint frame. Where mapped rows all have one length it is the mean cosine of the pairs.
    - ``separation``: by how many standard deviations of the similarity (inner product, joint frame) of
      strangers a pair is more similar than strangers are. NaN where only cross-products were kept.
    """
    value = dict(zip(SUMS, np.moveaxis(sums, -1, 0), strict=True))
    error = value["target"] - 2 * value["cross"] + value["mapped"]
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "explained_variance": 1 - error / value["baseline"],
            "pooled_cosine": value["joint_cross"] / np.sqrt(value["joint_source"] * value["joint_target"]),
            "separation": value["paired"] / np.sqrt(value["strangers"] * value["weight"]),
        }


def held_out_sums(framed: FramedShards, fold_of: np.ndarray, solve: Solve) -> np.ndarray:
    """Return the `SUMS` of every shard under the map that the shards of the other folds give, ``S x 10``.

    The frames are those of all rows, as those of `ridge` are when it chooses its penalty.
    """
    frames, shards = framed.frames(), framed.shards
    sums = np.full((len(shards), len(SUMS)), np.nan)
    for fold in range(fold_of.max() + 1):
        rest, held = (
            framed.joint(shards.pooled(which), frames).moments for which in (fold_of != fold, fold_of == fold)
        )
        fitted = solve(rest)
        for index in np.flatnonzero(fold_of == fold).tolist():
            one = framed.joint(shards.one(index), frames)
            shared = _target_sums(one.moments, one.spreads, rest)
            if one.moments.parts == "all":
                sums[index] = [*shared, *_mapped_sums(fitted, one.moments, held)]
            else:
                sums[index] = [*shared, *_rotated_sums(fitted.matrix_, one.moments, one.spreads, held)]
    return sums


def grid_sums(framed: FramedShards, fold_of: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Return the `SUMS` of every shard for a grid of ridge penalties, ``len(grid) x S x 10``.

    Penalties are in units of the mean eigenvalue of ``X'X`` of the fitted rows. One eigendecomposition a
    fold and a few products a shard serve the whole grid.
    """
    frames, shards = framed.frames(), framed.shards
    sums = np.full((len(grid), len(shards), len(SUMS)), np.nan)
    for fold in range(fold_of.max() + 1):
        rest, held = (
            framed.joint(shards.pooled(which), frames).moments for which in (fold_of != fold, fold_of == fold)
        )
        xx, xy, _ = rest.about_origin()
        spectrum = Spectrum.of(xx)
        V, cross = spectrum.vectors, spectrum.vectors.T @ xy
        penalties = grid * (np.trace(xx) / len(xx))
        factors = 1 / (spectrum.values + penalties[:, None])  # a row per penalty
        outer, spread = cross @ cross.T, cross @ held.cov_yy @ cross.T
        for index in np.flatnonzero(fold_of == fold).tolist():
            one = framed.joint(shards.one(index), frames)
            m, shared = one.moments, _target_sums(one.moments, one.spreads, rest)
            (x, y), xx, xy = _offsets(m, held), m.about_origin()[0], m.cross_about_origin()
            along, own, paired = (V.T @ part for part in (x, xy, m.xy + m.weight * np.outer(x, y)))
            energies, apart = V.T @ xx @ V, V.T @ m.xx @ V + m.weight * np.outer(along, along)
            crossed = factors @ np.sum(cross * own, axis=1)
            mapped = np.einsum("gi,ij,gj->g", factors, energies * outer, factors, optimize=True)
            strangers = np.einsum("gi,ij,gj->g", factors, apart * spread, factors, optimize=True)
            excess = factors @ np.sum(cross * paired, axis=1)
            target = np.full(len(grid), shared[1])
            sums[:, index, :3] = shared
            sums[:, index, 3:] = np.stack(
                [crossed, mapped, crossed, mapped, target, excess, strangers], axis=1
            )
    return sums


def _mapped_sums(fitted: LinearAligner, m: Moments, held: Moments) -> list[float]:
    xx, xy, yy = m.about_origin()
    W, A, B = fitted.matrix_, fitted.source_projection_, fitted.target_projection_
    A, B = (np.eye(len(own)) if P is None else P for P, own in ((A, xx), (B, yy)))
    x, y = _offsets(m, held)
    x, y = x @ A, y @ B
    source = A.T @ m.xx @ A + m.weight * np.outer(x, x)
    return [
        float(np.sum(W * xy)),
        float(np.sum((xx @ W) * W)),
        float(np.sum(A * (xy @ B))),
        float(np.sum((xx @ A) * A)),
        float(np.sum((yy @ B) * B)),
        float(np.sum(A * (m.xy @ B)) + m.weight * (x @ y)),
        float(np.sum(source * (B.T @ held.cov_yy @ B))),
    ]


def _rotated_sums(W: np.ndarray, m: Moments, spreads: np.ndarray, held: Moments) -> list[float]:
    """Return the sums of a map that keeps the length of every source row: it needs no more than traces."""
    crossed = float(np.sum(W * m.cross_about_origin()))
    source = float(spreads[0] + m.weight * (m.mean_x @ m.mean_x))
    target = float(spreads[1] + m.weight * (m.mean_y @ m.mean_y))
    x, y = _offsets(m, held)
    paired = float(np.sum(W * m.xy) + m.weight * ((x @ W) @ y))
    return [crossed, source, crossed, source, target, paired, np.nan]


def _target_sums(m: Moments, spreads: np.ndarray, rest: Moments) -> list[float]:
    """Return weight, target and baseline of one shard."""
    off = m.mean_y - rest.mean_y
    energies = (float(spreads[1] + m.weight * (mean @ mean)) for mean in (m.mean_y, off))
    return [m.weight, *energies]


def _offsets(m: Moments, held: Moments) -> tuple[np.ndarray, np.ndarray]:
    return m.mean_x - held.mean_x, m.mean_y - held.mean_y
