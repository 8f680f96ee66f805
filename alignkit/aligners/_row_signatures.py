"""Describe every row by how it lies among its own side's rows: numbers that no rotation changes."""

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from alignkit.aligners._svd import thin_svd
from alignkit.aligners._unit import unit_rows
from alignkit.shapes import Vectors

POWERS = (0.0, 0.5, 1.0)  # of the singular values: whitened rows, half of it, the paper's square root
LEVELS = 64  # of a row's sorted similarities, denser at both ends
AXES = 30
NOTHING = 1e-6  # spread of a feature that is rounding


def similarity_profiles(rows: Vectors) -> np.ndarray:
    """Return each row's sorted similarities to all rows, ``(X X')^1/2``, as unit rows about their mean.

    Two rows that mean the same have similar profiles, whatever the rotation between their sides
    (Artetxe, Labaka and Agirre 2018, section 3.2). Memory is the square of the rows, in float32.
    """
    profiles = _sorted_products(rows, 1.0)
    centred = unit_rows(profiles)
    return unit_rows(centred - centred.mean(axis=0))


def signatures(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return unit rows of either side whose products say how alike two rows lie among their own.

    Each row has its similarity profiles with the singular values at three powers, at 64 levels. Every
    feature is turned into normal scores on its own side, ties sharing their rank, so that only the order
    counts and not the order of the rows; then both sides together are reduced to their principal axes,
    half whitened.
    """
    sides = [_scores(side) for side in (source, target)]
    both = np.concatenate(sides)
    _, spread, axes = thin_svd(both)
    kept = np.flatnonzero(spread > NOTHING * max(spread.max(initial=0.0), 1.0))[:AXES]
    axes = axes[kept].T / np.sqrt(spread[kept])
    turned = (unit_rows(side @ axes) for side in sides)
    first, second = (unit_rows(side - side.mean(axis=0)).astype(np.float32) for side in turned)
    return first, second


def _scores(rows: Vectors) -> np.ndarray:
    n = len(rows)
    share = (np.sin((np.linspace(0, 1, LEVELS) - 0.5) * np.pi) + 1) / 2
    columns = np.rint(share * (n - 1)).astype(np.int64)
    features = np.concatenate([_sorted_products(rows, power)[:, columns] for power in POWERS], axis=1)
    scores = ndtri((rankdata(features, axis=0) - 0.5) / n)
    scores[:, np.ptp(features, axis=0) <= NOTHING * np.abs(features).max(initial=0.0)] = 0
    return scores


def _sorted_products(rows: Vectors, power: float) -> np.ndarray:
    U, s, _ = thin_svd(rows)
    used = s > s.max(initial=0.0) * max(rows.shape) * np.finfo(np.float64).eps
    U = U[:, used]
    # the products of float32 are rounded alike in every order of the rows only to its precision
    products = ((U * s[used] ** power) @ U.T).astype(np.float32)
    products.sort(axis=1)
    return products
