"""Maps through anchors: training pairs to whose two sides every other row is compared."""

from abc import abstractmethod
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from scipy.sparse import csr_array

from alignkit._params import check_count
from alignkit.aligners._folds import pair_keys, row_keys
from alignkit.aligners._frame import Frame, FrameFit, Normalize, check_normalize
from alignkit.aligners._framed import FramedAligner
from alignkit.errors import DataError, ParameterError
from alignkit.moments import Moments, Parts
from alignkit.rows import computing_dtype
from alignkit.shapes import SourceVectors, TargetVectors, Vectors, Weights

Choice: TypeAlias = Literal["random", "farthest", "kmeans"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
BLOCK = 8192
ROUNDS = 50  # of k-means, at most


class AnchoredAligner(FramedAligner):
    """Fit both frames and take some of the pairs as anchors; a leaf fills `_learn` and the mapping.

    Copies of a pair are one anchor, and a pair without weight is none. Which pairs are taken depends on
    what they hold and on ``seed``, not on where they stand.

    Attributes
    ----------
    source_anchors_, target_anchors_
        Directions of the anchors in the two frames, ``(m, ds)`` and ``(m, dt)``, in float32, or float64
        where the fitted rows were.
    """

    source_anchors_: np.ndarray
    target_anchors_: np.ndarray

    def __init__(
        self,
        *,
        n_anchors: int | None = None,
        choice: Choice = "random",
        seed: int = 0,
        normalize: Normalize = "unit-center-unit",
    ) -> None:
        super().__init__(normalize=normalize)
        self.n_anchors = n_anchors
        self.choice = choice
        self.seed = seed

    def _check_params(self) -> None:
        check_normalize(self.normalize)
        check_count("seed", self.seed, least=0)
        if self.n_anchors is not None:
            check_count("n_anchors", self.n_anchors, least=1)
        if self.choice not in CHOICES:
            raise ParameterError(f"choice is {self.choice!r}; choose one of {', '.join(CHOICES)}.")

    def _fit(self, X: SourceVectors, Y: TargetVectors, weight: Weights | None, groups: Any) -> None:  # noqa: ARG002
        self._check_params()
        self.source_frame_ = Frame.fit(X, self.normalize, weight)
        self.target_frame_ = Frame.fit(Y, self.normalize, weight)
        rows = distinct_pairs(X, Y, weight, self.normalize)
        if self.n_anchors is not None:
            rows = rows[self._chosen(X, Y, rows)]
        source = self.source_frame_.apply(X[rows], dtype=np.float64)
        target = self.target_frame_.apply(Y[rows], dtype=np.float64)
        self.source_anchors_ = directions(source).astype(computing_dtype(X.dtype), copy=False)
        self.target_anchors_ = directions(target).astype(computing_dtype(Y.dtype), copy=False)
        self._learn(source, target, (X, Y, weight))

    def _chosen(self, X: SourceVectors, Y: TargetVectors, rows: np.ndarray) -> np.ndarray:
        """Return which of the distinct pairs ``rows`` are anchors, in ascending order."""
        count = int(self.n_anchors or len(rows))
        if count > len(rows):
            raise ParameterError(
                f"n_anchors is {count}, but there are {len(rows)} distinct pairs: choose fewer, or none to "
                "take them all."
            )
        rng = np.random.default_rng(self.seed)
        if self.choice == "random":
            return np.sort(rng.choice(len(rows), count, replace=False))
        fit = FrameFit(self.normalize)  # before centring: rounding in the means must not change a choice
        both = np.hstack([directions(fit.unit(side[rows])) for side in (X, Y)])
        pick = farthest_points if self.choice == "farthest" else nearest_to_means
        return np.sort(pick(both, count, rng))

    def _moments_of_directions(
        self, X: SourceVectors, Y: TargetVectors, weight: Weights | None, *, parts: Parts
    ) -> Moments:
        """Return the moments of the directions of all framed pairs: means, and with "all" covariances."""
        moments = Moments(X.shape[1], Y.shape[1], parts=parts)
        for start in range(0, len(X), BLOCK):
            part = slice(start, start + BLOCK)
            moments.update(
                directions(self.source_frame_.apply(X[part], dtype=np.float64)),
                directions(self.target_frame_.apply(Y[part], dtype=np.float64)),
                None if weight is None else weight[part],
            )
        return moments

    def _anchor_arrays(self) -> dict[str, np.ndarray]:
        return self._frame_arrays() | {
            "source_anchors": self.source_anchors_,
            "target_anchors": self.target_anchors_,
        }

    def _restore_anchors(self, arrays: dict[str, np.ndarray]) -> None:
        self._restore_frames(arrays)
        self.source_anchors_, self.target_anchors_ = arrays["source_anchors"], arrays["target_anchors"]

    @abstractmethod
    def _learn(
        self, source: SourceVectors, target: TargetVectors, pairs: tuple[np.ndarray, np.ndarray, Any]
    ) -> None:
        """Learn from the framed rows of the anchors (float64), and from all ``(X, Y, weight)``."""


def directions(V: Vectors) -> Vectors:
    """Return rows of length 1 in the dtype of ``V``; a row of zeros stays one."""
    largest = np.abs(V).max(axis=1, keepdims=True)  # squares of large rows would leave the range
    V = V / np.where(largest > 0, largest, 1)
    lengths = np.sqrt(np.einsum("nd,nd->n", V, V))
    return V / np.where(lengths > 0, lengths, 1)[:, None]


def distinct_pairs(
    X: SourceVectors, Y: TargetVectors, weight: Weights | None, normalize: Normalize
) -> np.ndarray:
    """Return the row of one copy of every pair that has weight, in an order that no row order changes.

    Raises
    ------
    DataError
        If no pair has weight.
    """
    fit = FrameFit(normalize)
    keys = np.concatenate(
        [
            pair_keys(*(row_keys(fit.unit(side[start : start + BLOCK])) for side in (X, Y)))
            for start in range(0, len(X), BLOCK)
        ]
    )
    used = np.arange(len(X)) if weight is None else np.flatnonzero(weight > 0)
    if not len(used):
        raise DataError(f"{len(X)} pairs have a total weight of 0: nothing can be fitted.")
    return used[np.unique(keys[used], return_index=True)[1]]


def farthest_points(V: Vectors, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``count`` rows, each the farthest from those before it; the first is drawn."""
    chosen = np.empty(count, np.int64)
    chosen[0] = rng.integers(len(V))
    distance = np.full(len(V), np.inf)
    squares = np.einsum("nd,nd->n", V, V)
    for k in range(1, count):
        last = V[chosen[k - 1]]
        distance = np.minimum(distance, squares - 2 * (V @ last) + last @ last)
        distance[chosen[:k]] = -np.inf
        chosen[k] = distance.argmax()
    return chosen


def nearest_to_means(V: Vectors, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``count`` rows: for every cluster of k-means the row nearest to its mean, no row twice.

    Lloyd's iterations begin with `farthest_points`; a cluster that loses all its rows keeps its mean.
    """
    means, labels = V[farthest_points(V, count, rng)], np.full(len(V), -1)
    for _ in range(ROUNDS):
        before, labels = labels, _nearest(V, means)
        if np.array_equal(before, labels):
            break
        sizes = np.bincount(labels, minlength=count)
        member = csr_array((np.ones(len(V)), (labels, np.arange(len(V)))), shape=(count, len(V)))
        means = np.where(sizes[:, None] > 0, (member @ V) / np.maximum(sizes, 1)[:, None], means)
    squares = np.einsum("nd,nd->n", V, V)
    free = np.ones(len(V), bool)
    chosen = np.empty(count, np.int64)
    for k, mean in enumerate(means):
        chosen[k] = np.where(free, squares - 2 * (V @ mean), np.inf).argmin()
        free[chosen[k]] = False
    return chosen


def _nearest(V: Vectors, means: np.ndarray) -> np.ndarray:
    half_squares = np.einsum("kd,kd->k", means, means) / 2
    parts = (slice(start, start + BLOCK) for start in range(0, len(V), BLOCK))
    return np.concatenate([(V[part] @ means.T - half_squares).argmax(axis=1) for part in parts])
