"""Share of a row's nearest neighbours that come from its own modality (Welle and Gärtner, purity)."""

import numpy as np

from alignkit.gaps._bands import Level
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._replicas import NULLS
from alignkit.gaps._single import Single
from alignkit.shapes import SourceRows, TargetRows
from alignkit.statistics.blocks import jackknife_variance, wilson_interval

K = 10
BLOCKS = 20
KEPT = 4 * K  # neighbours kept for the jackknife: of 40 it must lose 31 before ten are missing
TILE = 1024


def same_modality_share(x: SourceRows, y: TargetRows) -> float:
    """Return which share of the rows' 10 nearest rows, by cosine, is of their own side.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 4))
    >>> same_modality_share(x + 9, x - 9)
    1.0
    """
    return SameModalityShare().measure(x, y)


class SameModalityShare(Single):
    """Return which share of a row's 10 nearest rows, among all rows of both sides, is of its own side.

    By cosine, in [0, 1]. Where the modalities are mixed it is their share of the rows (the null level,
    closed form, just below 0.5 for equal sides); 1 means that no row has a neighbour of the other kind. It
    saturates at 1 for most two-tower models. Exact, in tiles; a row is not its own neighbour, a partner may
    be one. Neighbours that tie for the last places share them: a collapsed space scores its null level.

    The interval is Wilson's with the variance of a delete-a-block jackknife (partners leave together);
    drawing rows with replacement would make every copy its own nearest neighbour. Beyond 3,000 rows a side
    a seeded sample is used.

    References
    ----------
    Schilling (1986), *Multivariate two-sample tests based on nearest neighbors*.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 4))
    >>> SameModalityShare().measure(x + 9, x - 9)
    1.0
    """

    interval = "Wilson with the variance of a delete-a-block jackknife"
    null = "the share of rows that are of the same modality, closed form; band: random splits"
    limits = (0.0, 1.0)
    fewest = BLOCKS
    most = 3_000

    def _value(self, clouds: Clouds) -> float:
        rows, side = _pooled(clouds)
        shares = [_tile_shares(rows, side, start) for start in range(0, len(rows), TILE)]
        return float(np.concatenate(shares).mean())

    def _chance(self, clouds: Clouds) -> float:
        n, m = len(clouds.x), len(clouds.y)
        return (n * (n - 1) + m * (m - 1)) / ((n + m) * (n + m - 1))

    def _band(self, clouds: Clouds, chance: float, seed: int) -> tuple[float, float]:
        mixed, neighbours = _neighbours(clouds, seed)
        nearest, shares = neighbours[:, :K], []
        for draw in range(NULLS):  # a split moves no row: only the sides are dealt anew
            side = np.random.default_rng([seed, 5, draw]).permutation(mixed) >= len(clouds.x)
            shares.append((side[nearest] == side[:, None]).mean())
        level = Level.drawn(chance + np.array(shares) - np.mean(shares), self.limits)
        return level.low, level.high

    def _interval(self, clouds: Clouds, value: float, seed: int, resamples: int) -> tuple[float, float]:  # noqa: ARG002
        mixed, neighbours = _neighbours(clouds, seed)
        side = mixed >= len(clouds.x)
        blocks = np.concatenate(item_blocks(clouds, BLOCKS, seed))[mixed]
        same = side[neighbours] == side[:, None]
        left_out = []
        for block in range(BLOCKS):
            kept = blocks[neighbours] != block
            counted = kept & (kept.cumsum(axis=1) <= K)
            shares = (same & counted).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
            left_out.append(shares[blocks != block].mean())
        votes = clouds.n_items * (K if 0 < value < 1 else 1)  # votes that all agree count no more than rows
        return wilson_interval(value, jackknife_variance(np.array(left_out)), votes)


def _neighbours(clouds: Clouds, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an order in which ties fall to either side alike, and each row's neighbours in it."""

    def find() -> tuple[np.ndarray, np.ndarray]:
        rows, _ = _pooled(clouds)
        mixed = np.random.default_rng([seed, 3]).permutation(len(rows))
        rows = rows[mixed]
        return mixed, np.concatenate([_nearest(rows, start) for start in range(0, len(rows), TILE)])

    return clouds.once(("neighbours", seed), find)


def _pooled(clouds: Clouds) -> tuple[np.ndarray, np.ndarray]:
    side = np.zeros(len(clouds.x) + len(clouds.y), dtype=bool)
    side[len(clouds.x) :] = True
    return np.concatenate([clouds.x, clouds.y]), side


def _similarities(rows: np.ndarray, start: int) -> np.ndarray:
    """Return one tile of cosines with each row's own place out of the running."""
    tile = rows[start : start + TILE] @ rows.T
    tile[np.arange(len(tile)), np.arange(start, start + len(tile))] = -np.inf
    return tile


def _tile_shares(rows: np.ndarray, side: np.ndarray, start: int) -> np.ndarray:
    tile = _similarities(rows, start)
    own = side[start : start + TILE]
    last = np.partition(tile, -K, axis=1)[:, -K, None]
    same, ahead, tied = [], tile > last, tile == last
    for mask in (ahead, tied):
        second = mask[:, side].sum(axis=1)
        same.append(np.where(own, second, mask.sum(axis=1) - second))
    places = K - ahead.sum(axis=1)
    return (same[0] + places * same[1] / tied.sum(axis=1)) / K


def _nearest(rows: np.ndarray, start: int) -> np.ndarray:
    tile = _similarities(rows, start)
    keep = min(KEPT, tile.shape[1] - 1)
    found = np.argpartition(tile, -keep, axis=1)[:, -keep:]
    order = np.argsort(-np.take_along_axis(tile, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)
