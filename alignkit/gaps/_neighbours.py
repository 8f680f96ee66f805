"""Lists of nearest rows, long enough that blocks can be left out and pooled rows dealt to two sides."""

from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr

from alignkit.gaps._clouds import Clouds
from alignkit.shapes import Gallery, Mask, Nearest, Queries, Vectors

KEPT = 4  # times k are kept: of 40 neighbours a row must lose 31 before ten are missing
SHORT = 1e-5  # share of rows of which a random split may find too few neighbours on a side
TILE = 512


def too_few(clouds: Clouds, k: int) -> str | None:
    """Return why ``k`` neighbours cannot be asked for; None where twice as many rows are there."""
    if clouds.fewest >= 2 * k:
        return None
    return f"it needs {2 * k} rows for {k} neighbours, and there are {clouds.fewest}"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Hold, for each row, its nearest rows among some (-1: none) and their cosines, nearest first."""

    rows: Nearest
    cosines: np.ndarray

    def without(self, kept: Mask, k: int, among: Mask | None = None) -> "Neighbours":
        """Return the ``k`` nearest of the rows kept, ``among`` others (or the same), numbered anew."""
        among = kept if among is None else among
        first = np.argsort(~among[self.rows[kept]], axis=1, kind="stable")[:, :k]
        number = np.where(among, np.cumsum(among) - 1, -1)
        rows, cosines = (np.take_along_axis(part[kept], first, axis=1) for part in (self.rows, self.cosines))
        return Neighbours(number[rows], cosines)

    def first(self, k: int) -> "Neighbours":
        """Return the ``k`` nearest."""
        return Neighbours(self.rows[:, :k], self.cosines[:, :k])

    def reordered(self, order: np.ndarray) -> "Neighbours":
        """Return what the lists are when row ``order[i]`` stands at i."""
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        return Neighbours(place[self.rows[order]], self.cosines[order])


def nearest(similarities: np.ndarray, keep: int) -> np.ndarray:
    """Return the columns of the ``keep`` largest values of each row, largest first.

    Examples
    --------
    >>> nearest(np.array([[0.1, 0.9, 0.5]]), 2).tolist()
    [[1, 2]]
    """
    found = np.argpartition(similarities, -keep, axis=1)[:, -keep:]
    order = np.argsort(-np.take_along_axis(similarities, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)


def places_taken(similarities: np.ndarray, k: int) -> np.ndarray:
    """Return which share of a place among the row's ``k`` largest each column takes; ties share what is left.

    Examples
    --------
    >>> places_taken(np.array([[0.9, 0.5, 0.5, 0.1]]), 2).tolist()
    [[1.0, 0.5, 0.5, 0.0]]
    """
    last = np.partition(similarities, -k, axis=1)[:, -k, None]
    ahead, tied = similarities > last, similarities == last
    left = k - ahead.sum(axis=1, keepdims=True)
    return ahead + tied * (left / tied.sum(axis=1, keepdims=True))


def similarities_to_others(rows: Vectors, start: int) -> np.ndarray:
    """Return one tile of the cosines between rows, with each row's own place out of the running."""
    tile = rows[start : start + TILE] @ rows.T
    tile[np.arange(len(tile)), np.arange(start, start + len(tile))] = -np.inf
    return tile


def both_neighbours(clouds: Clouds, k: int, seed: int) -> tuple[Neighbours, Neighbours]:
    """Return the ``4 k`` nearest rows within x and within y.

    Ties fall in an order drawn anew for each side: copies must not look like neighbours that both sides
    agree on.
    """
    x, y = (
        neighbours_within(rows, KEPT * k, np.random.default_rng([seed, 3, side]))
        for side, rows in enumerate((clouds.x, clouds.y))
    )
    return x, y


def neighbours_between(rows: Queries, others: Gallery, keep: int, rng: np.random.Generator) -> Neighbours:
    """Return the nearest of the others to each row; ties fall in an order drawn for all rows alike."""
    order = rng.permutation(len(others))
    mixed = others[order]
    found, cosines = [], []
    for start in range(0, len(rows), TILE):
        tile = rows[start : start + TILE] @ mixed.T
        found.append(nearest(tile, min(keep, len(others))))
        cosines.append(np.take_along_axis(tile, found[-1], axis=1))
    return Neighbours(order[np.concatenate(found)], np.concatenate(cosines).astype(np.float64))


def pooled_keep(n: int, m: int, k: int) -> int:
    """Return how many nearest of pooled rows hold ``k`` of either side, but for one row in 100,000.

    Examples
    --------
    >>> pooled_keep(2_000, 2_000, 10), pooled_keep(100, 900, 2)
    (48, 136)
    """
    count, share = k, min(n, m) / (n + m)
    while count < n + m - 1 and bdtr(k - 1, count, share) > SHORT:
        count += 1
    return count


def neighbours_within(rows: Vectors, keep: int, rng: np.random.Generator) -> Neighbours:
    """Return the nearest other rows to each row; ties fall in an order drawn for all rows alike."""
    order = rng.permutation(len(rows))
    mixed = rows[order]
    found, cosines = [], []
    for start in range(0, len(rows), TILE):
        tile = similarities_to_others(mixed, start)
        found.append(nearest(tile, min(keep, len(rows) - 1)))
        cosines.append(np.take_along_axis(tile, found[-1], axis=1))
    back = np.argsort(order)
    return Neighbours(order[np.concatenate(found)][back], np.concatenate(cosines)[back].astype(np.float64))
