import numpy as np
import pytest
from numpy.testing import assert_array_equal

from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank
from alignkit.retrieval.exact.scores import ProductScores
from alignkit.retrieval.exact.vectors import prepare
from alignkit.retrieval.search.run_search import best_hits


def rows(seed: int, n: int, g: int, d: int, copies: int):
    """Return queries and a gallery in which rows repeat, so that scores tie everywhere."""
    rng = np.random.default_rng(seed)
    gallery = rng.normal(size=(g, d)).astype(np.float32)
    gallery[rng.integers(0, g, copies)] = gallery[rng.integers(0, g, copies)]
    return rng.normal(size=(n, d)).astype(np.float32), gallery


def exact(queries, gallery, similarity):
    source = ProductScores(*prepare(queries, gallery, similarity))
    n, g = len(queries), len(gallery)
    return source.of(np.repeat(np.arange(n), g), np.tile(np.arange(g), n)).reshape(n, g)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize(("copies", "k"), [(0, 7), (150, 7), (190, 3), (30, 300)])
def test_hits_are_those_of_a_full_sort_of_the_exact_scores(seed, similarity, copies, k):
    queries, gallery = rows(seed, 25, 200, 6, copies)
    scores = exact(queries, gallery, similarity)
    order = np.argsort(-scores, axis=1, kind="stable")
    found, values, split = best_hits(queries, gallery, k, similarity=similarity)
    assert_array_equal(found, order[:, :k])
    assert_array_equal(values, np.take_along_axis(scores, order[:, :k], 1))
    torn = np.zeros(25, bool)
    if k < 200:
        edge = np.take_along_axis(scores, order[:, k - 1 : k + 1], 1)
        torn = edge[:, 0] == edge[:, 1]
    assert_array_equal(split, torn)


@pytest.mark.parametrize("seed", range(3))
def test_scores_too_near_for_float32_are_listed_in_the_order_of_float64(seed):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=8)
    gallery = base + 1e-9 * rng.normal(size=(300, 8))  # cosines that differ in the eighteenth digit, or not
    gallery[::7] += 1e-5 * rng.normal(size=gallery[::7].shape)
    queries = base + 0.3 * rng.normal(size=(10, 8))
    scores = exact(queries, gallery, "cosine")
    order = np.argsort(-scores, axis=1, kind="stable")[:, :20]
    found, values, _ = best_hits(queries, gallery, 20)
    assert_array_equal(found, order)
    assert_array_equal(values, np.take_along_axis(scores, order, 1))
    assert len(np.unique(values.astype(np.float32))) < len(np.unique(values))


def test_a_space_collapsed_to_one_point_lists_the_first_rows_and_says_that_the_tie_is_split():
    same = np.ones((50, 4))
    found, values, split = best_hits(same[:2], same, 5)
    assert found.tolist() == [[0, 1, 2, 3, 4]] * 2
    assert len(np.unique(values)) == 1
    assert split.all()


def test_the_scores_are_those_that_ranks_are_counted_with():
    queries, gallery = rows(0, 40, 300, 16, 100)
    found, values, _ = best_hits(queries, gallery, 1)
    links = np.stack([np.arange(40), found[:, 0]], axis=1)
    ranks = rank(queries, gallery, Positives.from_links(links, 40, 300))
    assert_array_equal(ranks.above, np.zeros(40, int))
    assert_array_equal(ranks.score, values[:, 0])
