from collections.abc import Callable

import numpy as np
import pytest

from alignkit.retrieval.like.sentence_transformers import SentenceTransformers


def test_stored_answers_are_met(check_stored: Callable[..., int]):
    assert check_stored(SentenceTransformers(), "sentence_transformers") >= 200


@pytest.mark.parametrize("seed", range(3))
def test_the_installed_peer_agrees(tied: Callable, seed: int):
    evaluation = pytest.importorskip("sentence_transformers.evaluation")
    scores, relevance = tied(seed, 30)
    n, g = scores.shape
    ids = [f"d{d:03d}" for d in range(g)]
    relevant = {f"q{q}": {ids[d] for d in np.flatnonzero(relevance[q])} for q in range(n)}
    evaluator = evaluation.InformationRetrievalEvaluator(
        {f"q{q}": "" for q in range(n)}, dict.fromkeys(ids, ""), relevant, map_at_k=[g], mrr_at_k=[3]
    )
    hits = [
        [{"corpus_id": ids[d], "score": float(np.float32(scores[q, d]))} for d in range(g)]
        for q in range(n)
        if relevant[f"q{q}"]
    ]
    stored = evaluator.compute_metrics(hits)
    found = SentenceTransformers().score(scores, relevance, ["mrr@3", "map", "ndcg@10", "accuracy@5"])
    wanted = [stored["mrr@k"][3], stored["map@k"][g], stored["ndcg@k"][10], stored["accuracy@k"][5]]
    assert list(found.values()) == pytest.approx(wanted, abs=1e-9)


def test_a_k_named_twice_doubles_what_is_summed_and_not_what_is_averaged():
    tool, scores = SentenceTransformers(), np.eye(3)
    once = tool.score(scores, metrics=["mrr@1", "accuracy@1", "recall@1", "map@1"])
    assert set(once.values()) == {1.0}
    twice = tool.score(scores, metrics=["mrr@1", "accuracy@1", "recall@1", "map@1"] * 2)
    assert twice == {"mrr@1": 2.0, "accuracy@1": 2.0, "recall@1": 1.0, "map@1": 1.0}


def test_the_lower_corpus_id_wins_a_tie_as_strings_compare():
    scores, relevance = np.array([[0.5, 0.5]]), np.array([[1, 0]])
    tool = SentenceTransformers()
    assert tool.score(scores, relevance, ["mrr"], item_ids=["a", "b"]) == {"mrr": 1.0}
    assert tool.score(scores, relevance, ["mrr"], item_ids=["9", "10"]) == {"mrr": 0.5}


def test_grades_count_one_and_average_precision_is_divided_by_what_fits():
    scores, relevance = np.array([[3.0, 2.0, 1.0]]), np.array([[1, 0, 3]])
    found = SentenceTransformers().score(scores, relevance, ["map@1", "ndcg@1", "ndcg@3"])
    assert found == pytest.approx({"map@1": 1.0, "ndcg@1": 1.0, "ndcg@3": 1.5 / (1 + 1 / np.log2(3))})
