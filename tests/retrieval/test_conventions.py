import json
from pathlib import Path

import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.conventions import item_order, rank_in_order, settle
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank, rank_scores, rank_scores_both
from alignkit.retrieval.metrics import parse_metric, per_query
from alignkit.retrieval.ties import tie_groups

NAMES = ["mrr", "hit@2", "recall@3", "map@3:hits", "map@3:R", "ndcg@4", "ndcg@4:exp", "mean_rank"]


def of_relevance(relevance: np.ndarray) -> Positives:
    grades = relevance[relevance > 0]
    return Positives.from_links(np.argwhere(relevance > 0), *relevance.shape, grades=grades)


def tied_world(seed: int, n: int = 30, g: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Return scores on five levels and graded relevance, with one positive for each query at least."""
    rng = np.random.default_rng(seed)
    relevance = (rng.random((n, g)) < rng.random((n, 1)) * 0.4) * rng.integers(1, 4, (n, g))
    relevance[np.arange(n), rng.integers(0, g, n)] = 2
    return rng.integers(0, 5, (n, g)).astype(float), relevance


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ties", ["index", "docid_desc", "docid_asc"])
def test_metrics_are_those_of_the_ranking_that_the_convention_sorts(brute, ties: str, seed: int):
    scores, relevance = tied_world(seed)
    ids = [f"d{i}" for i in np.random.default_rng(seed).permutation(40)]  # d9 behind d10
    order = item_order(ties, 40, ids)
    found = per_query(rank_in_order(scores, of_relevance(relevance), order), NAMES)
    for query in range(30):
        ranking = sorted(range(40), key=lambda i: i if ties == "index" else ids[i])
        ranking = ranking[::-1] if ties == "docid_desc" else ranking
        ranking = sorted(ranking, key=lambda i: -scores[query, i])  # stable
        for name in NAMES:
            wanted = brute.metric(name, relevance[query, ranking])
            assert found[name][query] == pytest.approx(wanted, abs=1e-12), name


@pytest.mark.parametrize("seed", range(3))
def test_settled_ranks_leave_no_tie_to_any_rule(seed: int):
    scores, relevance = tied_world(seed)
    ranks = rank_in_order(scores, of_relevance(relevance), item_order("index", 40))
    assert not ranks.tied.any()
    expected, best, worst = (
        per_query(ranks, NAMES, ties=ties) for ties in ("expected", "optimistic", "pessimistic")
    )
    for name in NAMES:
        assert np.array_equal(expected[name], best[name]), name
        assert np.array_equal(expected[name], worst[name]), name


@pytest.mark.parametrize("seed", range(3))
def test_every_order_lies_between_the_bounds_and_their_mean_is_the_expectation(seed: int):
    scores, relevance = tied_world(seed, n=10, g=12)
    positives = of_relevance(relevance)
    ranks = rank_scores(scores, positives)
    bounds = [per_query(ranks, ["mrr", "ndcg@4"], ties=ties) for ties in ("pessimistic", "optimistic")]
    rng = np.random.default_rng(seed)
    drawn = [per_query(settle(ranks, scores, rng.permutation(12)), ["mrr", "ndcg@4"]) for _ in range(1500)]
    expected = per_query(ranks, ["mrr", "ndcg@4"])
    for name, centre in expected.items():
        values = np.stack([one[name] for one in drawn])
        assert (values >= bounds[0][name] - 1e-12).all()
        assert (values <= bounds[1][name] + 1e-12).all()
        error = 5 * values.std(axis=0) / np.sqrt(1500) + 1e-12
        assert (abs(values.mean(axis=0) - centre) < error).all()


def test_an_order_decides_whether_a_collapsed_space_is_perfect_or_worst():
    """Which is why no such rule is the default."""
    relevance = np.zeros((5, 50), int)
    relevance[:, 0] = 1
    scores = np.zeros((5, 50))
    for ties, mrr in (("index", 1.0), ("docid_desc", 1 / 50)):
        ranks = rank_in_order(scores, of_relevance(relevance), item_order(ties, 50))
        assert per_query(ranks, ["mrr"])["mrr"].tolist() == pytest.approx([mrr] * 5)


def test_ids_are_compared_as_text_and_row_numbers_as_text_of_one_length():
    assert item_order("docid_asc", 3, ["9", "10", "1"]).tolist() == [2, 1, 0]
    assert item_order("docid_desc", 3, ["9", "10", "1"]).tolist() == [0, 1, 2]
    assert item_order("docid_asc", 12).tolist() == item_order("index", 12).tolist() == list(range(12))
    assert item_order("docid_desc", 12).tolist() == list(range(12))[::-1]
    assert item_order("index", 3, ["c", "b", "a"]).tolist() == [0, 1, 2]


def test_scores_of_half_precision_and_whole_numbers_tie_where_they_are_equal():
    scores, relevance = tied_world(7)
    wanted = rank_in_order(scores, of_relevance(relevance), item_order("index", 40))
    for dtype in (np.float16, np.float32, np.int8, np.int64):
        found = rank_in_order(scores.astype(dtype), of_relevance(relevance), item_order("index", 40))
        assert np.array_equal(found.above, wanted.above)
        assert np.array_equal(found.score, wanted.score)


def test_ranks_of_vectors_know_no_order_and_say_so():
    ranks = rank(np.eye(3), np.eye(3), Positives.diagonal(3))
    for ties in ("index", "docid_desc", "docid_asc"):
        with pytest.raises(ParameterError, match=r"which these ranks do not know: count them with the order"):
            tie_groups(ranks, ties)


def test_orders_without_sense_are_refused():
    with pytest.raises(ParameterError, match="choose one of index, docid_desc, docid_asc"):
        item_order("expected", 3)
    with pytest.raises(ParameterError, match="2 ids, of which 2 are different, for 3 items"):
        item_order("docid_asc", 3, ["a", "b"])
    with pytest.raises(ParameterError, match="3 ids, of which 2 are different"):
        item_order("docid_asc", 3, ["a", "b", "a"])
    ranks = rank_scores(np.eye(3), Positives.diagonal(3))
    for order in ([0, 1], [0, 1, 1]):
        with pytest.raises(ParameterError, match="a place of its own"):
            settle(ranks, np.eye(3), np.array(order))
    with pytest.raises(DataError, match="scores are 4 x 3 but the ranks are of 3 queries"):
        settle(ranks, np.ones((4, 3)), np.arange(3))


# our name of each figure of a tool that breaks ties by an order, in that tool's own spelling
PEERS = {
    ("pytrec_eval(terrier)", "docid_desc"): {
        "mrr": "recip_rank",
        "hit@{k}": "success_{k}",
        "recall@{k}": "recall_{k}",
        "precision@{k}": "P_{k}",
        "map": "map",
        "map@{k}:R": "map_cut_{k}",
        "ndcg": "ndcg",
        "ndcg@{k}": "ndcg_cut_{k}",
    },
    ("sentence_transformers", "docid_asc"): {
        "mrr@{k}": "mrr@{k}",
        "hit@{k}": "accuracy@{k}",
        "recall@{k}": "recall@{k}",
        "precision@{k}": "precision@{k}",
        "map@{k}:min": "map@{k}",
    },
    ("ranx", "index"): {
        "mrr": "mrr",
        "mrr@{k}": "mrr@{k}",
        "hit@{k}": "hit_rate@{k}",
        "map@{k}:R": "map@{k}",
        "ndcg": "ndcg",
        "ndcg@{k}": "ndcg@{k}",
    },
}


def cases(oracles: Path) -> dict:
    return json.loads((oracles / "retrieval_peers.json").read_text())["cases"]


@pytest.mark.parametrize(("peer", "ties"), PEERS)
def test_with_their_order_of_ties_the_figures_of_other_tools_are_ours(oracles: Path, peer: str, ties: str):
    """All cases, with ties, grades and lonely queries; two of the tools compare in single precision."""
    compared = 0
    for case, content in cases(oracles).items():
        scores, relevance = np.array(content["scores"]), np.array(content["relevance"])
        if peer != "ranx":
            scores = scores.astype(np.float32)
        ranks = rank_in_order(scores, of_relevance(relevance), item_order(ties, scores.shape[1]))
        for ours, theirs in PEERS[peer, ties].items():
            for k in (1, 2, 3, 5):
                stored = content["outputs"][peer].get(theirs.format(k=k))
                if stored is None:
                    continue
                value = per_query(ranks, [ours.format(k=k)])[ours.format(k=k)]
                lonely = np.isnan(value)
                if peer == "sentence_transformers":  # drops queries without a positive; the others count 0
                    value = value[~lonely]
                value = np.nan_to_num(value)
                assert value.mean() == pytest.approx(stored, abs=1e-6), (case, ours, k)
                compared += 1
    assert compared > 150


def test_open_clip_and_clap_rank_by_index_in_both_directions(oracles: Path):
    compared = 0
    for content in cases(oracles).values():
        stored = content["outputs"].get("open_clip ranks0 (rows),(cols)")
        if stored is None:
            continue
        scores = np.array(content["scores"])
        clap = content["outputs"]["CLAP get_metrics"]
        for ranks, matrix, side, ranks0 in zip(
            rank_scores_both(scores, Positives.diagonal(len(scores))),
            (scores, scores.T),
            ("audio_to_text", "text_to_audio"),
            stored,
            strict=True,
        ):
            names = ["mean_rank", "median_rank:floor", "hit@1", "hit@5", "map@10:hits"]
            found = per_query(settle(ranks, matrix, item_order("index", len(scores))), names)
            assert (found["mean_rank"] - 1).tolist() == ranks0
            floor = parse_metric("median_rank:floor")
            median = float(floor.unscaled(np.median(found["median_rank:floor"])))
            assert median == clap[f"{side}_median_rank"] == np.floor(np.median(ranks0)) + 1
            assert found["mean_rank"].mean() == pytest.approx(clap[f"{side}_mean_rank"])
            assert found["hit@1"].mean() == pytest.approx(clap[f"{side}_R@1"])
            assert found["hit@5"].mean() == pytest.approx(clap[f"{side}_R@5"])
            assert found["map@10:hits"].mean() == pytest.approx(clap[f"{side}_mAP@10"])
            compared += 1
    assert compared >= 10


@pytest.mark.parametrize("seed", range(3))
def test_pytrec_eval_agrees_on_graded_ties_query_by_query(seed: int):
    pytrec_eval = pytest.importorskip("pytrec_eval")
    scores, relevance = tied_world(seed)
    ids = [f"d{i}" for i in np.random.default_rng(seed).permutation(40)]
    names = {"mrr": "recip_rank", "map@5:R": "map_cut_5", "ndcg@10": "ndcg_cut_10", "rprecision": "Rprec"}
    qrels = {f"q{q}": {ids[d]: int(row[d]) for d in np.flatnonzero(row)} for q, row in enumerate(relevance)}
    run = {f"q{q}": {ids[d]: float(s) for d, s in enumerate(row)} for q, row in enumerate(scores)}
    measures = {"recip_rank", "map_cut.5", "ndcg_cut.10", "Rprec"}
    answer = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)
    ranks = rank_in_order(scores, of_relevance(relevance), item_order("docid_desc", 40, ids))
    found = per_query(ranks, list(names))
    for ours, theirs in names.items():
        wanted = [answer[f"q{q}"][theirs] for q in range(30)]
        np.testing.assert_allclose(found[ours], wanted, atol=1e-9, err_msg=ours)
