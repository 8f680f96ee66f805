"""Moments of many disjoint parts of one set of pairs: folds and bootstraps without a second look at rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alignkit.errors import DataError, ParameterError
from alignkit.moments import Moments, Parts

ARRAYS = ("labels", "rows", "weights", "means", "products", "spreads", "lengths")
_BATCH = 16  # sets of counts whose products are summed in one matrix product


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Hold the moments of several shards together, and two sums that cross-moments alone do not tell.

    ``spreads`` are the traces of ``xx`` and ``yy``, ``lengths`` the weighted sums of the raw row lengths of
    both sides (zeros where nobody measured them).
    """

    moments: Moments
    spreads: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class ShardMoments:
    """Hold the moments of S shards: disjoint parts of one set of pairs, each with a label.

    From them come, without another look at the rows: all rows together (`total`), every fold left out
    (`pooled` with counts of 0 and 1), and bootstrap replicates (`replicates`, counts drawn with
    replacement). A shard is the unit of all of them, so put what belongs together into one shard. Memory
    is S times (ds + dt)^2 float64 numbers, or S times ds * dt with ``parts="cross"``: 268 MB or 67 MB for 32
    shards of 512 + 512 dimensions, however many rows there were.

    Shards stand in the order of their labels and sums run over them in that order, each about the mean of
    all (Chan, Golub and LeVeque 1979). So merging collections with different labels, in any order, gives
    the same bits; shards with one label are added, and there the order leaves rounding error only.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.normal(size=(100, 3)), rng.normal(size=(100, 2))
    >>> first = ShardMoments.from_arrays(X[:60], Y[:60], labels=np.arange(60) // 20)
    >>> second = ShardMoments.from_arrays(X[60:], Y[60:], labels=np.arange(60, 100) // 20)
    >>> both = second.merge(first)
    >>> both.labels.tolist(), both.n, bool(np.allclose(both.total().moments.xx, Moments.from_arrays(X, Y).xx))
    ([0, 1, 2, 3, 4], 100, True)
    >>> both.pooled(np.array([1, 1, 0, 1, 1])).moments.n
    80
    """

    source_dim: int
    target_dim: int
    parts: Parts
    labels: np.ndarray
    rows: np.ndarray = field(repr=False)
    weights: np.ndarray = field(repr=False)
    means: np.ndarray = field(repr=False)  # S (ds + dt)
    products: np.ndarray = field(repr=False)  # S of the centred products; of [x y]'[x y] the upper triangle
    spreads: np.ndarray = field(repr=False)  # S 2
    lengths: np.ndarray = field(repr=False)  # S 2

    @classmethod
    def blank(cls, labels: Sequence[int], dims: tuple[int, int], parts: Parts) -> "ShardMoments":
        """Return a collection of shards without pairs, one for every label, for `put` to fill."""
        if not len(labels) or len(np.unique(labels)) != len(labels):
            raise DataError(f"{len(labels)} shards need as many different labels: give at least one.")
        S, (ds, dt) = len(labels), dims
        block = (ds + dt, ds + dt) if parts == "all" else (ds, dt)
        shapes = (S,), (S, ds + dt), (S, *block), (S, 2), (S, 2)
        whole = np.array(sorted(labels), dtype=np.int64), np.zeros(S, np.int64)
        return cls(ds, dt, parts, *whole, *(np.zeros(shape) for shape in shapes))

    def put(self, label: int, pooled: Pooled) -> None:
        """Write the moments of one shard into its place, over what stood there."""
        index, moments = int(np.searchsorted(self.labels, label)), pooled.moments
        self.rows[index], self.weights[index] = moments.n, moments.weight
        self.means[index] = np.concatenate([moments.mean_x, moments.mean_y])
        self.products[index] = moments.products()
        self.spreads[index], self.lengths[index] = pooled.spreads, pooled.lengths

    @classmethod
    def from_arrays(
        cls,
        X: np.ndarray,
        Y: np.ndarray,
        sample_weight: np.ndarray | None = None,
        *,
        labels: np.ndarray,
        parts: Parts = "all",
    ) -> "ShardMoments":
        """Return the moments of raw rows that lie side by side, ``labels`` naming the shard of every row."""
        if len(labels) != len(X):
            raise DataError(f"{len(labels)} labels for {len(X)} pairs: name the shard of every pair.")
        shards = cls.blank(np.unique(labels).tolist(), (X.shape[1], Y.shape[1]), parts)
        for label in shards.labels:
            here = np.flatnonzero(labels == label)
            weight = None if sample_weight is None else sample_weight[here]
            moments = Moments.from_arrays(X[here], Y[here], weight)
            spreads = np.array([np.trace(moments.xx), np.trace(moments.yy)])
            if parts == "cross":
                mean = np.concatenate([moments.mean_x, moments.mean_y])
                counts = moments.n, moments.weight
                moments = Moments.from_products(counts, mean, moments.xy, source_dim=X.shape[1])
            shards.put(int(label), Pooled(moments, spreads, np.zeros(2)))
        return shards

    @classmethod
    def from_state(cls, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> "ShardMoments":
        """Return the collection whose `facts` and `arrays` these are.

        Raises
        ------
        DataError
            If an array is missing or their shapes do not fit together.
        """
        ds, dt, parts = facts["source_dim"], facts["target_dim"], facts["parts"]
        missing = [name for name in ARRAYS if name not in arrays]
        if missing:
            raise DataError(f"the shards lack the array {missing[0]}: make them again.")
        S = len(arrays["labels"])
        block = (ds + dt, ds + dt) if parts == "all" else (ds, dt)
        shapes = dict(zip(ARRAYS, [(S,), (S,), (S,), (S, ds + dt), (S, *block), (S, 2), (S, 2)], strict=True))
        for name, shape in shapes.items():
            if arrays[name].shape != shape:
                raise DataError(
                    f"the array {name} of the shards has shape {arrays[name].shape}; expected {shape}: make "
                    "them again."
                )
        return cls(ds, dt, parts, **{name: arrays[name] for name in ARRAYS})

    @property
    def facts(self) -> dict[str, Any]:
        """The dimensions and parts, as JSON."""
        return {"source_dim": self.source_dim, "target_dim": self.target_dim, "parts": self.parts}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every array by name: with `facts`, all that `from_state` needs."""
        return {name: getattr(self, name) for name in ARRAYS}

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n(self) -> int:
        """Pairs in all shards."""
        return int(self.rows.sum())

    def merge(self, other: "ShardMoments") -> "ShardMoments":
        """Return the shards of both; those with one label are added.

        Raises
        ------
        ParameterError
            If they are of different dimensions or parts.
        """
        if other.facts != self.facts:
            raise ParameterError(
                f"shards of {self.source_dim} -> {self.target_dim} ({self.parts}) and {other.source_dim} -> "
                f"{other.target_dim} ({other.parts}) do not add: make both of the same spaces and parts."
            )
        labels, dims = np.union1d(self.labels, other.labels), (self.source_dim, self.target_dim)
        union = ShardMoments.blank(labels.tolist(), dims, self.parts)
        twice = np.intersect1d(self.labels, other.labels)
        for own in (self, other):
            places = np.searchsorted(labels, own.labels)
            for name in ARRAYS[1:]:
                getattr(union, name)[places] = getattr(own, name)
        for label in twice.tolist():
            one, two = (own.one(int(np.searchsorted(own.labels, label))) for own in (self, other))
            union.put(
                label, one if not two.moments.weight else two if not one.moments.weight else _sum(one, two)
            )
        return union

    def total(self) -> Pooled:
        """Return all shards together."""
        return self.pooled(np.ones(len(self)))

    def one(self, index: int) -> Pooled:
        """Return one shard alone; ``index`` counts from 0 in the order of the labels."""
        products = self.products[index].T if self.parts == "all" else self.products[index]
        counts = int(self.rows[index]), float(self.weights[index])
        moments = Moments.from_products(
            counts, self.means[index].copy(), products.copy("K"), source_dim=self.source_dim
        )
        return Pooled(moments, self.spreads[index].copy(), self.lengths[index].copy())

    def pooled(self, counts: np.ndarray) -> Pooled:
        """Return the shards together, each as often as ``counts`` says; 0 leaves it out.

        Raises
        ------
        ParameterError
            If there is not one count for every shard, one is negative, or no weight is left.
        """
        return next(self.replicates(np.asarray(counts, np.float64)[None]))

    def replicates(self, counts: np.ndarray) -> Iterator[Pooled]:
        """Yield what `pooled` returns for every row of ``counts``, several in one matrix product."""
        counts = np.asarray(counts, np.float64)
        if counts.ndim != 2 or counts.shape[1] != len(self) or not (counts >= 0).all():
            raise ParameterError(
                f"counts of shape {counts.shape} for {len(self)} shards: give one number >= 0 for each."
            )
        flat = self.products.reshape(len(self), -1)
        for start in range(0, len(counts), _BATCH):
            batch = counts[start : start + _BATCH]
            for row, products in zip(batch, batch @ flat, strict=True):
                yield self._with_products(row, products.reshape(self.products.shape[1:]))

    def deal(self, folds: int, seed: int = 0) -> np.ndarray:
        """Return the fold of every shard, drawn at random; folds differ by one shard at most.

        Raises
        ------
        ParameterError
            If there are fewer shards than folds.
        """
        if not 2 <= folds <= len(self):
            raise ParameterError(
                f"{len(self)} shards cannot be dealt into {folds} folds: ask for 2 to {len(self)}, or make "
                "more shards."
            )
        order = np.random.default_rng(np.random.PCG64(seed)).permutation(len(self))
        fold = np.empty(len(self), np.int64)
        fold[order] = np.arange(len(self)) % folds
        return fold

    def draw(self, replicates: int, seed: int = 0) -> np.ndarray:
        """Return how often every shard stands in each of ``replicates`` samples with replacement."""
        generator = np.random.default_rng(np.random.PCG64(seed))
        even = np.full(len(self), 1 / len(self))
        return generator.multinomial(len(self), even, size=replicates)

    def _with_products(self, counts: np.ndarray, products: np.ndarray) -> Pooled:
        """Finish a sum of the shards' own products: add what the distances between their means say."""
        weights = counts * self.weights
        total = weights.sum()
        if not total > 0:
            raise ParameterError("the shards that are left have no weight: leave out fewer.")
        mean = weights @ self.means / total
        apart = np.sqrt(weights)[:, None] * (self.means - mean)
        x, y = apart[:, : self.source_dim], apart[:, self.source_dim :]
        products += apart.T @ apart if self.parts == "all" else x.T @ y
        between = np.array([np.sum(side * side) for side in (x, y)])
        # Moments go by the lower triangle and by columns: the upper one, transposed
        products = products.T if self.parts == "all" else products
        moments = Moments.from_products(
            (int(counts @ self.rows), float(total)), mean, products, source_dim=self.source_dim
        )
        return Pooled(moments, counts @ self.spreads + between, counts @ self.lengths)


def _sum(one: Pooled, two: Pooled) -> Pooled:
    first, second = one.moments, two.moments
    if not (first.weight and second.weight):
        return one if first.weight else two
    factor = first.weight * second.weight / (first.weight + second.weight)
    apart = first.mean_x - second.mean_x, first.mean_y - second.mean_y
    between = factor * np.array([delta @ delta for delta in apart])
    return Pooled(first + second, one.spreads + two.spreads + between, one.lengths + two.lengths)
