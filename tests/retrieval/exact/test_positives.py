import numpy as np
import pytest

from alignkit.errors import PairingError
from alignkit.retrieval.exact.positives import Positives


def test_links_come_back_sorted_and_once():
    links = np.array([[2, 1], [0, 3], [0, 1], [2, 1], [0, 3]])
    positives = Positives.from_links(links, n_queries=4, n_gallery=5)
    assert positives.indptr.tolist() == [0, 2, 2, 3, 3]
    assert positives.indices.tolist() == [1, 3, 1]
    assert positives.queries.tolist() == [0, 0, 2]


def test_transposing_twice_gives_back_the_relation():
    rng = np.random.default_rng(0)
    links = rng.integers(0, [40, 30], (300, 2))
    positives = Positives.from_links(links, 40, 30)
    there = positives.transpose()
    again = there.transpose()
    assert (there.n_queries, there.n_gallery) == (30, 40)
    assert again.indptr.tolist() == positives.indptr.tolist()
    assert again.indices.tolist() == positives.indices.tolist()
    swapped = Positives.from_links(links[:, ::-1], 30, 40)
    assert there.indices.tolist() == swapped.indices.tolist()


def test_the_transpose_lists_positives_in_the_order_of_by_item():
    rng = np.random.default_rng(1)
    positives = Positives.from_links(rng.integers(0, 50, (200, 2)), 50, 50)
    there = positives.transpose()
    assert there.indices.tolist() == positives.queries[positives.by_item].tolist()
    assert there.queries.tolist() == positives.indices[positives.by_item].tolist()


def test_order_by_sorts_within_queries_only():
    rng = np.random.default_rng(2)
    positives = Positives.from_links(rng.integers(0, [30, 200], (900, 2)), 30, 200)
    values = rng.integers(0, 9, len(positives)).astype(float)
    wanted = np.lexsort((positives.indices, values, positives.queries))
    assert positives.order_by(values).tolist() == wanted.tolist()


@pytest.mark.parametrize("link", [[3, 0], [-1, 0], [0, 5], [0, -2]])
def test_a_link_to_a_missing_row_is_named(link: list[int]):
    with pytest.raises(PairingError, match="link 1 names row"):
        Positives.from_links(np.array([[0, 0], link]), n_queries=3, n_gallery=5)


def test_links_that_are_no_pairs_of_integers_are_refused():
    with pytest.raises(PairingError, match="integers"):
        Positives.from_links(np.array([[0.0, 1.5]]), 3, 3)
    with pytest.raises(PairingError, match="shape"):
        Positives.from_links(np.arange(6).reshape(2, 3), 9, 9)


def test_no_links_are_no_positives():
    positives = Positives.from_links(np.empty((0, 2), int), 3, 4)
    assert positives.counts.tolist() == [0, 0, 0]
    assert positives.transpose().counts.tolist() == [0, 0, 0, 0]


def test_grades_follow_their_links_there_and_back():
    rng = np.random.default_rng(3)
    relevance = rng.integers(0, 4, (20, 30))
    links = np.argwhere(relevance > 0)
    order = rng.permutation(len(links))
    shuffled = np.concatenate([links[order], links[:5]])  # five links are named twice
    grades = relevance[shuffled[:, 0], shuffled[:, 1]]
    positives = Positives.from_links(shuffled, 20, 30, grades=grades)
    assert np.array_equal(positives.grades, relevance[positives.queries, positives.indices])
    there = positives.transpose()
    assert np.array_equal(there.grades, relevance.T[there.queries, there.indices])
    assert np.array_equal(there.transpose().grades, positives.grades)


def test_without_grades_there_are_none_in_either_direction():
    positives = Positives.from_links(np.array([[0, 1]]), 2, 2)
    assert positives.grades is None
    assert positives.transpose().grades is None


@pytest.mark.parametrize(
    ("grades", "words"),
    [
        ([1, 0, 2], r"link 1 has grade 0: .* at least 1"),
        ([1, -3, 2], "link 1 has grade -3"),
        ([1.0, 2.5, 1.0], "type float64; give one positive integer for each of the 3 links"),
        ([1, 2], r"shape \(2,\)"),
        ([1, 2, 3], "links 0 and 2 both name query 0 and item 1, with grades 1 and 3: keep one"),
    ],
)
def test_grades_without_sense_are_refused(grades: list, words: str):
    with pytest.raises(PairingError, match=words):
        Positives.from_links(np.array([[0, 1], [0, 2], [0, 1]]), 3, 3, grades=np.array(grades))
