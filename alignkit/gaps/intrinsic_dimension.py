"""Intrinsic dimension of each side from the two nearest rows of each row (TwoNN, Facco et al. 2017)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from alignkit.errors import DataError
from alignkit.gaps._clouds import Clouds, unit_rows
from alignkit.gaps._exchange import EXCHANGES, exchanged, first_side, first_sides
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._neighbours import Neighbours, neighbours_within, pooled_keep
from alignkit.gaps._replicas import Replicas, n_blocks
from alignkit.gaps._replicated import Replicated
from alignkit.shapes import Mask, Vectors

FITTED = 0.9  # share of the smallest ratios that the line is fitted to, of Facco et al.
KEPT = 10
FEWEST = 10
COPY = 9  # decimals to which projections of copies agree


def intrinsic_dimension(rows: Vectors) -> float:
    """Return the dimension of the set that rows lie on, by a line through 90 % of the ratios.

    Raises
    ------
    DataError
        If fewer than ten rows differ.

    Examples
    --------
    >>> angle = np.random.default_rng(0).uniform(size=(500, 1)) * 6
    >>> circle = np.concatenate([np.cos(angle), np.sin(angle), np.ones((500, 3))], axis=1)
    >>> round(intrinsic_dimension(circle))
    1
    """
    rows = _exact(rows)
    rows = rows[first_of_copies(rows)]
    if len(rows) < FEWEST:
        raise DataError(f"an intrinsic dimension needs {FEWEST} rows that differ, got {len(rows)}.")
    return _fitted(_ratios(_lists(rows, 2)), rows.shape[1])


def first_of_copies(rows: Vectors) -> Mask:
    """Return which rows are the first of all equal ones (to nine decimals of two random projections).

    Examples
    --------
    >>> first_of_copies(np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])).tolist()
    [True, True, False]
    """
    shadows = rows @ np.random.default_rng(0).normal(size=(rows.shape[1], 2))
    first = np.zeros(len(rows), dtype=bool)
    first[np.unique(np.round(shadows, COPY) + 0.0, axis=0, return_index=True)[1]] = True
    return first


@dataclass(frozen=True, slots=True)
class Ratios:
    """Hold, for each row, the distance to the second nearest over that to the nearest; and the dimensions."""

    source: np.ndarray
    target: np.ndarray
    dims: int


class IntrinsicDimension(Replicated[Ratios]):
    r"""Return the dimension d of each side for which :math:`\log(r_2 / r_1)` is exponential with rate d.

    r₁ and r₂ are the distances of a row to its two nearest rows of the same side. Parts ``source`` and
    ``target`` fit the line :math:`-\log(1 - F(\mu)) = d \log \mu` through the origin to the 90 % smallest
    ratios, as published; ``source_likelihood`` and ``target_likelihood`` take the maximum likelihood, without
    bias, from all ratios, so that a few odd rows move it. Above 0, without an upper end. It assumes that
    density is constant as far as the second neighbour: real dimensions above ten come out too low, more so
    for few rows. Rows are normalised first (a cone becomes a patch of the sphere). No pairs needed. Copies of
    a row count once, and fewer than ten different rows are refused. Where all ratios are 1 (all rows equally
    far apart) the dimension of the space is returned.

    The null level is that of sides whose partners are exchanged at random, so that either holds both
    modalities (unpaired: of random splits of the pooled rows). The interval is a delete-a-block jackknife.
    Beyond 2,000 rows a side a seeded sample is used, because every row meets every other.

    References
    ----------
    Facco et al. (2017), *Estimating the intrinsic dimension of datasets by a minimal neighborhood
    information*; Denti et al. (2022), *The generalized ratios intrinsic dimension estimator*.

    Examples
    --------
    >>> plane = np.random.default_rng(0).normal(size=(2, 400, 3))  # on the unit sphere: two dimensions
    >>> {part: round(value) for part, value in IntrinsicDimension().measure_parts(*plane).items()}
    {'source': 2, 'target': 2, 'source_likelihood': 2, 'target_likelihood': 2}
    """

    parts = ("source", "target", "source_likelihood", "target_likelihood")
    null = EXCHANGES
    limits = (0.0, np.inf)
    fewest = FEWEST
    most = 2_000

    def refusal_of(self, clouds: Clouds) -> str | None:
        """Return why this measure cannot be taken: ten rows a side must differ."""
        fault = super().refusal_of(clouds)
        if fault is None and (count := min(int(kept.sum()) for kept in _different(clouds))) < FEWEST:
            return f"it needs {FEWEST} rows a side that differ, and there are {count}"
        return fault

    def null_of(self, clouds: Clouds, rng: np.random.Generator) -> dict[str, float]:
        """Return the values of sides without a gap."""
        return self.values_of(exchanged(clouds, first_side(clouds, rng)))

    def _of(self, read: Ratios) -> dict[str, float]:
        sides = read.source, read.target
        values = [estimate(side, read.dims) for estimate in (_fitted, _likely) for side in sides]
        return dict(zip(self.parts, values, strict=True))

    def _read(self, clouds: Clouds) -> Ratios:
        source, target = (
            _ratios(_lists(_exact(rows[kept]), 2))
            for rows, kept in zip((clouds.x, clouds.y), _different(clouds), strict=True)
        )
        return Ratios(source, target, clouds.x.shape[1])

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[Ratios]:
        return Replicas(self._read(clouds), _left_out(clouds, seed), _nulls(clouds, seed))


def _left_out(clouds: Clouds, seed: int) -> Iterator[Ratios]:
    count, differ = n_blocks(clouds), _different(clouds)
    blocks = [own[kept] for own, kept in zip(item_blocks(clouds, count, seed), differ, strict=True)]
    lists = [
        _lists(_exact(rows[kept]), KEPT) for rows, kept in zip((clouds.x, clouds.y), differ, strict=True)
    ]
    for block in range(count):
        source, target = (
            _ratios(one.without(own != block, 2)) for one, own in zip(lists, blocks, strict=True)
        )
        yield Ratios(source, target, clouds.x.shape[1])


def _nulls(clouds: Clouds, seed: int) -> Iterator[Ratios]:
    rows = _exact(np.concatenate([clouds.x, clouds.y]))
    kept = first_of_copies(rows)
    lists = _lists(rows[kept], pooled_keep(len(clouds.x), len(clouds.y), 2))
    for first in first_sides(clouds, seed):
        source, target = (_ratios(lists.without(side[kept], 2)) for side in (first, ~first))
        yield Ratios(source, target, rows.shape[1])


def _different(clouds: Clouds) -> tuple[Mask, Mask]:
    """Return which rows of x, and of y, are no copies of an earlier one."""

    def find() -> tuple[Mask, Mask]:
        return first_of_copies(_exact(clouds.x)), first_of_copies(_exact(clouds.y))

    return clouds.once("different rows", find)


def _exact(rows: Vectors) -> Vectors:
    """Return rows of length 1 in double precision: near 1 a cosine in single precision tells no distance."""
    return unit_rows(np.asarray(rows).astype(np.float64))


def _lists(rows: Vectors, keep: int) -> Neighbours:
    return neighbours_within(rows, keep, np.random.default_rng(0))


def _ratios(lists: Neighbours) -> np.ndarray:
    """Return the logarithms of the ratios of those rows that have two neighbours, smallest first."""
    cosines = lists.cosines[:, :2][(lists.rows[:, :2] >= 0).all(axis=1)]
    distances = np.sqrt(np.maximum(2 - 2 * cosines, np.finfo(float).tiny))
    return np.sort(np.log(distances[:, 1] / distances[:, 0]))


def _fitted(ratios: np.ndarray, dims: int) -> float:
    n = len(ratios)
    used = ratios[: int(FITTED * n)]
    rises = -np.log1p(-np.arange(1, len(used) + 1) / n)
    squares = float(used @ used)
    return float(used @ rises) / squares if squares > np.finfo(float).eps ** 2 * n else float(dims)


def _likely(ratios: np.ndarray, dims: int) -> float:
    total = float(ratios.sum())
    return (len(ratios) - 1) / total if total > np.finfo(float).eps * len(ratios) else float(dims)
