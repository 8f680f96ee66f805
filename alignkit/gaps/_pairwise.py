"""Means over all pairs of rows without visiting the pairs."""

import numpy as np

from alignkit.gaps._clouds import Clouds
from alignkit.shapes import Vectors

NORMAL = 1.959963984540054  # between -this and this lie 95 % of a normal distribution


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
    links = clouds.known_links()
    x_degrees = np.bincount(links[:, 0], minlength=len(clouds.x))
    y_degrees = np.bincount(links[:, 1], minlength=len(clouds.y))
    m = len(links)
    return float((x_degrees / m @ clouds.x) @ (y_degrees / m @ clouds.y))


def permuted_cosine_spread(clouds: Clouds) -> float:
    r"""Return the standard deviation of the mean cosine over permutations of one end of the links.

    Closed form for one link a row, :math:`\sqrt{tr(\Sigma_x \Sigma_y) / (n - 1)}` (the combinatorial central
    limit theorem); where rows have several links it is taken over the rows of the side that repeats less.
    """
    x, y = clouds.linked_rows()
    rows = min(len(clouds.x), len(clouds.y), len(x))
    if len(x) <= x.shape[1]:
        x, y = x - x.mean(axis=0), y - y.mean(axis=0)
        shared = float(((x @ y.T).astype(np.float64) ** 2).sum()) / len(x) ** 2
    else:
        first, second = _covariance(x), _covariance(y)
        shared = float((first * second).sum())
    return float(np.sqrt(max(shared, 0.0) / (rows - 1)))


def _covariance(rows: Vectors) -> np.ndarray:
    """Return the covariance in the rows' own precision: without a centred copy, enough for a band."""
    mean = rows.mean(axis=0, dtype=np.float64)
    return (rows.T @ rows).astype(np.float64) / len(rows) - np.outer(mean, mean)
