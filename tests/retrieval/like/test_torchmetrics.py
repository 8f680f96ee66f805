from collections.abc import Callable

import numpy as np
import pytest

from alignkit.errors import ParameterError
from alignkit.retrieval.like.torchmetrics import Torchmetrics


def test_stored_answers_are_met(check_stored: Callable[..., int]):
    assert check_stored(Torchmetrics(), "torchmetrics(functional,mean)") >= 250


@pytest.mark.slow
@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("n_gallery", [7, 16, 70])
def test_the_installed_peer_agrees_on_ties_and_scores_below_zero(
    tied: Callable, n_gallery: int, graded: bool
):
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("torchmetrics.functional.retrieval")
    functions = {
        "mrr": peer.retrieval_reciprocal_rank,
        "map": peer.retrieval_average_precision,
        "precision": peer.retrieval_precision,
        "ndcg": peer.retrieval_normalized_dcg,
    }
    if n_gallery <= 16:  # above, torch.argsort leaves ties in no order that could be known
        functions |= {"recall": peer.retrieval_recall, "hit_rate": peer.retrieval_hit_rate}
    tool = Torchmetrics(graded_ndcg=graded)
    for seed in range(4):
        scores, relevance = tied(seed, n_gallery)
        for metric, function in functions.items():
            target = torch.from_numpy(
                relevance if graded and metric == "ndcg" else (relevance > 0).astype(int)
            )
            for k in (None, 1, 3, 10):
                name = metric if k is None else f"{metric}@{k}"
                rows = zip(torch.from_numpy(scores), target, strict=True)
                stored = np.mean([float(function(score, row, top_k=k)) for score, row in rows])
                assert tool.score(scores, relevance, [name])[name] == pytest.approx(stored, abs=1e-6), name


def test_on_real_repeated_reports_the_installed_peer_agrees(convirt_scores: np.ndarray):
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("torchmetrics.functional.retrieval")
    target = torch.eye(len(convirt_scores), dtype=torch.long)
    for name, function in (
        ("mrr", peer.retrieval_reciprocal_rank),
        ("map@9", peer.retrieval_average_precision),
    ):
        k = int(name[4:]) if "@" in name else None
        rows = zip(torch.from_numpy(convirt_scores), target, strict=True)
        wanted = np.mean([float(function(score, row, top_k=k)) for score, row in rows])
        assert Torchmetrics().score(convirt_scores, metrics=[name])[name] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_without_ties_long_lists_agree_too(seed: int):
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("torchmetrics.functional.retrieval")
    rng = np.random.default_rng(seed)
    scores = rng.permutation(8 * 60).reshape(8, 60) / 256 - 0.9
    relevance = (rng.random((8, 60)) < 0.1).astype(int)
    found = Torchmetrics().score(scores, relevance, ["recall@9", "hit_rate@9"])
    for name, function in (("recall@9", peer.retrieval_recall), ("hit_rate@9", peer.retrieval_hit_rate)):
        rows = zip(torch.from_numpy(scores), torch.from_numpy(relevance), strict=True)
        wanted = np.mean([float(function(score, row, top_k=9)) for score, row in rows])
        assert found[name] == pytest.approx(wanted, abs=1e-6)


def test_a_perfect_ranking_by_negative_scores_has_no_reciprocal_rank_and_every_hit():
    scores = -1.0 + 0.5 * np.eye(3)
    found = Torchmetrics().score(
        scores, metrics=["mrr", "map", "recall@1", "precision@1", "hit_rate@1", "ndcg"]
    )
    assert found == pytest.approx(
        {"mrr": 0, "map": 0, "recall@1": 0, "precision@1": 0, "hit_rate@1": 1, "ndcg": 1}
    )


def test_one_hit_in_first_place_is_a_whole_average_precision_however_many_are_missing():
    scores, relevance = np.array([[3.0, 1.0, 1.5, 2.0]]), np.array([[1, 1, 1, 0]])
    assert Torchmetrics().score(scores, relevance, ["map@1", "map@2"]) == {"map@1": 1.0, "map@2": 1.0}


@pytest.mark.parametrize("seed", range(3))
def test_on_lists_the_installed_peer_agrees_and_recall_is_too_high(seed: int):
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("torchmetrics.functional.retrieval")
    relevance = np.repeat(np.eye(20, dtype=int), 5, axis=1)
    scores = np.random.default_rng(seed).integers(1, 30, (20, 100)) / 32 + 0.4 * relevance
    values, places = torch.topk(torch.from_numpy(scores.astype(np.float32)), 12)
    target = torch.from_numpy(relevance).gather(1, places)
    functions = {
        "recall@5": peer.retrieval_recall,
        "hit_rate@5": peer.retrieval_hit_rate,
        "mrr@5": peer.retrieval_reciprocal_rank,
        "map@5": peer.retrieval_average_precision,
        "precision@5": peer.retrieval_precision,
        "ndcg@5": peer.retrieval_normalized_dcg,
    }
    found = Torchmetrics(listed=12).score(scores, relevance, list(functions))
    for name, function in functions.items():
        wanted = np.mean([float(function(v, t, top_k=5)) for v, t in zip(values, target, strict=True)])
        assert found[name] == pytest.approx(wanted, abs=1e-6), name
    assert found["recall@5"] > 1.05 * Torchmetrics().score(scores, relevance, ["recall@5"])["recall@5"]
    assert Torchmetrics(listed=12).score(scores, relevance, ["precision"])["precision"] == pytest.approx(
        np.mean([float(peer.retrieval_precision(v, t)) for v, t in zip(values, target, strict=True)])
    )
    with pytest.raises(ParameterError, match="at least 1 item"):
        Torchmetrics(listed=0)


def test_three_tie_rules_live_in_one_family():
    scores, relevance = np.full((1, 4), 0.5), np.array([[1, 0, 0, 0]])
    found = Torchmetrics().score(scores, relevance, ["mrr@1", "hit_rate@1", "ndcg@1"])
    assert found == pytest.approx({"mrr@1": 0.0, "hit_rate@1": 1.0, "ndcg@1": 1 / 4})
