import json
import warnings
from fractions import Fraction
from math import comb, log
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignkit.errors import DataError, ParameterError, UnknownNameError
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_scores, rank_scores_both
from alignkit.retrieval.metrics import Metric, parse_metric, per_query

NAMES = [
    *("mrr", "mrr@1", "mrr@3", "mrr@50", "hit@1", "hit@2", "hit@4", "recall@1", "recall@3", "precision@2"),
    *("precision@9", "rprecision", "map", "map@1", "map@3", "map@3:min", "map@3:R", "map@50:R"),
    *("map@1:hits", "map@2:hits", "map@3:hits", "map@4:hits", "map@50:hits"),
    *("ndcg", "ndcg@2", "ndcg@5", "ndcg:exp", "ndcg@1:exp", "ndcg@3:exp", "ndcg@3:linear"),
    *("mean_rank", "median_rank", "median_rank:floor", "geometric_mean_rank"),
]
TIES = ["expected", "optimistic", "pessimistic"]


def of_relevance(relevance: np.ndarray) -> Positives:
    links, grades = np.argwhere(relevance > 0), relevance[relevance > 0]
    graded = relevance.dtype.kind in "iu" and grades.max(initial=0) > 1
    return Positives.from_links(links, *relevance.shape, grades=grades if graded else None)


def settled(scores: np.ndarray, grades: np.ndarray, ties: str) -> np.ndarray:
    """Return the order of one query's items with the best grade first among equals, or last."""
    return np.lexsort((grades if ties == "pessimistic" else -grades, -scores))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6))
def test_metrics_are_those_of_every_order_of_tied_items(brute: SimpleNamespace, items: list[tuple[int, int]]):
    scores = np.array([score for score, _ in items], float)
    grades = np.array([grade for _, grade in items])
    grades[0] = max(grades[0], 1)
    for relevance in (grades, (grades > 0).astype(int)):
        ranks = rank_scores(scores[None], of_relevance(relevance[None]))
        expected, best, worst = (per_query(ranks, NAMES, ties=ties) for ties in TIES)
        wanted = brute.expected_metrics(NAMES, scores, relevance)
        for name in NAMES:
            assert expected[name][0] == pytest.approx(wanted[name], abs=1e-12), name
            for found, ties in ((best, "optimistic"), (worst, "pessimistic")):
                ordered = relevance[settled(scores, relevance, ties)]
                assert found[name][0] == pytest.approx(brute.metric(name, ordered), abs=1e-12), name


@pytest.mark.parametrize("seed", range(5))
def test_tie_orders_bound_the_expectation_and_agree_with_the_definition(brute: SimpleNamespace, seed: int):
    rng = np.random.default_rng(seed)
    for scores in (
        rng.permutation(40 * 60).reshape(40, 60).astype(float),
        rng.integers(0, 5, (40, 60)).astype(float),
    ):
        relevance = (rng.random((40, 60)) < rng.random((40, 1)) * 0.5) * rng.integers(1, 5, (40, 60))
        relevance[:, 0] = 2
        ranks = rank_scores(scores, of_relevance(relevance))
        expected, best, worst = (per_query(ranks, NAMES, ties=t) for t in TIES)
        for found, ties in ((best, "optimistic"), (worst, "pessimistic")):
            for name in NAMES:
                wanted = [
                    brute.metric(name, r[settled(s, r, ties)]) for s, r in zip(scores, relevance, strict=True)
                ]
                np.testing.assert_allclose(found[name], wanted, atol=1e-12, err_msg=name)
        for name in NAMES:
            if name.endswith(":hits"):
                continue  # a positive more within the cut also raises what is divided by
            sign = -1 if parse_metric(name).is_rank else 1
            assert (sign * worst[name] <= sign * expected[name] + 1e-12).all()
            assert (sign * expected[name] <= sign * best[name] + 1e-12).all()


def test_average_precision_over_its_hits_can_fall_when_a_positive_rises():
    """Why that norm is a bad one to compare systems by, and has no best and worst order of ties."""
    positives = of_relevance(np.array([[1, 0, 1, 0]]))
    behind, within = np.array([[4.0, 3, 1, 2]]), np.array([[4.0, 3, 2, 1]])
    values = {
        name: [per_query(rank_scores(scores, positives), [name])[name][0] for scores in (behind, within)]
        for name in ("map@3:hits", "map@3:R")
    }
    assert values["map@3:hits"] == pytest.approx([1, 5 / 6])
    assert values["map@3:R"] == pytest.approx([1 / 2, 5 / 6])


def test_long_ties_agree_with_a_simulation(brute: SimpleNamespace):
    rng = np.random.default_rng(0)
    relevant = np.zeros(300, bool)
    relevant[:12] = True
    scores = np.r_[np.full(12, 1.0), np.full(200, 1.0), np.full(40, 2.0), np.zeros(48)]
    found = per_query(rank_scores(scores[None], of_relevance(relevant[None])), [*NAMES, "hit@60", "map@60"])
    orders = [np.lexsort((rng.random(300), -scores)) for _ in range(4000)]
    for name, value in found.items():
        drawn = np.array([brute.metric(name, relevant[order]) for order in orders])
        centre = value[0]
        if name.startswith("geometric"):
            centre, drawn = np.log(centre), np.log(drawn)
        assert abs(centre - np.mean(drawn)) < 5 * np.std(drawn) / np.sqrt(4000) + 1e-12, name


@pytest.mark.parametrize(
    ("ahead", "size", "hits", "k"), [(3, 900, 40, 500), (0, 1500, 700, 20), (60, 300, 2, 90)]
)
def test_long_ties_agree_with_binomial_coefficients(ahead: int, size: int, hits: int, k: int):
    """Whole numbers and fractions throughout: what is summed may not lose digits in the tails."""
    scores = np.r_[np.full(ahead, 2.0), np.full(size, 1.0), np.zeros(20)]
    relevance = np.r_[np.zeros(ahead, int), np.ones(hits, int), np.zeros(size - hits + 20, int)]
    name = f"map@{k}:hits"
    found = per_query(rank_scores(scores[None], of_relevance(relevance[None])), [name, "geometric_mean_rank"])
    firsts = [Fraction(comb(size - 1 - j, hits - 1), comb(size, hits)) for j in range(size - hits + 1)]
    logarithm = sum(float(chance) * log(ahead + 1 + j) for j, chance in enumerate(firsts))
    assert found["geometric_mean_rank"][0] == pytest.approx(np.exp(logarithm), rel=1e-12)
    # the i-th hit at place p of m: C(p - 1, i - 1) C(m - p, h - i) of the C(m, h) ways, precision i / rank
    within, wanted = min(k - ahead, size), Fraction(0)
    for h in range(1, min(hits, within) + 1):
        chance = Fraction(comb(within, h) * comb(size - within, hits - h), comb(size, hits))
        if chance < Fraction(1, 10**25):
            continue
        places = range(1, within + 1)
        inner = sum(
            Fraction(comb(within - 1, h - 1), comb(within, h) * (ahead + p))
            * (1 + Fraction((h - 1) * (p - 1), max(within - 1, 1)))
            for p in places
        )
        wanted += chance * inner / h
    assert found[name][0] == pytest.approx(float(wanted), rel=1e-12)


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


@pytest.mark.parametrize("ties", TIES)
def test_metrics_do_not_depend_on_the_order_of_the_gallery(ties: str):
    rng = np.random.default_rng(4)
    scores = rng.integers(0, 6, (30, 50)).astype(float)
    relevance = (rng.random((30, 50)) < 0.2) * rng.integers(1, 4, (30, 50))
    relevance[:, 3] = 1
    there = rng.permutation(50)
    one = per_query(rank_scores(scores, of_relevance(relevance)), NAMES, ties=ties)
    other = per_query(rank_scores(scores[:, there], of_relevance(relevance[:, there])), NAMES, ties=ties)
    for name in NAMES:
        assert np.array_equal(one[name], other[name]), name


@pytest.mark.parametrize("ties", TIES)
def test_grades_move_nothing_but_ndcg_and_equal_grades_not_even_that(ties: str):
    rng = np.random.default_rng(5)
    scores = rng.integers(0, 6, (30, 50)).astype(float)
    relevance = (rng.random((30, 50)) < 0.2).astype(int)
    relevance[:, 3] = 1
    plain, same, graded = (
        per_query(rank_scores(scores, of_relevance(grades)), NAMES, ties=ties)
        for grades in (relevance, 3 * relevance, relevance * rng.integers(1, 4, (30, 50)))
    )
    for name in NAMES:
        np.testing.assert_allclose(plain[name], same[name], atol=1e-14, err_msg=name)
        if not name.startswith("ndcg"):
            np.testing.assert_allclose(plain[name], graded[name], atol=1e-14, err_msg=name)
    assert not np.allclose(plain["ndcg"], graded["ndcg"], atol=1e-3)
    assert not np.allclose(graded["ndcg"], graded["ndcg:exp"], atol=1e-3)


@pytest.mark.parametrize("ties", TIES)
def test_a_hopeless_item_changes_nothing_that_does_not_count_the_gallery(ties: str):
    rng = np.random.default_rng(6)
    scores = rng.integers(0, 6, (30, 50)).astype(float)
    relevance = (rng.random((30, 50)) < 0.2) * rng.integers(1, 4, (30, 50))
    relevance[:, 3] = 1
    one = per_query(rank_scores(scores, of_relevance(relevance)), NAMES, ties=ties)
    more = np.pad(scores, ((0, 0), (0, 7)), constant_values=-1), np.pad(relevance, ((0, 0), (0, 7)))
    other = per_query(rank_scores(more[0], of_relevance(more[1])), NAMES, ties=ties)
    for name in NAMES:
        np.testing.assert_allclose(one[name], other[name], atol=1e-14, err_msg=name)


@pytest.mark.parametrize("ties", TIES)
def test_a_cut_behind_the_last_item_is_no_cut(ties: str):
    rng = np.random.default_rng(7)
    scores = rng.integers(0, 6, (30, 50)).astype(float)
    relevance = (rng.random((30, 50)) < 0.2) * rng.integers(1, 4, (30, 50))
    relevance[:, 3] = 1
    ranks = rank_scores(scores, of_relevance(relevance))
    for whole, cuts in {
        "mrr": ("mrr@50", "mrr@99"),
        "map": ("map@50", "map@50:R", "map@50:hits", "map@99", "map@99:R", "map@99:hits"),
        "ndcg": ("ndcg@50", "ndcg@99:linear"),
        "ndcg:exp": ("ndcg@50:exp", "ndcg@99:exp"),
    }.items():
        found = per_query(ranks, [whole, *cuts], ties=ties)
        for cut in cuts:
            np.testing.assert_allclose(found[cut], found[whole], atol=1e-14, err_msg=cut)


def test_precision_and_recall_meet_where_the_cut_is_the_number_of_positives():
    rng = np.random.default_rng(8)
    scores = rng.integers(0, 9, (40, 60)).astype(float)
    relevance = np.zeros((40, 60), int)
    relevance[:, :7] = 1
    found = per_query(rank_scores(scores, of_relevance(relevance)), ["rprecision", "precision@7", "recall@7"])
    np.testing.assert_allclose(found["rprecision"], found["precision@7"], atol=1e-14)
    np.testing.assert_allclose(found["rprecision"], found["recall@7"], atol=1e-14)


def test_the_geometric_mean_rank_lies_between_the_best_rank_and_the_mean():
    """One of two items, level: ranks 1 and 2, whose geometric mean is the root of 2."""
    ranks = rank_scores(np.array([[1.0, 1.0]]), of_relevance(np.array([[1, 0]])))
    assert per_query(ranks, ["geometric_mean_rank"])["geometric_mean_rank"][0] == pytest.approx(np.sqrt(2))


@pytest.mark.parametrize("ties", TIES)
def test_a_gain_that_is_no_finite_number_is_refused(ties: str):
    ranks = rank_scores(np.eye(2), of_relevance(np.array([[1, 0], [0, 1200]])))
    assert per_query(ranks, ["ndcg"], ties=ties)["ndcg"].tolist() == [1, 1]
    with pytest.raises(DataError, match=r"ndcg@3:exp: grade 1200 .* linear gain \(ndcg@3\)"):
        per_query(ranks, ["ndcg@3:exp"], ties=ties)


def test_names_say_family_cut_and_norm():
    assert parse_metric("mrr") == Metric("mrr", "mrr")
    assert parse_metric("map@10") == Metric("map@10", "map", 10, "min(k,R)")
    assert parse_metric("map@10:min").variant == "min(k,R)"
    assert parse_metric("map@10:R").variant == "R"
    assert parse_metric("map@10:hits").variant == "hits"
    assert parse_metric("ndcg@10") == Metric("ndcg@10", "ndcg", 10, "linear")
    assert parse_metric("ndcg:exp") == Metric("ndcg:exp", "ndcg", None, "exp")
    assert parse_metric("median_rank").variant == "mean"
    assert parse_metric("median_rank:floor").variant == "floor"
    assert parse_metric("geometric_mean_rank").is_rank
    assert parse_metric("median_rank").statistic == "median"
    assert parse_metric("recall@5").statistic == "mean"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        *(("hits@5", "hit@5"), ("mean_rnk", "mean_rank"), ("mmr", "mrr"), ("r-precision", "rprecision")),
        ("nDCG@5:exp", "ndcg@5:exp"),
    ],
)
def test_an_unknown_metric_meets_the_nearest_name(name: str, hint: str):
    with pytest.raises(UnknownNameError, match=f"Did you mean '{hint}'"):
        parse_metric(name)


@pytest.mark.parametrize(
    "name",
    [
        *("hit@0", "hit@-1", "hit@", "hit", "mrr@1.5", "mean_rank@3", "hit@5:R", "map@5:exp", "map:R"),
        *("ndcg@5:R", "rprecision@3", "mean_rank:floor", "median_rank:ceil", "map@5:", "precision"),
    ],
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
        "map@{k}:min": "map@{k}",
        "ndcg@{k}": "ndcg@{k}",
    },
    "torchmetrics(functional,mean)": {
        "mrr": "mrr",
        "hit@{k}": "hit_rate@{k}",
        "recall@{k}": "recall@{k}",
        "map": "map",
        "map@{k}:hits": "map@{k}",
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
    if peer.startswith("torchmetrics") and (scores[relevance > 0] <= 0).any():
        ours = per_query(rank_scores(scores, of_relevance(relevance)), ["mrr"])["mrr"].mean()
        assert content["outputs"][peer]["mrr"] < ours - 0.01  # it drops positives that score 0 or less
        return
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
        relevance = relevance * np.random.default_rng(0).integers(1, 5, relevance.shape)
        qrels = {
            f"q{q:02}": {f"d{d}": int(row[d]) for d in np.flatnonzero(row)} for q, row in enumerate(relevance)
        }
        run = {f"q{q:02}": {f"d{d}": float(s) for d, s in enumerate(row)} for q, row in enumerate(scores)}
        names = {"mrr": "mrr", "map@10:R": "map@10", "rprecision": "r-precision"}
        names |= {"ndcg@10": "ndcg@10", "ndcg@10:exp": "ndcg_burges@10", "ndcg:exp": "ndcg_burges"}
        answer = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), list(names.values()), return_mean=False)
    found = per_query(rank_scores(scores, of_relevance(relevance)), list(names))
    for ours, theirs in names.items():
        np.testing.assert_allclose(found[ours], answer[theirs], atol=1e-9, err_msg=ours)


@pytest.mark.parametrize("seed", range(3))
def test_torchmetrics_agrees_on_positive_scores_where_it_means_the_same(seed: int):
    """Its MAP@k divides by the hits within k; that it drops scores <= 0 does not show here."""
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.retrieval")
    scores, relevance = planted(seed)
    found = per_query(
        rank_scores(scores, of_relevance(relevance)),
        ["mrr", "map", "map@7:hits", "hit@5", "recall@20", "rprecision", "ndcg@10"],
    )
    for q in range(25):
        s, r = torch.tensor(scores[q] + 1), torch.tensor(relevance[q])
        answer = {
            "mrr": functional.retrieval_reciprocal_rank(s, r),
            "map": functional.retrieval_average_precision(s, r),
            "map@7:hits": functional.retrieval_average_precision(s, r, top_k=7),
            "rprecision": functional.retrieval_r_precision(s, r),
            "hit@5": functional.retrieval_hit_rate(s, r, top_k=5),
            "recall@20": functional.retrieval_recall(s, r, top_k=20),
            "ndcg@10": functional.retrieval_normalized_dcg(s, r, top_k=10),
        }
        for name, value in answer.items():
            assert found[name][q] == pytest.approx(float(value), abs=1e-6), name
