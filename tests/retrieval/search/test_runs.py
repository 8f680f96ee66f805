from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from alignkit.errors import DataError
from alignkit.retrieval.conventions import item_order, settle
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_scores
from alignkit.retrieval.metrics import per_query
from alignkit.retrieval.search.runs import Qrels, Run, rank_run

CUT = ("mrr@4", "hit@1", "hit@4", "recall@3", "precision@4", "map@4", "map@4:R", "map@4:hits", "ndcg@4")


def world(seed: int, n: int = 12, g: int = 9, levels: int = 4):
    """Return scores with many ties, grades, and the names of both sides; every query has a positive."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, (n, g)).astype(float)
    grades = (rng.random((n, g)) < 0.25) * rng.integers(1, 4, (n, g))
    grades[np.arange(n), rng.integers(0, g, n)] = 2
    return scores, grades, [f"q{i}" for i in range(n)], [f"d{i}" for i in range(g)]


def listed(scores, queries, items, k: int) -> Run:
    """Return the first k items of every query; equal scores by row."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    query = np.repeat(np.arange(len(scores)), order.shape[1])
    return Run.of(queries, items, query, order.ravel(), np.take_along_axis(scores, order, 1).ravel())


def judged(grades, queries, items) -> Qrels:
    links = np.argwhere(grades >= 0)
    return Qrels(queries, items, links, grades.ravel())


def positives_of(grades) -> Positives:
    return Positives.from_links(np.argwhere(grades > 0), *grades.shape, grades=grades[grades > 0])


@pytest.mark.parametrize("seed", range(5))
def test_whole_lists_have_the_ranks_of_the_matrix(seed: int):
    scores, grades, queries, items = world(seed)
    found = rank_run(listed(scores, queries, items, 9), judged(grades, queries, items), n_gallery=9)
    wanted = rank_scores(scores, positives_of(grades))
    assert_array_equal(found.ranks.above, wanted.above)
    assert_array_equal(found.ranks.tied, wanted.tied)
    assert found.listed.all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("ties", ["expected", "optimistic", "pessimistic"])
def test_metrics_cut_within_untorn_lists_are_those_of_the_whole_matrix(seed: int, ties: str):
    scores, grades, queries, items = world(seed, levels=1000)
    scores[:, 1] = scores[:, 0]  # a pair that ties: kept together below
    order = np.argsort(-scores, axis=1, kind="stable")
    fine = np.take_along_axis(scores, order[:, 4:6], 1)
    keep = fine[:, 0] != fine[:, 1]  # lists of five that tear no tie
    scores, grades = scores[keep], grades[keep]
    names = queries[: len(scores)]
    found = rank_run(listed(scores, names, items, 5), judged(grades, names, items), n_gallery=9)
    wanted = per_query(rank_scores(scores, positives_of(grades)), CUT, ties=ties)
    for name, values in per_query(found.ranks, CUT, ties=ties).items():
        np.testing.assert_allclose(values, wanted[name], atol=1e-15, err_msg=name)


def test_a_torn_tie_is_where_a_list_goes_wrong_and_says_so():
    scores = np.ones((1, 6))  # everything ties, and only two of six are listed
    run = listed(scores, ["q"], list("abcdef"), 2)
    grades = np.array([[1, 0, 0, 0, 0, 0]])
    found = rank_run(run, judged(grades, ["q"], list("abcdef")), n_gallery=6)
    seen = per_query(found.ranks, ["hit@1"])["hit@1"][0]
    true = per_query(rank_scores(scores, positives_of(grades)), ["hit@1"])["hit@1"][0]
    assert (seen, true) == (pytest.approx(1 / 2), pytest.approx(1 / 6))
    assert run.tied_ends().tolist() == [2]


def test_the_tie_at_the_end_of_each_list_is_counted():
    run = Run.of(
        ["a", "none", "b", "c"],
        list("xyz"),
        np.array([0, 0, 0, 2, 2, 3]),
        np.array([0, 1, 2, 0, 1, 2]),
        np.array([3.0, 1.0, 1.0, 2.0, 1.0, 1.0]),
    )
    assert run.tied_ends().tolist() == [2, 0, 1, 1]
    assert run.counts.tolist() == [3, 0, 2, 1]
    assert run.depth == 3


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("ties", ["index", "docid_desc", "docid_asc"])
def test_ties_settled_in_lists_are_those_settled_in_the_matrix(seed: int, ties: str):
    scores, grades, queries, items = world(seed, g=12)  # "d10" stands before "d2" as text
    wanted = settle(rank_scores(scores, positives_of(grades)), scores, item_order(ties, 12, items))
    found = rank_run(
        listed(scores, queries, items, 12), judged(grades, queries, items), n_gallery=12, ties=ties
    )
    for name, values in per_query(found.ranks, CUT).items():
        np.testing.assert_allclose(values, per_query(wanted, CUT)[name], atol=1e-15, err_msg=name)


def test_the_order_in_which_hits_are_given_changes_nothing_but_equal_scores():
    rng = np.random.default_rng(0)
    query, item = np.repeat(np.arange(3), 4), np.tile(np.arange(4), 3)
    scores = rng.permutation(12).astype(float)
    one = Run.of(list("abc"), list("wxyz"), query, item, scores)
    mixed = rng.permutation(12)
    two = Run.of(list("abc"), list("wxyz"), query[mixed], item[mixed], scores[mixed])
    assert_array_equal(one.hits, two.hits)
    assert_array_equal(one.indptr, two.indptr)
    for start, stop in pairwise(one.indptr):
        assert (np.diff(one.scores[start:stop]) < 0).all()


def test_names_of_either_side_alone_have_places_of_their_own():
    run = Run.of(["q1"], ["a", "b"], np.array([0, 0]), np.array([0, 1]), np.array([2.0, 1.0]))
    qrels = Qrels(["q2", "q1"], ["c", "b"], np.array([[0, 0], [1, 1]]), np.array([1, 1]))
    found = rank_run(run, qrels)
    assert (found.queries, found.items) == (["q1", "q2"], ["a", "b", "c"])
    assert found.ranks.n_gallery == 3
    assert found.listed.tolist() == [True, False]
    assert per_query(found.ranks, ["mrr@2"])["mrr@2"].tolist() == [0.5, 0.0]


def test_unlisted_positives_of_a_short_list_find_nothing_under_any_metric():
    run = Run.of(
        ["a", "b"], list("xyz"), np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 0, 1]), np.arange(5.0)
    )
    links = np.array([[0, 0], [1, 0], [1, 2]])
    found = rank_run(run, Qrels(["a", "b"], list("xyz"), links, np.array([1, 1, 2])), n_gallery=3)
    values = per_query(found.ranks, ["recall@3", "ndcg@3", "mrr@3"])
    assert values["recall@3"].tolist() == [1.0, 0.5]
    # "x" stands at place 2 of the list of "b"; the best ranking has its grade of 2 first
    assert values["ndcg@3"][1] == pytest.approx(1 / np.log2(3) / (2 + 1 / np.log2(3)))
    assert values["mrr@3"].tolist() == [pytest.approx(1 / 3), 0.5]


def test_what_cannot_be_is_refused():
    run = Run.of(["q"], ["a", "b"], np.array([0, 0]), np.array([0, 1]), np.array([2.0, 1.0]))
    qrels = Qrels(["q"], ["c"], np.array([[0, 0]]), np.array([1]))
    with pytest.raises(DataError, match="said to hold 2 items, but the run and the judgements name 3"):
        rank_run(run, qrels, n_gallery=2)
    whole = Run.of(["q"], list("abc"), np.zeros(3, int), np.arange(3), np.arange(3.0))
    other = Qrels(["q"], ["d"], np.array([[0, 0]]), np.array([1]))
    with pytest.raises(DataError, match="name 4"):
        rank_run(whole, other, n_gallery=3)
    empty = Run.of([], [], np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    with pytest.raises(DataError, match="lists nothing"):
        rank_run(empty, qrels)
