import warnings
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from alignkit.retrieval.like.ranx import Ranx


def dictionaries(scores: NDArray, relevance: NDArray) -> tuple[dict, dict]:
    n, g = scores.shape
    qrels = {f"q{q:03d}": {f"d{d:03d}": int(relevance[q, d]) for d in range(g)} for q in range(n)}
    run = {f"q{q:03d}": {f"d{d:03d}": float(scores[q, d]) for d in range(g)} for q in range(n)}
    return qrels, run


def test_stored_answers_are_met(check_stored: Callable[..., int]):
    assert check_stored(Ranx(), "ranx") >= 200


@pytest.mark.slow
@pytest.mark.parametrize("n_gallery", [9, 60])
def test_the_installed_peer_agrees_on_ties_and_grades_in_short_and_long_lists(tied: Callable, n_gallery: int):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numba, about casts in ranx's kernels
        ranx = pytest.importorskip("ranx")
        names = ["mrr", "mrr@3", "map", "map@5", "ndcg", "ndcg@4", "hit_rate@3", "recall@3", "precision@7"]
        names += ["map@5-l2", "ndcg@5-l2", "recall@2-l3"]
        apart = 0.0
        for seed in range(5):
            scores, relevance = tied(seed, n_gallery)
            qrels, run = dictionaries(scores, relevance)
            stored = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), names)
            found = Ranx().score(scores, relevance, names)
            assert found == pytest.approx(stored, abs=1e-12)
            apart = max(apart, abs(ranx.evaluate(qrels, run, "mrr") - found["mrr"]))
    assert apart > 0.01  # the same run as plain dictionaries is sorted otherwise by ranx itself


def test_ties_follow_the_order_of_insertion_in_a_short_list_only():
    relevance = np.zeros((1, 15), int)
    relevance[0, 0] = 1
    assert Ranx().score(np.full((1, 15), 0.5), relevance, ["mrr"]) == {"mrr": 1.0}
    longer = np.zeros((1, 17), int)
    longer[0, 0] = 1
    assert Ranx().score(np.full((1, 17), 0.5), longer, ["mrr"])["mrr"] < 1.0


def test_mrr_is_cut_although_the_documentation_says_that_k_is_ignored():
    scores, relevance = np.array([[3.0, 2.0, 1.0]]), np.array([[0, 0, 1]])
    found = Ranx().score(scores, relevance, ["mrr", "mrr@2", "mrr@3"])
    assert found == pytest.approx({"mrr": 1 / 3, "mrr@2": 0.0, "mrr@3": 1 / 3})


def test_a_suffix_names_the_least_grade():
    scores, relevance = np.array([[3.0, 2.0, 1.0]]), np.array([[1, 2, 3]])
    found = Ranx().score(scores, relevance, ["mrr", "mrr-l2", "mrr-l3", "recall@2-l2"])
    assert found == pytest.approx({"mrr": 1.0, "mrr-l2": 0.5, "mrr-l3": 1 / 3, "recall@2-l2": 0.5})
