import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_scores_both
from alignkit.retrieval.metrics import per_query
from alignkit.spaces import Embeddings
from alignkit.workflows import Protocol, evaluate, evaluate_scores

METRICS = ("mrr", "hit@1", "map@5:R", "ndcg@5", "ndcg@5:exp", "geometric_mean_rank")


def grades_of(seed: int, n: int = 30, g: int = 25) -> np.ndarray:
    rng = np.random.default_rng(seed)
    relevance = (rng.random((n, g)) < 0.1) * rng.integers(1, 4, (n, g))
    relevance[np.arange(n), np.arange(n) % g] = 2
    return relevance


@pytest.mark.parametrize("seed", range(3))
def test_graded_relevance_reaches_both_directions(seed: int):
    relevance = grades_of(seed)
    scores = np.random.default_rng(seed).integers(0, 5, relevance.shape)
    found = evaluate_scores(scores, relevance, metrics=METRICS).report
    positives = Positives.from_links(
        np.argwhere(relevance > 0), *relevance.shape, grades=relevance[relevance > 0]
    )
    for section, ranks in zip(("forward", "backward"), rank_scores_both(scores, positives), strict=True):
        for name, values in per_query(ranks, METRICS).items():
            centre = np.exp(np.log(values).mean()) if name.startswith("geometric") else values.mean()
            assert found.sections[section][name].value == pytest.approx(centre, abs=1e-12), name


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.float32, np.float64])
def test_relevance_means_the_same_in_every_number_format(dtype: type):
    relevance = grades_of(3)
    relevance = (relevance > 0).astype(dtype) if dtype is bool else relevance.astype(dtype)
    scores = np.random.default_rng(3).random(relevance.shape)
    found = evaluate_scores(scores, relevance, metrics=METRICS).report
    wanted = evaluate_scores(scores, relevance.astype(np.int64), metrics=METRICS).report
    assert found.sections == wanted.sections
    assert found.context["relevance"]["grades"]["highest"] == (1 if dtype is bool else 3)


def test_a_square_matrix_without_relevance_asks_for_its_diagonal():
    X = np.random.default_rng(0).normal(size=(60, 5))
    Y = X + np.random.default_rng(1).normal(size=X.shape)
    X, Y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (X, Y))
    given = evaluate_scores(X @ Y.T)
    vectors = evaluate(Embeddings(X), Embeddings(Y))
    assert given.report.sections == vectors.report.sections
    assert given.report.context["relevance"]["given"] == "the diagonal"
    for side in ("forward", "backward"):
        assert given.tables[side].equals(vectors.tables[side])
    assert given.report.sections == evaluate_scores(X @ Y.T, np.eye(60)).report.sections


def test_five_captions_of_one_picture_are_one_observation():
    rng = np.random.default_rng(2)
    relevance = np.repeat(np.eye(30), 5, axis=0)
    scores = (
        2 * relevance + np.repeat(rng.normal(size=(30, 30)), 5, axis=0) + 0.01 * rng.normal(size=(150, 30))
    )
    found = evaluate_scores(scores, relevance).report
    assert found.context["protocol"]["forward"]["n_groups"] == 30
    assert found.sections["forward"]["mrr"].n == 150


def test_ids_name_the_rows_of_the_tables_and_order_ties():
    scores, relevance = np.zeros((2, 3)), np.array([[1, 0, 0], [0, 0, 1]])
    ids = {"query_ids": ["q1", "q0"], "gallery_ids": ["c", "b", "a"]}
    protocol = Protocol(metrics=("mean_rank",), ties="docid_asc", without_positive="skip")
    found = evaluate_scores(scores, relevance, protocol=protocol, **ids)
    assert found.tables["forward"]["mean_rank"].to_pylist() == [3, 1]
    assert found.tables["backward"]["mean_rank"].to_pylist() == [2, None, 1]
    assert found.tables["forward"]["id"].to_pylist() == ["q1", "q0"]
    assert found.tables["backward"]["id"].to_pylist() == ["c", "b", "a"]
    with pytest.raises(DataError, match="2 gallery ids, but the scores have 3"):
        evaluate_scores(scores, relevance, gallery_ids=["a", "b"])


def test_what_is_no_relevance_is_refused_with_its_place():
    scores = np.zeros((2, 3))
    for cell in (0.5, -1.0, np.nan, np.inf, 1e300):
        relevance = np.array([[1.0, 0, 0], [0, cell, 0]])
        with pytest.raises(DataError, match=r"row 1 of the relevance holds .* in column 1: grades are whole"):
            evaluate_scores(scores, relevance)
    with pytest.raises(DataError, match=r"relevance has shape \(3, 2\) and scores have \(2, 3\)"):
        evaluate_scores(scores, np.ones((3, 2)))
    with pytest.raises(DataError, match="relevance has type <U1"):
        evaluate_scores(scores, np.array([["a"] * 3] * 2))
    with pytest.raises(DataError, match="scores are 2 x 3 and no relevance is given"):
        evaluate_scores(scores)
    with pytest.raises(DataError, match="query 0 has no positive"):
        evaluate_scores(scores, np.array([[0, 0, 0], [1, 0, 0]]))
    with pytest.raises(DataError, match="no query has a positive"):
        evaluate_scores(scores, np.zeros((2, 3)))


def test_relevance_is_read_in_blocks_and_its_rows_keep_their_numbers():
    relevance = np.zeros((3000, 1000))  # 24 MB: two blocks
    relevance[np.arange(3000), np.arange(3000) % 1000] = 1
    found = evaluate_scores(relevance + 0.5, relevance, protocol=Protocol(metrics=("hit@1",), resamples=0))
    assert found.report.sections["forward"]["hit@1"].value == 1
    relevance[2999, 5] = 0.5
    with pytest.raises(DataError, match="row 2999 of the relevance"):
        evaluate_scores(relevance, relevance)
