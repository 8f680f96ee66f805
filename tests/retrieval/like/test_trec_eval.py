from collections.abc import Callable

import numpy as np
import pytest

from alignkit.retrieval.like.trec_eval import TrecEval


def test_stored_answers_are_met(check_stored: Callable[..., int]):
    assert check_stored(TrecEval(), "pytrec_eval(terrier)") >= 180


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("shuffled", [False, True])
def test_the_installed_peer_agrees_on_ties_grades_and_any_ids(tied: Callable, seed: int, shuffled: bool):
    pytrec_eval = pytest.importorskip("pytrec_eval")
    scores, relevance = tied(seed, 40)
    n, g = scores.shape
    ids = [f"d{i:03d}" for i in range(g)]
    if shuffled:
        ids = [str(i) for i in np.random.default_rng(seed).permutation(1000)[:g]]
    qrels = {f"q{q}": {ids[d]: int(relevance[q, d]) for d in range(g)} for q in range(n)}
    run = {f"q{q}": {ids[d]: float(scores[q, d]) for d in range(g)} for q in range(n)}
    asked = {"map", "recip_rank", "ndcg", "P.5", "recall.5", "map_cut.5", "ndcg_cut.5", "success.5"}
    stored = pytrec_eval.RelevanceEvaluator(qrels, asked).evaluate(run)
    names = [name.replace(".", "_") for name in asked]
    found = TrecEval().score(scores, relevance, names, item_ids=ids)
    for name in names:
        assert found[name] == pytest.approx(np.mean([row[name] for row in stored.values()]), abs=1e-12), name


def test_the_name_of_a_document_decides_a_tie():
    scores = np.array([[0.5, 0.5]])
    relevance = np.array([[1, 0]])
    assert TrecEval().score(scores, relevance, ["mrr"], item_ids=["a", "b"]) == {"mrr": 0.5}
    assert TrecEval().score(scores, relevance, ["mrr"], item_ids=["b", "a"]) == {"mrr": 1.0}
    assert TrecEval().score(scores, relevance, ["mrr"], item_ids=["10", "9"]) == {"mrr": 0.5}  # as strings


def test_scores_that_differ_in_the_ninth_digit_are_tied():
    scores = np.array([[0.5, 0.5 + 1e-9]])
    assert TrecEval().score(scores, np.array([[0, 1]]), ["mrr"]) == {"mrr": 1.0}
    assert TrecEval().score(scores[:, ::-1].copy(), np.array([[1, 0]]), ["mrr"]) == {"mrr": 0.5}


def test_average_precision_is_divided_by_all_positives_at_every_cut():
    scores, relevance = np.array([[3.0, 2.0, 1.0]]), np.array([[1, 1, 1]])
    found = TrecEval().score(scores, relevance, ["map_cut_1", "map"])
    assert found == pytest.approx({"map_cut_1": 1 / 3, "map": 1.0})


def test_a_judged_query_without_a_positive_scores_zero_and_counts():
    found = TrecEval().score(np.eye(2), np.array([[1, 0], [0, 0]]), ["recip_rank"])
    assert found == {"recip_rank": 0.5}
    assert found.without_positive == 1
