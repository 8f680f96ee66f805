"""Wasserstein distance of the clouds' shadows on many lines (Rabin et al. 2011; Bonneel et al. 2015)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._exchange import EXCHANGES, exchanged, first_side, first_sides
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._replicas import Replicas, n_blocks
from alignkit.gaps._replicated import Replicated
from alignkit.shapes import SourceRows, TargetRows, Vectors

FEWEST_LINES, MOST_LINES = 128, 512


def sliced_wasserstein(x: SourceRows, y: TargetRows) -> float:
    """Return the root of the mean squared 2-Wasserstein distance of the shadows of unit rows on fixed lines.

    Examples
    --------
    >>> round(sliced_wasserstein(np.ones((5, 4)), -np.ones((7, 4))), 6)  # 2 / sqrt(d)
    1.0
    """
    return SlicedWasserstein().measure(x, y)


@dataclass(frozen=True, slots=True)
class Shadows:
    """Hold the places of both sides' rows on each line, in order, and the dimensions of the space."""

    x: np.ndarray
    y: np.ndarray
    dims: int


class SlicedWasserstein(Replicated[Shadows]):
    r"""Return :math:`(\frac1L \sum_l W_2^2(\theta_l \cdot x, \theta_l \cdot y))^{1/2}` over L lines.

    In [0, 2], the root taken. It sees every difference of two distributions, not only that of means and
    covariances. Each line sees 1/d of a shift, so values of spaces of different width do not compare: part
    ``scaled`` is :math:`\sqrt{d}` times the value, at most the exact 2-Wasserstein distance up to the choice
    of lines, and for a pure shift its length. The lines are the axes of fixed random rotations: all of
    one for 128 to 512 dimensions, of several below, 512 axes above. They do not depend on the seed of the
    score; a rotation of both sides moves the value by what other lines would. Sides of different sizes are
    compared by their quantiles, exactly. No pairs needed.

    Samples of one cloud differ, so the value is above 0 where there is no gap: compare with the null level,
    of sides whose partners are exchanged at random (unpaired: of random splits). The interval is a
    delete-a-block jackknife. Beyond 3,000 rows a side a seeded sample is used.

    References
    ----------
    Rabin et al. (2011), *Wasserstein barycenter and its application to texture mixing*; Bonneel et al.
    (2015), *Sliced and Radon Wasserstein barycenters of measures*.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 4))
    >>> SlicedWasserstein().measure_parts(x, x)
    {'': 0.0, 'scaled': 0.0}
    """

    parts = (HEADLINE, "scaled")
    limits = (0.0, 2.0)
    null = EXCHANGES
    most = 3_000

    def null_of(self, clouds: Clouds, rng: np.random.Generator) -> dict[str, float]:
        """Return the values of sides without a gap."""
        return self.values_of(exchanged(clouds, first_side(clouds, rng)))

    def _of(self, read: Shadows) -> dict[str, float]:
        value = float(np.sqrt(_squared_distances(read.x, read.y).mean()))
        return {HEADLINE: value, "scaled": float(np.sqrt(read.dims)) * value}

    def _read(self, clouds: Clouds) -> Shadows:
        x, y = (np.sort(_shadows(rows), axis=1) for rows in (clouds.x, clouds.y))
        return Shadows(x, y, clouds.x.shape[1])

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[Shadows]:
        return Replicas(self._read(clouds), _left_out(clouds, seed), _nulls(clouds, seed))


def lines(dims: int) -> np.ndarray:
    """Return the unit directions that stand for all, as columns.

    Examples
    --------
    >>> lines(3).shape, lines(200).shape, lines(600).shape
    ((3, 129), (200, 200), (600, 512))
    """
    return _lines(dims)


@lru_cache(maxsize=4)
def _lines(dims: int) -> np.ndarray:
    rng = np.random.default_rng(dims)
    frames = max(1, -(-FEWEST_LINES // dims))
    made = []
    for _ in range(frames):
        axes, upper = np.linalg.qr(rng.normal(size=(dims, min(dims, MOST_LINES))))
        made.append(axes * np.sign(np.diag(upper)))  # so that no rotation is likelier than another
    return np.concatenate(made, axis=1)


def _shadows(rows: Vectors) -> np.ndarray:
    return lines(rows.shape[1]).T @ rows.astype(np.float64).T


def _left_out(clouds: Clouds, seed: int) -> Iterator[Shadows]:
    count = n_blocks(clouds)
    sides = []
    for rows, blocks in zip((clouds.x, clouds.y), item_blocks(clouds, count, seed), strict=True):
        shadows = _shadows(rows)
        order = np.argsort(shadows, axis=1)
        sides.append((np.take_along_axis(shadows, order, axis=1), blocks[order]))
    for block in range(count):
        x, y = (places[own != block].reshape(len(places), -1) for places, own in sides)
        yield Shadows(x, y, clouds.x.shape[1])


def _nulls(clouds: Clouds, seed: int) -> Iterator[Shadows]:
    shadows = np.concatenate([_shadows(clouds.x), _shadows(clouds.y)], axis=1)
    order = np.argsort(shadows, axis=1)
    places = np.take_along_axis(shadows, order, axis=1)
    for first in first_sides(clouds, seed):
        dealt = first[order]
        x, y = (places[mask].reshape(len(places), -1) for mask in (dealt, ~dealt))
        yield Shadows(x, y, clouds.x.shape[1])


def _squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the squared 2-Wasserstein distance of each line's ordered places on both sides."""
    n, m = x.shape[1], y.shape[1]
    if n == m:
        return ((x - y) ** 2).mean(axis=1)
    ends = np.unique(np.concatenate([np.arange(1, n + 1) * m, np.arange(1, m + 1) * n]))  # in 1 / (n m)
    widths = np.diff(ends, prepend=0) / (n * m)
    return ((x[:, (ends - 1) // m] - y[:, (ends - 1) // n]) ** 2) @ widths
