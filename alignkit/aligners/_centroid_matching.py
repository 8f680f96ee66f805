"""Match two clouds coarsely and without pairs: clusters on either side, then which cluster is which."""

from dataclasses import dataclass

import numpy as np

from alignkit.aligners._clusters import centroids_of
from alignkit.aligners._quadratic_assignment import match_graphs
from alignkit.aligners._vocabulary import Vocabulary
from alignkit.errors import DataError
from alignkit.shapes import Vectors

STARTS = 60  # of each quadratic assignment
MOST = 10_000  # rows that are clustered
ROWS_A_CLUSTER = 5  # fewer on average say little about its mean
FEWEST = 2  # clusters that can be told apart at all


@dataclass(frozen=True, slots=True)
class CentroidMatching:
    """Centroids of both sides about their mean, partner beside partner, and the linear CKA they reach.

    ``sizes`` is the geometric mean of the rows that stand behind the two.
    """

    source: np.ndarray
    target: np.ndarray
    sizes: np.ndarray
    cka: float

    @property
    def product(self) -> np.ndarray:
        """The sum of ``x y'`` over matched centroids, each counted with its rows; of length 1."""
        product = (self.source * self.sizes[:, None]).T @ self.target
        length = float(np.linalg.norm(product))
        return product / length if length > 0 else product


def match_centroids(known: Vocabulary, clusters: int, rng: np.random.Generator) -> CentroidMatching:
    """Return at most ``clusters`` centroids a side and who belongs to whom.

    The order is: k-means on either side; the centred products of the centroids as two graphs, of length
    1 each; an assignment of the centroids that makes the graphs agree, which is their linear CKA. A known
    link is a point of both graphs whose partner is settled: it enters as a linear term. There are never
    more clusters than a fifth of the rows of the smaller side.

    Raises
    ------
    DataError
        If a side has not two distinct rows.
    """
    count = min(clusters, max(FEWEST, min(len(known.source), len(known.target)) // ROWS_A_CLUSTER))
    left, left_labels = centroids_of(sampled(known.source, rng), count, rng)
    right, right_labels = centroids_of(sampled(known.target, rng), count, rng)
    count = min(len(left), len(right))
    if count < FEWEST:
        raise DataError(
            "all rows of one side are equal: nothing tells which row belongs to which; check the files, or "
            "give known pairs."
        )
    left, left_sizes = _largest(left, left_labels, count)
    right, right_sizes = _largest(right, right_labels, count)
    (graph, length), (other, other_length) = _graph(left), _graph(right)
    linear = None
    if len(known.links):
        ahead = left @ known.source[known.links[:, 0]].T
        back = right @ known.target[known.links[:, 1]].T
        linear = 2 * (ahead * known.weights) @ back.T / (length * other_length)
    order, _ = match_graphs(graph, other, linear, STARTS, rng)
    cka = float(np.sum(graph * other[np.ix_(order, order)]))
    return CentroidMatching(left, right[order], np.sqrt(left_sizes * right_sizes[order]), cka)


def sampled(V: Vectors, rng: np.random.Generator) -> np.ndarray:
    """Return the rows, or some of them where they are very many."""
    return V if len(V) <= MOST else V[np.sort(rng.choice(len(V), MOST, replace=False))]


def _largest(means: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the centred means and the sizes of the largest clusters."""
    sizes = np.bincount(labels, minlength=len(means))
    kept = np.sort(np.argsort(-sizes, kind="stable")[:count])
    means = means[kept]
    return means - means.mean(axis=0), sizes[kept].astype(np.float64)


def _graph(means: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the products of centred means, of length 1, and the length they had."""
    products = means @ means.T
    length = float(np.linalg.norm(products))
    return (products / length, length) if length > 0 else (products, 1.0)
