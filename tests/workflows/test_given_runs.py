import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.search.runs import Qrels, Run
from alignkit.tables import text
from alignkit.workflows import Protocol, evaluate_run, evaluate_scores


def run_of(scores: np.ndarray, k: int) -> Run:
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    n, g = scores.shape
    values = np.take_along_axis(scores, order, 1)
    return Run.of(
        [f"q{i}" for i in range(n)],
        [f"d{i}" for i in range(g)],
        np.repeat(np.arange(n), order.shape[1]),
        order.ravel(),
        values.ravel(),
    )


def qrels_of(grades: np.ndarray) -> Qrels:
    n, g = grades.shape
    return Qrels(
        [f"q{i}" for i in range(n)],
        [f"d{i}" for i in range(g)],
        np.argwhere(grades >= 0),
        grades.ravel().astype(np.int64),
    )


def world(seed: int, n: int = 40, g: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    grades = (rng.random((n, g)) < 0.1) * rng.integers(1, 4, (n, g))
    grades[np.arange(n), rng.integers(0, g, n)] = 2
    return rng.normal(size=(n, g)) + 0.7 * grades, grades


EXACT = (
    "mrr@10",
    "hit@1",
    "hit@10",
    "recall@5",
    "map@10",
    "map@10:R",
    "ndcg@10",
    "ndcg@10:exp",
    "rprecision",
)


@pytest.mark.parametrize("seed", range(5))
def test_a_cut_run_scores_as_the_whole_matrix(seed):
    scores, grades = world(seed)
    protocol = Protocol(metrics=EXACT, resamples=300)
    wanted = evaluate_scores(scores, grades, protocol=protocol).report.sections["forward"]
    found = evaluate_run(run_of(scores, 12), qrels_of(grades), n_gallery=30, protocol=protocol)
    for name, score in found.report.sections["forward"].items():
        assert score.value == pytest.approx(wanted[name].value, abs=1e-14), name
        assert score.chance == pytest.approx(wanted[name].chance, abs=1e-14), name
        assert (score.low is None) == (wanted[name].low is None), name
    assert list(found.report.sections) == ["forward"]


def test_without_the_size_of_the_gallery_there_is_no_chance_level():
    scores, grades = world(0)
    protocol = Protocol(metrics=EXACT, resamples=0)
    known = evaluate_run(run_of(scores, 12), qrels_of(grades), n_gallery=30, protocol=protocol).report
    bare = evaluate_run(run_of(scores, 12), qrels_of(grades), protocol=protocol).report
    for name, score in bare.sections["forward"].items():
        assert score.chance is None
        assert score.value == known.sections["forward"][name].value
    assert bare.context["gallery"] == {"rows": None}
    assert "mrr@10" in text(bare)


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("mrr", "mrr looks at the whole gallery, and the lists end at 12: take mrr@12"),
        ("ndcg", "take ndcg@12"),
        ("map", "take map@12"),
        ("recall@13", "looks at the first 13 items, and the lists end at 12: take recall@12"),
        ("mean_rank", "mean_rank needs the rank of every query's positive.*take mrr@12"),
        ("median_rank", "take mrr@12"),
    ],
)
def test_what_a_list_cannot_know_is_refused_with_the_mend(metric, words):
    scores, grades = world(0)
    with pytest.raises(ParameterError, match=words):
        evaluate_run(run_of(scores, 12), qrels_of(grades), n_gallery=30, metrics=[metric])


def test_the_same_metrics_are_known_from_lists_of_the_whole_gallery():
    scores, grades = world(1)
    names = ["mrr", "ndcg", "map", "recall@30", "mean_rank", "median_rank", "geometric_mean_rank"]
    protocol = Protocol(metrics=names, resamples=0)
    wanted = evaluate_scores(scores, grades, protocol=protocol).report.sections["forward"]
    found = evaluate_run(run_of(scores, 30), qrels_of(grades), n_gallery=30, protocol=protocol)
    for name, score in found.report.sections["forward"].items():
        assert score.value == pytest.approx(wanted[name].value, abs=1e-12), name
    with pytest.raises(ParameterError):  # nobody said that they are whole
        evaluate_run(run_of(scores, 30), qrels_of(grades), protocol=protocol)


def test_rprecision_needs_lists_as_long_as_a_query_has_positives():
    scores, grades = world(0)
    most = int((grades > 0).sum(axis=1).max())
    evaluated = evaluate_run(run_of(scores, most), qrels_of(grades), metrics=["rprecision"])
    whole = evaluate_scores(scores, grades, metrics=["rprecision"])
    assert evaluated.report.sections["forward"]["rprecision"].value == pytest.approx(
        whole.report.sections["forward"]["rprecision"].value, abs=1e-14
    )
    with pytest.raises(ParameterError, match=f"take recall@{most - 1}"):
        evaluate_run(run_of(scores, most - 1), qrels_of(grades), metrics=["rprecision"])


def warned(run, qrels, **options) -> list[str]:
    protocol = Protocol(**{"metrics": ("hit@3",), "resamples": 0, **options})
    return evaluate_run(run, qrels, protocol=protocol).report.context["protocol"]["warnings"]


def test_a_tie_that_the_cut_may_have_split_is_said_only_where_a_metric_sees_it():
    scores = np.array([[5.0, 4.0, 3.0, 3.0, 3.0], [5.0, 4.0, 3.0, 2.0, 1.0]])
    qrels = qrels_of(np.array([[0, 0, 1, 0, 0], [1, 0, 0, 0, 0]]))
    (sentence,) = warned(run_of(scores, 4), qrels)
    assert sentence.startswith("1 lists end in a tie")
    assert warned(run_of(scores, 4), qrels, metrics=("hit@2",)) == []
    assert warned(run_of(scores, 3), qrels) == []  # one item at the end: nothing shows that it ties
    assert warned(run_of(scores[1:], 4), qrels_of(np.array([[1, 0, 0, 0, 0]]))) == []


def test_a_judged_query_that_the_run_lacks_finds_nothing_and_is_said():
    scores, grades = world(2)
    run = run_of(scores[:30], 12)
    found = evaluate_run(run, qrels_of(grades), metrics=["hit@1", "mrr@10"])
    whole = evaluate_scores(scores, grades, metrics=["hit@1"]).tables["forward"]["hit@1"].to_numpy()
    score = found.report.sections["forward"]["hit@1"]
    assert score.n == 40
    assert score.value == pytest.approx(whole[:30].sum() / 40)
    assert any(
        "10 of 40 queries" in sentence and "'q30'" in sentence
        for sentence in found.report.context["protocol"]["warnings"]
    )


def test_short_lists_are_said():
    run = Run.of(
        ["q0", "q1"], ["d0", "d1", "d2"], np.array([0, 0, 0, 1]), np.array([0, 1, 2, 1]), np.arange(4.0)
    )
    qrels = Qrels(["q0", "q1"], ["d0"], np.array([[0, 0], [1, 0]]), np.array([1, 1]))
    assert any("1 of 2 lists hold fewer than 3" in sentence for sentence in warned(run, qrels))


def test_a_query_without_a_relevant_item_is_what_the_protocol_says():
    scores, grades = world(3)
    grades[7] = 0
    run, qrels = run_of(scores, 12), qrels_of(grades)
    with pytest.raises(DataError, match="query 'q7' has no relevant item"):
        evaluate_run(run, qrels)
    for policy, n in (("skip", 39), ("zero", 40)):
        protocol = Protocol(metrics=("hit@1",), without_positive=policy, resamples=0)
        assert evaluate_run(run, qrels, protocol=protocol).report.sections["forward"]["hit@1"].n == n


def test_strangers_are_refused():
    scores, grades = world(0)
    qrels = qrels_of(grades)
    strange = Qrels([f"x{i}" for i in range(40)], qrels.items, qrels.links, qrels.grades)
    with pytest.raises(DataError, match="give files of the same queries"):
        evaluate_run(run_of(scores, 12), strange)


def test_the_table_holds_ids_and_no_rank_that_nobody_knows():
    scores = np.array([[4.0, 3.0, 2.0, 1.0], [4.0, 3.0, 2.0, 1.0]])
    qrels = qrels_of(np.array([[0, 1, 0, 0], [0, 0, 0, 1]]))
    table = evaluate_run(run_of(scores, 3), qrels, metrics=["mrr@3"]).tables["forward"]
    assert table["id"].to_pylist() == ["q0", "q1"]
    assert table["expected_rank"].to_pylist() == [2.0, None]
    assert table["best_rank"].to_pylist() == [2, None]
    assert table["mrr@3"].to_pylist() == [0.5, 0.0]


def test_queries_that_share_an_item_are_one_observation():
    scores, grades = world(4, n=20)
    grades[:] = 0
    grades[np.arange(20), np.arange(20) // 5] = 1  # five captions of each of four pictures
    facts = evaluate_run(run_of(scores, 12), qrels_of(grades)).report.context["protocol"]["forward"]
    assert (facts["n"], facts["n_groups"]) == (20, 4)


@pytest.mark.parametrize("ties", ["index", "docid_desc", "docid_asc"])
def test_ties_by_an_order_of_the_items_are_those_of_the_matrix(ties):
    scores, grades = world(5)
    scores = np.round(scores)
    protocol = Protocol(metrics=("mrr", "ndcg@5", "map@5:R"), ties=ties, resamples=0)
    ids = {"query_ids": [f"q{i}" for i in range(40)], "gallery_ids": [f"d{i}" for i in range(30)]}
    wanted = evaluate_scores(scores, grades, protocol=protocol, **ids)
    found = evaluate_run(run_of(scores, 30), qrels_of(grades), n_gallery=30, protocol=protocol)
    for name in protocol.metrics:
        ours, theirs = (each.tables["forward"][name].to_numpy() for each in (found, wanted))
        np.testing.assert_allclose(ours, theirs, atol=1e-14, err_msg=name)
    for rank in ("best_rank", "worst_rank"):
        assert found.tables["forward"][rank].equals(wanted.tables["forward"][rank])
