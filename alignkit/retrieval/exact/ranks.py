"""Exact ranks as intervals: for every positive, how many negatives score above it and how many level."""

from dataclasses import dataclass

import numpy as np

from alignkit.errors import DataError
from alignkit.retrieval.exact.counting import Orders, count
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.scores import MatrixScores, ProductScores, ScoreSource
from alignkit.retrieval.exact.tiles import Tiles
from alignkit.retrieval.exact.vectors import Similarity, prepare
from alignkit.rows import Rows
from alignkit.shapes import ItemPlaces, PerPositive, Weights


@dataclass(frozen=True, eq=False, slots=True)
class Ranks:
    """Say where every positive of one direction stands among its query's negatives.

    One entry per positive, in the order of ``positives.indices``: its ``score`` in float64, how many
    negatives score strictly ``above`` it, and how many are ``tied`` with it to the last bit. Other positives
    of the same query are in neither count; their own scores say where they stand. Nor are excluded items.
    ``ahead`` says how many of the tied stand before it in the order that the items were given, if they were.
    """

    positives: Positives
    score: Weights
    above: PerPositive
    tied: PerPositive
    ahead: PerPositive | None = None

    @property
    def n_gallery(self) -> int:
        """How many items were ranked: less for a query with excluded ones, see `Positives.candidates`."""
        return self.positives.n_gallery


def rank(
    queries: Rows,
    gallery: Rows,
    positives: Positives,
    *,
    similarity: Similarity = "cosine",
    tiles: Tiles | None = None,
    order: ItemPlaces | None = None,
) -> Ranks:
    """Return the exact rank interval of every positive among the whole gallery.

    Scores are those of float64, each pair summed on its own. Nearly all comparisons are decided by blocked
    matrix products in the computing type (float32, unless rows are stored in more); the few that come
    nearer to a positive than such a product can err are decided by the exact scores. So equal rows tie,
    an item never loses to itself, and no number depends on ``tiles``, the threads, the order of the rows,
    the BLAS or the processor. Nothing is sorted, no score matrix is kept: memory stays below about 60 MB
    however large the inputs, which may be memory maps. With an ``order``, the place of each item where
    scores are equal, `Ranks.ahead` is counted too.

    Raises
    ------
    DataError
        If shapes do not fit, or a row holds NaN, infinity or, for ``cosine``, no direction.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [0.6, 0.8]])
    >>> rank(x, np.array([[0.0, 1.0], [1.0, 0.1]]), Positives.diagonal(2)).above.tolist()
    [1, 1]
    """
    source = _product(queries, gallery, positives, similarity)
    return Ranks(positives, *count(source, positives, tiles, backward=False, orders=(order, None))[0])


def rank_both(
    queries: Rows,
    gallery: Rows,
    positives: Positives,
    *,
    similarity: Similarity = "cosine",
    tiles: Tiles | None = None,
    orders: Orders = (None, None),
) -> tuple[Ranks, Ranks]:
    """Return (queries in the gallery, gallery in the queries), both counted from one matrix product.

    As `rank`, for little more than its time; the second direction ranks the queries for each gallery item.
    ``orders`` are those of the gallery's items and of the queries.
    """
    source = _product(queries, gallery, positives, similarity)
    return _both(source, positives, tiles, orders)


def rank_scores(scores: np.ndarray, positives: Positives) -> Ranks:
    """Return the rank intervals that a given matrix of scores, queries by gallery, implies.

    Scores are compared in their own precision; higher is better. NaN is refused.
    """
    source = _matrix(scores, positives)
    return Ranks(positives, *count(source, positives, backward=False)[0])


def rank_scores_both(scores: np.ndarray, positives: Positives) -> tuple[Ranks, Ranks]:
    """Return both directions' rank intervals from one given matrix of scores."""
    return _both(_matrix(scores, positives), positives)


def _both(
    source: ScoreSource, positives: Positives, tiles: Tiles | None = None, orders: Orders = (None, None)
) -> tuple[Ranks, Ranks]:
    forward, backward = count(source, positives, tiles, backward=True, orders=orders)
    return Ranks(positives, *forward), Ranks(positives.transpose(), *backward)


def _product(queries: Rows, gallery: Rows, positives: Positives, similarity: Similarity) -> ProductScores:
    _check_shape((queries.shape[0], gallery.shape[0]), positives)
    return ProductScores(*prepare(queries, gallery, similarity))


def _matrix(scores: np.ndarray, positives: Positives) -> MatrixScores:
    _check_shape(scores.shape, positives)
    return MatrixScores(scores)


def _check_shape(shape: tuple[int, ...], positives: Positives) -> None:
    if shape != (positives.n_queries, positives.n_gallery):
        raise DataError(
            f"scores are {' x '.join(map(str, shape))} but the positives are for "
            f"{positives.n_queries} queries and {positives.n_gallery} items: build them from the same rows."
        )
