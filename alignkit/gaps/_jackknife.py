"""Intervals for shares whose rows depend on one another: leave a block of items out, never draw one twice."""

import numpy as np
from scipy.special import ndtri

from alignkit.gaps._clouds import Clouds
from alignkit.shapes import Labels

LEVEL = 0.95
ROUNDING = 1e-12


def item_blocks(clouds: Clouds, blocks: int, seed: int) -> tuple[Labels, Labels]:
    """Deal the items into ``blocks`` of equal size and return the block of each row of x and of y.

    Unpaired sides are dealt alike, so exchanging them changes nothing.
    """
    if clouds.links is None:
        x_blocks, y_blocks = (_dealt(len(rows), blocks, seed) for rows in (clouds.x, clouds.y))
        return x_blocks, y_blocks
    items, position = np.unique(np.concatenate([clouds.x_items, clouds.y_items]), return_inverse=True)
    dealt = _dealt(len(items), blocks, seed)[position]
    return dealt[: len(clouds.x)], dealt[len(clouds.x) :]


def _dealt(count: int, blocks: int, seed: int) -> Labels:
    return np.random.default_rng([seed, 2]).permutation(np.arange(count) % blocks)


def jackknife_variance(left_out: np.ndarray) -> float:
    """Return the variance of an estimate from its values with one block of equal size left out each time."""
    blocks = len(left_out)
    return float((blocks - 1) / blocks * ((left_out - left_out.mean()) ** 2).sum())


def share_interval(share: float, variance: float, n: int) -> tuple[float, float]:
    """Return Wilson's interval for a share with the number of independent rows that its variance implies.

    That number is never above ``n``, so a share of exactly 0 or 1, whose variance is 0, keeps an interval
    (Korn and Graubard 1998).

    Examples
    --------
    >>> [round(end, 4) for end in share_interval(1.0, 0.0, 500)]
    [0.9924, 1.0]
    """
    spread = share * (1 - share)
    # a share that rounding keeps from 0 or 1 has a variance of rounding: their quotient means nothing
    effective = min(n, max(1.0, spread / variance)) if variance > 0 and spread > ROUNDING else n
    z = float(ndtri((1 + LEVEL) / 2))
    scale = 1 + z * z / effective
    centre = (share + z * z / (2 * effective)) / scale
    half = z / scale * np.sqrt(spread / effective + z * z / (4 * effective**2))
    return float(max(0.0, min(centre - half, share))), float(min(1.0, max(centre + half, share)))
