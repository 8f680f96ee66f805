"""Means and spectra of the two clouds: what the measures made of covariances need."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, eigvalsh

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._products import product_blocks
from alignkit.gaps._replicas import (
    Replicas,
    n_blocks,
    split_clouds,
    split_masks,
    total,
    without_blocks,
)
from alignkit.gaps._spread import Spread, middle
from alignkit.shapes import SourceRows, TargetRows

ROUNDING = 1e-13
JITTER = 1e-14  # of the mean eigenvalue, added where a covariance lacks full rank


@dataclass(frozen=True, slots=True)
class Spectra:
    """Hold the means of two clouds, the eigenvalues of their (unbiased) covariances, and how these overlap.

    ``overlap`` is the trace of the square root of the product of the covariances.
    """

    mean_x: np.ndarray
    mean_y: np.ndarray
    x: np.ndarray
    y: np.ndarray
    overlap: float


def read_spectra(clouds: Clouds) -> Spectra:
    """Return the spectra of two clouds."""
    return clouds.once("spectra", lambda: _read(clouds))


def spectra_replicas(clouds: Clouds, seed: int) -> Replicas[Spectra]:
    """Return the spectra, those without each block of items, and those of random splits."""

    def make() -> Replicas[Spectra]:
        if max(len(clouds.x), len(clouds.y)) <= clouds.x.shape[1]:
            left_out: Iterable[Spectra] = (_of_rows(one.x, one.y) for one in without_blocks(clouds, seed))
            nulls: Iterable[Spectra] = (_of_rows(one.x, one.y) for one in split_clouds(clouds, seed))
        else:
            origin = _origin(clouds)
            x, y = _blocks(clouds, seed, origin)
            left_out = spectra_without_blocks(x, y, origin)
            nulls = _of_splits(clouds, seed, origin)
        return Replicas(read_spectra(clouds), list(left_out), list(nulls))

    return clouds.once(("spectra", seed), make)


def spectra_without_blocks(x: list[Spread], y: list[Spread], origin: np.ndarray) -> Iterator[Spectra]:
    """Yield the spectra that are left when each block is taken away."""
    whole_x, whole_y = total(x), total(y)
    for x_part, y_part in zip(x, y, strict=True):
        yield spectra_of(whole_x - x_part, whole_y - y_part, origin)


def spectra_of(x: Spread, y: Spread, origin: np.ndarray) -> Spectra:
    """Return the spectra of two clouds from their spreads about one origin."""
    first, second = x.covariance(), y.covariance()
    root = _root(second)
    return Spectra(
        x.mean(origin),
        y.mean(origin),
        eigenvalues_of(first),
        eigenvalues_of(second),
        _overlap(root.T @ first @ root),
    )


def _read(clouds: Clouds) -> Spectra:
    if max(len(clouds.x), len(clouds.y)) <= clouds.x.shape[1]:
        return _of_rows(clouds.x, clouds.y)
    origin = _origin(clouds)
    return spectra_of(Spread.of(clouds.x, origin), Spread.of(clouds.y, origin), origin)


def _of_rows(x: SourceRows, y: TargetRows) -> Spectra:
    """Return the spectra by products of rows with rows: cheaper where rows are fewer than dimensions."""
    means = [rows.mean(axis=0, dtype=np.float64) for rows in (x, y)]
    first, second = ((rows - mean) / np.sqrt(len(rows) - 1) for rows, mean in zip((x, y), means, strict=True))
    shared = first @ second.T
    small = shared @ shared.T if len(first) <= len(second) else shared.T @ shared
    return Spectra(
        means[0],
        means[1],
        eigenvalues_of(first @ first.T),
        eigenvalues_of(second @ second.T),
        _overlap(small),
    )


def _blocks(clouds: Clouds, seed: int, origin: np.ndarray) -> tuple[list[Spread], list[Spread]]:
    if clouds.links is not None and clouds.matched(seed) is clouds:
        parts = product_blocks(clouds, seed)
        return [part.spread_x for part in parts], [part.spread_y for part in parts]
    count = n_blocks(clouds)
    dealt = item_blocks(clouds, count, seed)
    x, y = (
        [Spread.of(rows[own == block], origin) for block in range(count)]
        for rows, own in zip((clouds.x, clouds.y), dealt, strict=True)
    )
    return x, y


def _of_splits(clouds: Clouds, seed: int, origin: np.ndarray) -> Iterator[Spectra]:
    n = len(clouds.x)
    whole = Spread.of(clouds.x, origin) + Spread.of(clouds.y, origin)
    for first in split_masks(clouds, seed):
        # a band needs no more digits than the rows have
        sides = (clouds.x[first[:n]], clouds.y[first[n:]])
        part, more = (Spread.of(side, origin, dtype=side.dtype.type) for side in sides)
        part = part + more
        yield spectra_of(part, whole - part, origin)


def _origin(clouds: Clouds) -> np.ndarray:
    return middle(clouds.x, clouds.y)


def eigenvalues_of(covariance: np.ndarray) -> np.ndarray:
    """Return the eigenvalues, largest first; what rounding of unit rows makes of 0 is 0."""
    values = eigvalsh(covariance, check_finite=False)[::-1]
    return np.where(values > ROUNDING, values, 0)


def _root(covariance: np.ndarray) -> np.ndarray:
    """Return a factor L with L L' the covariance."""
    level = np.trace(covariance) / len(covariance)
    lifted = covariance + np.eye(len(covariance)) * max(level * JITTER, np.finfo(float).tiny)
    try:
        return cholesky(lifted, lower=True, check_finite=False)
    except np.linalg.LinAlgError:  # rank so low that rounding made an eigenvalue negative
        values, vectors = np.linalg.eigh(covariance)
        return vectors * np.sqrt(np.maximum(values, 0))


def _overlap(product: np.ndarray) -> float:
    return float(np.sqrt(np.maximum(eigvalsh(product, check_finite=False), 0)).sum())
