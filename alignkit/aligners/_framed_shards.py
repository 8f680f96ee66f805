"""Stream pairs into shard moments with the frames of all rows: one pass, or two for `unit-center-unit`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from alignkit.aligners._frame import Frame, Normalize, row_lengths
from alignkit.aligners._halves import widen
from alignkit.aligners._raw_moments import frames_of_raw
from alignkit.aligners._restarts import run_restarts
from alignkit.aligners._shard_sum import ShardSum, Workspace
from alignkit.errors import DataError, ParameterError
from alignkit.moments import Moments, Parts
from alignkit.shards import Pooled, ShardMoments

PIECE = 512  # rows converted at a time, or waiting for their shard's next product

# (number of its first pair, X, Y, weights or None)
Block: TypeAlias = tuple[int, np.ndarray, np.ndarray, "np.ndarray | None"]
Work: TypeAlias = tuple[np.ndarray, np.ndarray]  # a piece as float64, and as integers on the way there
ReadShard: TypeAlias = Callable[[int], Iterable[Block]]  # the pairs of one shard, the same at every call


@dataclass(frozen=True, slots=True, eq=False)
class FramedShards:
    """Hold shard moments with the steps of their frames: all that a linear map is fitted from.

    For `unit-center-unit` the products are those of rows in the joint frame and ``given`` holds the frames;
    for the other steps they are those of rows before centring, and the shards tell the frames themselves,
    so that shards made on other machines may be merged before the mean of all rows is known.

    Parameters
    ----------
    steps
        The ``normalize`` of the map.
    shards
        The moments.
    given
        The frames of both sides, for ``"unit-center-unit"`` only.
    """

    steps: Normalize
    shards: ShardMoments
    given: tuple[Frame, Frame] | None = None

    def frames(self) -> tuple[Frame, Frame]:
        """Return the frames of all rows of all shards."""
        if self.given is not None:
            return self.given
        if not self.steps.startswith("unit"):
            return frames_of_raw(self.shards.total().moments, self.steps)
        weights, ds = self.shards.weights, self.shards.source_dim
        if not weights.sum() > 0:
            raise DataError(f"{self.shards.n} pairs have no weight: a mean needs a positive sum.")
        mean = weights @ self.shards.means / weights.sum()
        if self.steps == "unit":
            mean = np.zeros_like(mean)
        source, target = (
            Frame(self.steps, own, float(length))
            for own, length in zip(
                (mean[:ds].copy(), mean[ds:].copy()),
                self.shards.lengths.sum(axis=0) / weights.sum(),
                strict=True,
            )
        )
        return source, target

    def joint(self, pooled: Pooled, frames: tuple[Frame, Frame]) -> Pooled:
        """Return some shards' moments in the joint frame: means and spreads of all rows taken out."""
        if self.given is not None or not frames[0].centers:
            return pooled
        moments, centred = pooled.moments, pooled.moments.centered()
        left, right = frames[0].spread, frames[1].spread
        means = moments.mean_x - frames[0].mean, moments.mean_y - frames[1].mean
        traces, products = pooled.spreads, centred.products().T if moments.parts == "all" else centred.xy
        if left is not None and right is not None:
            means = left.take_out(means[0][None])[0], right.take_out(means[1][None])[0]
            xx, yy = left.of_products(centred.xx, left), right.of_products(centred.yy, right)
            xy = left.of_products(centred.xy, right)
            traces = np.array([np.trace(xx), np.trace(yy)])
            products = np.block([[xx, xy], [xy.T, yy]])
        counts = moments.n, moments.weight
        result = Moments.from_products(counts, np.concatenate(means), products, source_dim=moments.source_dim)
        return Pooled(result, traces, pooled.lengths)

    def merge(self, other: "FramedShards") -> "FramedShards":
        """Return the shards of both; those with one label are added.

        Raises
        ------
        ParameterError
            If the steps, the given frames, dimensions or parts differ.
        """
        if self.steps != other.steps:
            raise ParameterError(f"shards of {self.steps!r} rows and of {other.steps!r} rows do not add.")
        for mine, theirs in zip(self.given or (), other.given or (), strict=True):
            if not np.array_equal(mine.mean, theirs.mean) or mine.length != theirs.length:
                raise ParameterError(
                    "these shards were made in other frames: pool the frames of all parts first "
                    "(`pool_frames`), then make every part's shards in those."
                )
        return FramedShards(self.steps, self.shards.merge(other.shards), self.given)


def stream_shards(
    read: ReadShard,
    labels: Sequence[int],
    dims: tuple[int, int],
    steps: Normalize,
    parts: Parts,
    *,
    frames: tuple[Frame, Frame] | None = None,
    jobs: int | None = None,
) -> FramedShards:
    """Return the moments of every shard in ``labels``, whose pairs ``read`` gives.

    Each shard is read once and no more than a block of it is in memory at a time. Shards run in ``jobs``
    threads, each with one BLAS thread, so the result is the same to the last bit for every ``jobs``.
    ``unit-center-unit`` needs ``frames``: see `stream_frames`.

    Raises
    ------
    DataError
        If a row is not finite, or has no direction where one is needed.
    """
    if (steps == "unit-center-unit") != (frames is not None):
        raise ParameterError(f"normalize={steps!r}: frames belong to 'unit-center-unit', and to that alone.")

    shards = ShardMoments.blank(labels, dims, parts)

    def fill(label: int) -> None:
        total = ShardSum(dims, steps, parts, frames)
        for first, X, Y, weight in read(label):
            total.add(X, Y, weight, first)
        if not total.rows:
            raise DataError(f"shard {label} has no pairs: make fewer shards.")
        shards.put(label, total.pooled())  # every call has a place of its own

    run_restarts(fill, labels, jobs)
    return FramedShards(steps, shards, frames)


def deal_shards(
    blocks: Iterable[Block],
    shard_of: np.ndarray,
    steps: Normalize,
    parts: Parts,
    *,
    frames: tuple[Frame, Frame] | None = None,
) -> FramedShards:
    """Return the moments of shards whose pairs lie scattered: pair i belongs to shard ``shard_of[i]``.

    Blocks are read in order, one thread long. Up to 512 rows a shard wait in their stored type until a
    product is worth its while: for 32 shards of 512 + 512 float16 dimensions 34 MB.
    """
    sums: dict[int, ShardSum] = {}
    waiting: dict[int, list[tuple[np.ndarray, np.ndarray, np.ndarray | None]]] = {}
    workspace: Workspace | None = None

    def flush(label: int) -> None:
        X, Y, weight = zip(*waiting.pop(label), strict=True)
        whole = None if weight[0] is None else np.concatenate(weight)
        sums[label].add(np.concatenate(X), np.concatenate(Y), whole)

    for first, X, Y, weight in blocks:
        here = shard_of[first : first + len(X)]
        for label in np.unique(here).tolist():
            rows = np.flatnonzero(here == label)
            if label not in sums:
                dims = X.shape[1], Y.shape[1]
                workspace = workspace or Workspace(dims, parts)
                sums[label] = ShardSum(dims, steps, parts, frames, workspace)
            wait = waiting.setdefault(label, [])
            wait.append((X[rows], Y[rows], None if weight is None else weight[rows]))
            if sum(len(part[0]) for part in wait) >= PIECE:
                flush(label)
    for label in list(waiting):
        flush(label)
    dims = next(iter(sums.values())).dims
    shards = ShardMoments.blank(sorted(sums), dims, parts)
    for label in list(sums):
        shards.put(label, sums.pop(label).pooled())
    return FramedShards(steps, shards, frames)


def stream_frames(read: ReadShard, labels: Sequence[int], *, jobs: int | None = None) -> tuple:
    """Return the `unit-center-unit` frames of all rows, and their weight: a pass that multiplies nothing.

    The result is the same to the last bit for every ``jobs``. Parts that lie on several machines are put
    together by `pool_frames`.
    """

    def one(label: int) -> tuple[float, tuple[np.ndarray, np.ndarray], np.ndarray]:
        weight_sum, sums, lengths = 0.0, None, np.zeros(2)
        work: tuple[Work, Work] | None = None
        for first, X, Y, weight in read(label):
            sums = sums or (np.zeros(X.shape[1]), np.zeros(Y.shape[1]))
            work = work or (_workspace(X.shape[1]), _workspace(Y.shape[1]))
            weight_sum += len(X) if weight is None else float(weight.sum())
            for side, rows in enumerate((X, Y)):
                lengths[side] += _add_directions((sums[side], *work[side]), rows, weight, (side, first))
        if sums is None:
            raise DataError(f"shard {label} has no pairs: make fewer shards.")
        return weight_sum, sums, lengths

    parts = run_restarts(one, labels, jobs)
    total = sum(weight for weight, _, _ in parts)
    if not total > 0:
        raise DataError(f"the weights of all pairs sum to {total}: a mean needs a positive sum.")
    lengths = np.sum([length for _, _, length in parts], axis=0) / total
    means = [np.sum([sums[side] for _, sums, _ in parts], axis=0) / total for side in (0, 1)]
    frames = tuple(
        Frame("unit-center-unit", mean, float(length)) for mean, length in zip(means, lengths, strict=True)
    )
    return frames, total


def pool_frames(parts: Iterable[tuple[tuple[Frame, Frame], float]]) -> tuple[tuple[Frame, Frame], float]:
    """Return the frames of several parts of the data together, from their frames and weights."""
    frames, weights = zip(*parts, strict=True)
    total = float(sum(weights))
    pooled = []
    for side in (0, 1):
        own = [pair[side] for pair in frames]
        mean = np.sum([w * frame.mean for w, frame in zip(weights, own, strict=True)], axis=0) / total
        length = sum(w * frame.length for w, frame in zip(weights, own, strict=True)) / total
        pooled.append(Frame(own[0].steps, mean, length))
    return (pooled[0], pooled[1]), total


def _workspace(dim: int) -> Work:
    return np.empty((PIECE, dim)), np.empty((PIECE, dim), np.int32)


def _add_directions(
    kept: tuple[np.ndarray, np.ndarray, np.ndarray],
    rows: np.ndarray,
    weight: np.ndarray | None,
    place: tuple[int, int],
) -> float:
    """Add the sum of unit rows to the first array kept, working in the others; return the sum of lengths."""
    (total, work, bits), (side, first) = kept, place
    whole = 0.0
    for start in range(0, len(rows), len(work)):
        given = rows[start : start + len(work)]
        z = work[: len(given)]
        widen(given, z, bits)
        try:
            lengths = row_lengths(z, first + start)
        except DataError as error:
            raise DataError(f"{('source', 'target')[side]} {error}") from error
        w = np.ones(len(z)) if weight is None else weight[start : start + len(work)]
        whole += float(w @ lengths)
        total += (w / lengths) @ z
    return whole
