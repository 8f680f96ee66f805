"""A planted cause is found, with its size; the shares add up; agreement is silence."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from alignkit.errors import UnknownNameError
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_scores
from alignkit.retrieval.explain import REMAINDER, SWITCHES, Finding, explain
from alignkit.retrieval.like import TOOLS
from alignkit.retrieval.like.sentence_transformers import SentenceTransformers
from alignkit.retrieval.like.torchmetrics import Torchmetrics
from alignkit.retrieval.metrics import per_query


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


def untied(seed: int, n: int, g: int) -> np.ndarray:
    """Return scores in (0, 1) that differ in float32, too."""
    return (1.0 + np.random.default_rng(seed).permutation(n * g).reshape(n, g)) / (n * g + 1)


@pytest.mark.parametrize("tool", TOOLS.names())
def test_where_nothing_differs_nothing_is_found(tool: str):
    scores = np.triu(np.ones((13, 13))) * 0.1 + np.eye(13) + untied(0, 13, 13) * 0.01
    metrics = {
        "clip_benchmark": ["image_retrieval_recall@5"],
        "laion_clap": ["audio_to_text_R@5", "audio_to_text_mean_rank", "audio_to_text_mAP@10"],
        "open_clip": ["image_to_text_R@5", "image_to_text_median_rank"],
        "muse": None,
        "vecmap": ["accuracy-nn", "accuracy-csls"],
    }.get(tool, ["mrr", "hit@5", "recall@5", "map", "ndcg"])
    findings = explain(scores, None, tool, metrics=metrics)
    if tool == "muse":  # which always multiplies by 100 and takes hits for precision
        assert {f.cause for f in findings} == {"scale", "another quantity"}
    else:
        assert findings == []


def test_ties_are_blamed_with_the_queries_that_have_them():
    scores = np.array([[0.5, 0.5, 0.1], [0.1, 0.9, 0.2], [0.3, 0.1, 0.3]])
    found = only(explain(scores, None, "ranx", metrics=["mrr"]))
    assert (found.cause, found.queries) == ("ties", 2)
    assert found.ours == pytest.approx((0.75 + 1 + 0.75) / 3)
    assert found.theirs == pytest.approx((1 + 1 + 0.5) / 3)
    assert found.step == found.alone == pytest.approx(0.0, abs=1e-12)
    other = only(explain(scores, None, "trec_eval", metrics=["mrr"], item_ids=["a", "b", "c"]))
    assert other.step == pytest.approx((0.5 - 0.75 + 1 - 0.75) / 3, abs=1e-12)


def test_a_hit_rate_that_is_called_recall_is_named():
    scores, relevance = untied(1, 6, 30), np.repeat(np.eye(6, dtype=int), 5, axis=1)
    found = only(explain(scores, relevance, "clip_benchmark", metrics=["image_retrieval_recall@5"]))
    ranks = rank_scores(scores, Positives.from_links(np.argwhere(relevance), 6, 30))
    ours = per_query(ranks, ["recall@5", "hit@5"])
    assert found.cause == "another quantity"
    assert found.queries == int((ours["recall@5"] != ours["hit@5"]).sum())
    assert found.step == pytest.approx(ours["hit@5"].mean() - ours["recall@5"].mean())
    assert "hit@5" in found.why
    assert "not recall@5" in found.why


@pytest.mark.parametrize(("tool", "metric"), [("trec_eval", "map_cut_3"), ("ranx", "map@3")])
def test_the_norm_of_average_precision_is_named(tool: str, metric: str):
    scores, relevance = untied(2, 5, 20), (np.random.default_rng(2).random((5, 20)) < 0.5).astype(int)
    found = only(explain(scores, relevance, tool, metrics=[metric]))
    assert found.cause == "norm of average precision"
    ranks = rank_scores(scores, Positives.from_links(np.argwhere(relevance), 5, 20))
    ours = per_query(ranks, ["map@3", "map@3:R"])
    assert found.alone == pytest.approx(ours["map@3:R"].mean() - ours["map@3"].mean())


@pytest.mark.parametrize(
    ("tool", "metric", "step"),
    [("ranx", "mrr", -1 / 3), ("trec_eval", "map", -1 / 3), ("torchmetrics", "ndcg", -1 / 3)],
)
def test_queries_without_a_positive_are_counted_where_they_score_zero(tool: str, metric: str, step: float):
    found = only(explain(np.eye(3) + 0.1, np.diag([1, 0, 1]), tool, metrics=[metric]))
    assert (found.cause, found.queries, found.ours) == ("queries without a positive", 1, 1.0)
    assert found.step == pytest.approx(step)


def test_a_recall_of_nan_is_blamed_on_the_query_that_makes_it():
    found = only(explain(np.eye(3) + 0.1, np.diag([1, 0, 1]), "clip_benchmark", metrics=["recall@1"]))
    assert (found.cause, found.queries) == ("queries without a positive", 1)
    assert np.isnan(found.theirs)
    assert np.isnan(found.step)


def test_positives_lost_below_zero_are_blamed_and_counted():
    scores = np.array([[0.9, 0.1, 0.2], [-0.9, -0.5, -0.7], [0.2, 0.1, 0.3]])
    found = only(explain(scores, None, "torchmetrics", metrics=["mrr"]))
    assert (found.cause, found.queries) == ("scores of 0 or less", 1)
    assert found.alone == found.step == pytest.approx(-1 / 3)
    assert explain(scores, None, "torchmetrics", metrics=["hit_rate@1"]) == []


def test_on_real_pairs_after_centring_torchmetrics_loses_eight_in_a_hundred(data: Path):
    sides = np.load(data / "modality_gap" / "features_convirt.npy", allow_pickle=False)
    sides = sides - sides.mean(axis=1, keepdims=True)
    pictures, reports = sides / np.linalg.norm(sides, axis=2, keepdims=True)
    scores = pictures @ reports.T
    lost, ties = explain(scores, None, "torchmetrics", metrics=["mrr"])
    assert (lost.cause, ties.cause) == ("scores of 0 or less", "ties")
    assert lost.queries == (scores.diagonal() <= 0).sum() == 40  # of 500
    assert lost.step < 0
    level = (scores == scores.diagonal()[:, None]).sum(axis=1) > 1  # the same report for several pictures
    assert 0 < ties.queries <= level.sum()
    assert lost.theirs == pytest.approx(0.0715, abs=5e-5)


def test_short_lists_are_blamed_for_a_recall_that_is_too_high():
    relevance = np.repeat(np.eye(8, dtype=int), 5, axis=1)
    scores = untied(6, 8, 40) + 0.3 * relevance + 0.01
    found = explain(scores, relevance, Torchmetrics(listed=8), metrics=["recall@5"])
    assert found[0].cause == "short lists"
    assert found[0].step > 0.05
    assert found[0].ours + sum(f.step for f in found) == pytest.approx(found[0].theirs)


def test_a_number_format_that_makes_ties_is_told_from_what_is_done_with_them():
    scores = np.array([[0.5, 0.5 - 1e-9], [0.2, 0.6]])
    format_, ties = explain(scores, None, "trec_eval", metrics=["mrr"])
    assert (format_.cause, ties.cause) == ("number format", "ties")
    assert (format_.queries, ties.queries) == (1, 1)
    assert format_.step == format_.alone == pytest.approx(-0.125)  # 1 becomes 3/4, the mean of both orders
    assert ties.alone == 0.0  # in float64 nothing is tied
    assert ties.step == pytest.approx(-0.125)  # 3/4 becomes 1/2, since d001 comes first
    assert explain(scores, None, "ranx", metrics=["mrr"]) == []


def test_repeated_ids_are_blamed():
    scores = np.array([[0.9, 0.5, 0.1], [0.1, 0.6, 0.05]])
    relevance = np.array([[1, 0, 0], [0, 1, 0]])
    found = explain(scores, relevance, "ranx", metrics=["mrr"], item_ids=["a", "b", "a"])
    assert [f.cause for f in found] == ["repeated ids", "queries without a positive"]
    assert found[0].queries == 1
    assert sum(f.step for f in found) == pytest.approx(-0.5)


def test_grades_and_the_least_of_them_are_told_apart():
    scores, relevance = np.array([[3.0, 2.0, 1.0]]), np.array([[1, 3, 0]])
    assert only(explain(scores, relevance, "ranx", metrics=["ndcg"])).cause == "graded gains"
    assert only(explain(scores, relevance, "ranx", metrics=["mrr-l2"])).cause == "least grade"


def test_a_rounded_median_is_named_only_where_it_moves():
    scores = np.array([[4.0, 3, 2, 1], [1, 4, 2, 3], [4, 1, 3, 2], [4, 3, 2, 1]])  # ranks 1, 1, 2, 4
    found = only(explain(scores, None, "open_clip", metrics=["image_to_text_median_rank"]))
    assert (found.cause, found.ours, found.theirs, found.step) == ("median", 1.5, 1.0, -0.5)
    assert explain(scores[:3, :3], None, "open_clip", metrics=["image_to_text_median_rank"]) == []


def test_the_unsorted_average_precision_of_clap_is_blamed():
    relevance = np.repeat(np.eye(4, dtype=int), 5, axis=1)
    scores = 10.0 * relevance + np.tile(np.arange(5), 4) + untied(3, 4, 20) * 0.1
    found = explain(scores, relevance, "laion_clap", metrics=["audio_to_text_mAP@10"])
    assert only(found).cause == "norm of average precision"
    assert only(found).step == pytest.approx(0.74)
    assert "never sorts" in only(found).why


def test_csls_and_per_cent_are_told_apart():
    scores = np.full((12, 12), 0.1) + 0.4 * np.eye(12) + untied(4, 12, 12) * 0.01
    scores[:, 0] = 0.6 + untied(5, 1, 12)[0] * 0.001  # a hub
    found = explain(scores, None, "muse", metrics=["precision_at_1-csls_knn_10"])
    assert [f.cause for f in found] == ["scores adjusted", "scale"]
    assert found[0].queries >= 10
    assert found[0].ours + sum(f.step for f in found) == pytest.approx(found[0].theirs)
    assert only(explain(scores, None, "vecmap", metrics=["accuracy-csls"])).cause == "scores adjusted"


def test_a_cut_reciprocal_rank_can_be_held_against_an_uncut_one():
    scores = np.tile(np.arange(20.0, 0, -1), (20, 1))  # the positive of query i has rank i + 1
    found = only(
        explain(scores, None, "sentence_transformers", metrics=["mrr@10"], against={"mrr@10": "mrr"})
    )
    assert (found.cause, found.queries) == ("cut", 10)
    assert found.step == pytest.approx(-sum(1 / rank for rank in range(11, 21)) / 20)


class Careless(SentenceTransformers):
    """Adds a hundredth to everything, for a reason that no convention names."""

    def _values(self, inputs, metrics):
        return {name: value + 0.01 for name, value in super()._values(inputs, metrics).items()}


def test_what_no_convention_explains_is_said():
    found = only(explain(np.eye(4), None, Careless(), metrics=["mrr@10"]))
    assert found.cause == REMAINDER
    assert found.step == pytest.approx(0.01)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "tool", ["ranx", "trec_eval", "sentence_transformers", "torchmetrics", "clip_benchmark"]
)
def test_shares_add_up_to_the_difference_and_come_in_the_order_of_the_switches(tool: str, seed: int):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-3, 6, (14, 25)) / 8 + rng.choice([0, 1e-9], (14, 25))
    relevance = (rng.random((14, 25)) < 0.25) * rng.integers(1, 4, (14, 25))
    relevance[3] = 0
    findings = explain(scores, relevance, tool)
    assert len(findings) >= 3
    theirs = TOOLS.get(tool)().score(scores, relevance)
    for metric in {f.metric for f in findings}:
        own = [f for f in findings if f.metric == metric]
        assert own[0].theirs == theirs[metric]
        assert own[0].ours + sum(f.step for f in own) == pytest.approx(own[0].theirs, abs=1e-9)
        causes = [f.cause for f in own]
        assert causes == [cause for cause in SWITCHES if cause in causes]  # so no remainder
        assert all(f.queries <= (25 if metric.startswith("text") else 14) for f in own)


@pytest.mark.slow
def test_every_difference_of_the_stored_cases_is_explained_without_a_remainder(oracles: Path):
    cases = json.loads((oracles / "retrieval_peers.json").read_text())["cases"]
    causes = Counter()
    for name, content in cases.items():
        scores, relevance = np.array(content["scores"]), np.array(content["relevance"])
        for tool in ("ranx", "trec_eval", "sentence_transformers", "torchmetrics", "clip_benchmark"):
            for f in explain(scores, relevance, tool):
                assert f.cause != REMAINDER, (name, f)
                causes[f.cause] += 1
    assert set(causes) == {
        *("number format", "scores of 0 or less", "ties", "another quantity", "graded gains"),
        "queries without a positive",
    }


def test_a_loss_is_no_retrieval_figure_and_is_left_out():
    findings = explain(np.full((4, 4), 0.5), None, "laion_clap")
    assert {f.metric for f in findings}.isdisjoint({"cumulative_loss", "num_samples"})
    assert findings


def test_an_unknown_tool_meets_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"no tool named 'ranks'\. Did you mean 'ranx'"):
        explain(np.eye(2), None, "ranks")
