"""Group the rows of one space around centroids: k-means (Lloyd 1982) from spread-out rows."""

import numpy as np
from scipy.sparse import csr_array

from alignkit.errors import DataError
from alignkit.shapes import Vectors

ROUNDS = 50  # of Lloyd, at most
BLOCK = 8192  # rows at a time


def centroids_of(V: Vectors, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the means of at most ``count`` clusters, and the cluster of every row.

    The first means are rows drawn as in k-means++ (Arthur and Vassilvitskii 2007): each with a chance in
    proportion to its squared distance from those before. There are fewer where fewer distinct rows exist;
    clusters that end without a row are left out.

    Examples
    --------
    >>> V = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> means, labels = centroids_of(V, 2, np.random.default_rng(0))
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """
    means, labels = grown_from(V, _spread_rows(V, count, rng))
    used, labels = np.unique(labels, return_inverse=True)
    return means[used], labels


def grown_from(V: Vectors, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the means that Lloyd's rounds end with, and the cluster of every row.

    A mean that no row is nearest to stays where it is; no row has its label then.
    """
    means, labels = np.array(start, np.float64), np.full(len(V), -1)
    for _ in range(ROUNDS):
        before, labels = labels, nearest_centroid(V, means)
        if np.array_equal(before, labels):
            break
        sizes = np.bincount(labels, minlength=len(means))
        member = csr_array((np.ones(len(V)), (labels, np.arange(len(V)))), shape=(len(means), len(V)))
        means = np.where(sizes[:, None] > 0, (member @ V) / np.maximum(sizes, 1)[:, None], means)
    return means, labels


def nearest_centroid(V: Vectors, means: np.ndarray) -> np.ndarray:
    """Return the nearest of ``means`` for every row; the lower one wins a tie."""
    half_squares = np.einsum("kd,kd->k", means, means) / 2
    parts = (slice(start, start + BLOCK) for start in range(0, len(V), BLOCK))
    return np.concatenate([(V[part] @ means.T - half_squares).argmax(axis=1) for part in parts])


def _spread_rows(V: Vectors, count: int, rng: np.random.Generator) -> np.ndarray:
    with np.errstate(over="ignore"):
        squares = np.einsum("nd,nd->n", V, V)
    if not np.isfinite(squares).all():
        raise DataError("the products of the rows leave the range of float64: scale the rows down.")
    noise = 64 * np.finfo(np.float64).eps * float(squares.max(initial=0))  # of a distance that is none
    chosen = [int(rng.integers(len(V)))]
    distance = np.full(len(V), np.inf)
    while len(chosen) < count:
        last = V[chosen[-1]]
        distance = np.minimum(distance, squares - 2 * (V @ last) + last @ last)
        distance[distance <= noise] = 0
        if not distance.any():
            break
        chosen.append(int(rng.choice(len(V), p=distance / distance.sum())))
    return V[chosen]
