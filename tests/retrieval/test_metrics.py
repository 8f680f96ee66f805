import json
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignkit.errors import ParameterError, UnknownNameError
from alignkit.retrieval.metrics import Metric, parse_metric, per_query
from alignkit.retrieval.positives import Positives
from alignkit.retrieval.ranks import rank_scores, rank_scores_both

NAMES = [
    *("mrr", "mrr@1", "mrr@3", "mrr@50", "hit@1", "hit@2", "hit@4", "recall@1", "recall@3", "precision@2"),
    *(
        "precision@9",
        "map",
        "map@1",
        "map@3",
        "map@3:R",
        "ndcg",
        "ndcg@2",
        "ndcg@5",
        "mean_rank",
        "median_rank",
    ),
]


def of_relevance(relevance: np.ndarray) -> Positives:
    return Positives.from_links(np.argwhere(relevance > 0), *relevance.shape)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6))
def test_expected_metrics_are_the_mean_over_every_order_of_tied_items(
    brute: SimpleNamespace, items: list[tuple[int, bool]]
):
    scores = np.array([score for score, _ in items], float)
    relevant = np.array([flag for _, flag in items])
    relevant[0] = True
    ranks = rank_scores(scores[None], of_relevance(relevant[None]))
    found = per_query(ranks, NAMES)
    for name in NAMES:
        assert found[name][0] == pytest.approx(brute.expected_metric(name, scores, relevant), abs=1e-12), name


@pytest.mark.parametrize("seed", range(5))
def test_tie_orders_bound_the_expectation_and_without_ties_agree_with_the_definition(
    brute: SimpleNamespace, seed: int
):
    rng = np.random.default_rng(seed)
    for scores in (
        rng.permutation(40 * 60).reshape(40, 60).astype(float),
        rng.integers(0, 5, (40, 60)).astype(float),
    ):
        relevance = rng.random((40, 60)) < rng.random((40, 1)) * 0.5
        relevance[:, 0] = True
        ranks = rank_scores(scores, of_relevance(relevance))
        expected, best, worst = (
            per_query(ranks, NAMES, ties=t) for t in ("expected", "optimistic", "pessimistic")
        )
        # a stable sort of scores, with positives first or last among equals
        for found, order in (
            (best, np.lexsort((-1 * relevance, -scores))),
            (worst, np.lexsort((relevance, -scores))),
        ):
            for name in NAMES:
                sorted_rows = np.take_along_axis(relevance, order, axis=1)
                wanted = [brute.metric(name, row) for row in sorted_rows]
                np.testing.assert_allclose(found[name], wanted, atol=1e-12, err_msg=name)
        for name in NAMES:
            sign = -1 if parse_metric(name).is_rank else 1
            assert (sign * worst[name] <= sign * expected[name] + 1e-12).all()
            assert (sign * expected[name] <= sign * best[name] + 1e-12).all()


def test_long_ties_agree_with_a_simulation(brute: SimpleNamespace):
    rng = np.random.default_rng(0)
    relevant = np.zeros(300, bool)
    relevant[:12] = True
    scores = np.r_[np.full(12, 1.0), np.full(200, 1.0), np.full(40, 2.0), np.zeros(48)]
    found = per_query(rank_scores(scores[None], of_relevance(relevant[None])), [*NAMES, "hit@60", "map@60"])
    orders = [np.lexsort((rng.random(300), -scores)) for _ in range(4000)]
    for name, value in found.items():
        drawn = [brute.metric(name, relevant[order]) for order in orders]
        assert abs(value[0] - np.mean(drawn)) < 5 * np.std(drawn) / np.sqrt(4000) + 1e-12, name


def test_thousands_of_positives_a_query_sum_to_what_a_sort_says(brute: SimpleNamespace):
    rng = np.random.default_rng(1)
    scores = rng.permutation(3 * 9000).reshape(3, 9000).astype(np.float64)
    relevance = rng.random((3, 9000)) < 0.4
    found = per_query(rank_scores(scores, of_relevance(relevance)), NAMES)
    for name in NAMES:
        wanted = [brute.metric(name, r[np.argsort(-s)]) for s, r in zip(scores, relevance, strict=True)]
        np.testing.assert_allclose(found[name], wanted, atol=1e-10, err_msg=name)


def test_a_query_without_a_positive_has_no_metric():
    found = per_query(rank_scores(np.eye(3), of_relevance(np.diag([1, 0, 1]))), NAMES)
    for value in found.values():
        assert np.isnan(value).tolist() == [False, True, False]


@pytest.mark.parametrize("ties", ["expected", "optimistic", "pessimistic"])
def test_metrics_do_not_depend_on_the_order_of_the_gallery(ties: str):
    rng = np.random.default_rng(4)
    scores = rng.integers(0, 6, (30, 50)).astype(float)
    relevance = rng.random((30, 50)) < 0.2
    relevance[:, 3] = True
    there = rng.permutation(50)
    one = per_query(rank_scores(scores, of_relevance(relevance)), NAMES, ties=ties)
    other = per_query(rank_scores(scores[:, there], of_relevance(relevance[:, there])), NAMES, ties=ties)
    for name in NAMES:
        assert np.array_equal(one[name], other[name]), name


def test_names_say_family_cut_and_norm():
    assert parse_metric("mrr") == Metric("mrr", "mrr")
    assert parse_metric("map@10") == Metric("map@10", "map", 10, "min(k,R)")
    assert parse_metric("map@10:R").norm == "R"
    assert parse_metric("median_rank").statistic == "median"
    assert parse_metric("recall@5").statistic == "mean"


@pytest.mark.parametrize(("name", "hint"), [("hits@5", "hit@5"), ("mean_rnk", "mean_rank"), ("mmr", "mrr")])
def test_an_unknown_metric_meets_the_nearest_name(name: str, hint: str):
    with pytest.raises(UnknownNameError, match=f"Did you mean '{hint}'"):
        parse_metric(name)


@pytest.mark.parametrize(
    "name", ["hit@0", "hit@-1", "hit@", "hit", "mrr@1.5", "mean_rank@3", "hit@5:R", "map@5:hits"]
)
def test_a_cut_that_makes_no_sense_is_refused(name: str):
    with pytest.raises(ParameterError, match=name):
        parse_metric(name)


def test_an_unknown_tie_rule_is_refused():
    with pytest.raises(ParameterError, match="expected, optimistic, pessimistic"):
        per_query(rank_scores(np.eye(2), Positives.diagonal(2)), ["mrr"], ties="lucky")


# our name of each figure that another tool defines as we do, in that tool's own spelling
PEERS = {
    "ranx": {
        "mrr": "mrr",
        "mrr@{k}": "mrr@{k}",
        "hit@{k}": "hit_rate@{k}",
        "recall@{k}": "recall@{k}",
        "precision@{k}": "precision@{k}",
        "map": "map",
        "map@{k}:R": "map@{k}",
        "ndcg": "ndcg",
        "ndcg@{k}": "ndcg@{k}",
    },
    "pytrec_eval(terrier)": {
        "mrr": "recip_rank",
        "hit@{k}": "success_{k}",
        "recall@{k}": "recall_{k}",
        "precision@{k}": "P_{k}",
        "map": "map",
        "map@{k}:R": "map_cut_{k}",
        "ndcg": "ndcg",
        "ndcg@{k}": "ndcg_cut_{k}",
    },
    "sentence_transformers": {
        "mrr@{k}": "mrr@{k}",
        "hit@{k}": "accuracy@{k}",
        "recall@{k}": "recall@{k}",
        "precision@{k}": "precision@{k}",
        "map@{k}": "map@{k}",
        "ndcg@{k}": "ndcg@{k}",
    },
    "CLIP_benchmark": {"hit@{k}": "hit@{k}(>0).float().mean()", "recall@{k}": "recall@{k}"},
}
CASES = ("A_distinct_1pos", "B_negative_scores_1pos", "E_3pos_of_6", "J_random_20x20_seed7_1pos")


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("case", CASES)
def test_where_nothing_ties_the_stored_figures_of_other_tools_are_ours(oracles: Path, case: str, peer: str):
    content = json.loads((oracles / "retrieval_peers.json").read_text())["cases"][case]
    scores, relevance = np.array(content["scores"]), np.array(content["relevance"])
    compared = 0
    for ours, theirs in PEERS[peer].items():
        for k in (1, 2, 3, 5):
            stored = content["outputs"][peer].get(theirs.format(k=k))
            if stored is None:
                continue
            name = ours.format(k=k)
            found = per_query(rank_scores(scores, of_relevance(relevance)), [name])[name].mean()
            assert found == pytest.approx(stored, abs=1e-6), (name, theirs)
            compared += 1
    assert compared >= 6


def test_open_clip_ranks_are_ours_less_one_where_nothing_ties(oracles: Path):
    cases = json.loads((oracles / "retrieval_peers.json").read_text())["cases"]
    for case in ("A_distinct_1pos", "B_negative_scores_1pos", "J_random_20x20_seed7_1pos"):
        scores = np.array(cases[case]["scores"])
        for ranks, stored in zip(
            rank_scores_both(scores, Positives.diagonal(len(scores))),
            cases[case]["outputs"]["open_clip ranks0 (rows),(cols)"],
            strict=True,
        ):
            assert (per_query(ranks, ["mean_rank"])["mean_rank"] - 1).tolist() == stored


def planted(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores in (0, 1) without ties and several positives for each query."""
    rng = np.random.default_rng(seed)
    relevance = rng.random((25, 80)) < 0.06
    relevance[np.arange(25), rng.integers(0, 80, 25)] = True
    scores = rng.permutation(25 * 80).reshape(25, 80) / 4000 + 0.4 * relevance * rng.random((25, 80))
    assert len(np.unique(scores.astype(np.float32))) == scores.size
    return scores, relevance


LIVE = ["mrr", "hit@1", "hit@5", "recall@5", "recall@20", "precision@5", "map", "map@10:R", "ndcg", "ndcg@10"]


@pytest.mark.parametrize("seed", range(3))
def test_pytrec_eval_agrees_query_by_query(seed: int):
    pytrec_eval = pytest.importorskip("pytrec_eval")
    scores, relevance = planted(seed)
    theirs = ["recip_rank", "success_1", "success_5", "recall_5", "recall_20", "P_5", "map", "map_cut_10"]
    names = dict(zip(LIVE, [*theirs, "ndcg", "ndcg_cut_10"], strict=True))
    qrels = {f"q{q}": {f"d{d}": 1 for d in np.flatnonzero(row)} for q, row in enumerate(relevance)}
    run = {f"q{q}": {f"d{d}": float(s) for d, s in enumerate(row)} for q, row in enumerate(scores)}
    measures = {"recip_rank", "success.1,5", "recall.5,20", "P.5", "map", "map_cut.10", "ndcg", "ndcg_cut.10"}
    answer = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)
    found = per_query(rank_scores(scores, of_relevance(relevance)), LIVE)
    for ours, name in names.items():
        np.testing.assert_allclose(found[ours], [answer[f"q{q}"][name] for q in range(25)], atol=1e-9)


@pytest.mark.slow  # ranx compiles its metrics first
def test_ranx_agrees_query_by_query():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numba's own
        ranx = pytest.importorskip("ranx")
        scores, relevance = planted(0)
        qrels = {f"q{q:02}": {f"d{d}": 1 for d in np.flatnonzero(row)} for q, row in enumerate(relevance)}
        run = {f"q{q:02}": {f"d{d}": float(s) for d, s in enumerate(row)} for q, row in enumerate(scores)}
        names = {"mrr": "mrr", "map@10:R": "map@10"}
        answer = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), list(names.values()), return_mean=False)
    found = per_query(rank_scores(scores, of_relevance(relevance)), list(names))
    for ours, theirs in names.items():
        np.testing.assert_allclose(found[ours], answer[theirs], atol=1e-9, err_msg=ours)


@pytest.mark.parametrize("seed", range(3))
def test_torchmetrics_agrees_on_positive_scores_where_it_means_the_same(seed: int):
    """Its MAP@k divides by the hits found and it drops scores <= 0; neither shows here."""
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.retrieval")
    scores, relevance = planted(seed)
    found = per_query(
        rank_scores(scores, of_relevance(relevance)), ["mrr", "map", "hit@5", "recall@20", "ndcg@10"]
    )
    for q in range(25):
        s, r = torch.tensor(scores[q] + 1), torch.tensor(relevance[q])
        answer = {
            "mrr": functional.retrieval_reciprocal_rank(s, r),
            "map": functional.retrieval_average_precision(s, r),
            "hit@5": functional.retrieval_hit_rate(s, r, top_k=5),
            "recall@20": functional.retrieval_recall(s, r, top_k=20),
            "ndcg@10": functional.retrieval_normalized_dcg(s, r, top_k=10),
        }
        for name, value in answer.items():
            assert found[name][q] == pytest.approx(float(value), abs=1e-6), name
