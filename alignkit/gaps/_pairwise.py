"""Means over all pairs of rows without visiting the pairs."""

import numpy as np

from alignkit.errors import PairingError
from alignkit.gaps._clouds import Clouds
from alignkit.shapes import Vectors


def mean_cosine_to_others(rows: Vectors) -> np.ndarray:
    """Return each unit row's mean cosine to all other rows, from their sum.

    Examples
    --------
    >>> mean_cosine_to_others(np.eye(3)).tolist()
    [0.0, 0.0, 0.0]
    """
    total = rows.sum(axis=0, dtype=np.float64)
    own = np.einsum("nd,nd->n", rows, rows, dtype=np.float64)
    return (rows @ total - own) / (len(rows) - 1)


def permuted_cosine(clouds: Clouds) -> float:
    """Return the mean cosine of the links' ends over all permutations of one of the ends."""
    if clouds.links is None:
        raise PairingError("pairs can be permuted only where there are some: pass pairs.")
    x_degrees = np.bincount(clouds.links[:, 0], minlength=len(clouds.x))
    y_degrees = np.bincount(clouds.links[:, 1], minlength=len(clouds.y))
    m = len(clouds.links)
    return float((x_degrees / m @ clouds.x) @ (y_degrees / m @ clouds.y))
