import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignkit.errors import DataError, UnknownNameError
from alignkit.retrieval.conventions import item_order, rank_in_order
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.matrices import score_matrix
from alignkit.retrieval.metrics import per_query
from alignkit.retrieval.protocol import Protocol
from alignkit.retrieval.scoring import score_retrieval

ALL = (
    *("mrr", "hit@3", "recall@3", "rprecision", "map@5:hits", "ndcg@5", "ndcg@5:exp"),
    *("mean_rank", "median_rank:floor", "geometric_mean_rank"),
)


def graded(seed: int, n: int = 40, g: int = 30) -> tuple[np.ndarray, Positives]:
    """Return scores on seven levels and positives with grades, at least one for every row and column."""
    rng = np.random.default_rng(seed)
    relevance = (rng.random((n, g)) < 0.15) * rng.integers(1, 4, (n, g))
    relevance[np.arange(n), np.arange(n) % g] = 1
    links = np.argwhere(relevance > 0)
    grades = relevance[relevance > 0]
    return rng.integers(0, 7, (n, g)).astype(float), Positives.from_links(links, n, g, grades=grades)


@pytest.mark.parametrize("seed", range(3))
def test_a_matrix_scores_as_the_vectors_that_it_comes_from(seed: int):
    """Small whole numbers, so that every product is exact however it is summed."""
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-3, 4, (50, 6)), rng.integers(-3, 4, (40, 6))
    positives = Positives.from_links(rng.integers(0, 40, (90, 2)), 50, 40)
    protocol = Protocol(metrics=ALL, similarity="dot", without_positive="skip")
    given = score_matrix(x @ y.T, positives, protocol)
    vectors = score_retrieval(x.astype(np.float32), y.astype(np.float32), positives, protocol)
    assert given.forward == vectors.forward
    assert given.backward == vectors.backward
    assert given.forward_table.equals(vectors.forward_table)
    assert given.backward_table.equals(vectors.backward_table)


def test_backward_is_the_transposed_matrix():
    scores, positives = graded(0)
    one = score_matrix(scores, positives, Protocol(metrics=ALL))
    other = score_matrix(scores.T, positives.transpose(), Protocol(metrics=ALL))
    assert one.forward == other.backward
    assert one.backward == other.forward


@pytest.mark.parametrize("ties", ["expected", "optimistic", "pessimistic"])
def test_a_constant_matrix_scores_at_chance_only_in_expectation(ties: str):
    _, positives = graded(1)
    result = score_matrix(np.zeros((40, 30)), positives, Protocol(metrics=ALL, ties=ties))
    for scores in (result.forward, result.backward):
        for name, score in scores.items():
            same = score.value == pytest.approx(score.chance, abs=1e-12)
            assert same == (ties == "expected"), name


@pytest.mark.parametrize("ties", ["index", "docid_desc", "docid_asc"])
def test_ties_are_broken_by_names_and_the_tables_still_show_them(ties: str):
    scores, positives = graded(2)
    rng = np.random.default_rng(0)
    ids = [[f"x{i}" for i in rng.permutation(n)] for n in scores.shape]
    plain = score_matrix(scores, positives, Protocol(metrics=ALL))
    result = score_matrix(scores, positives, Protocol(metrics=ALL, ties=ties), ids=ids)
    for table, matrix, relation, names in (
        (result.forward_table, scores, positives, ids[1]),
        (result.backward_table, scores.T, positives.transpose(), ids[0]),
    ):
        ranks = rank_in_order(matrix, relation, item_order(ties, len(names), names))
        for name, values in per_query(ranks, ALL).items():
            assert np.array_equal(table[name].to_numpy(), values), name
    for column in ("best_rank", "worst_rank", "expected_rank"):
        assert result.forward_table[column].equals(plain.forward_table[column])
    assert result.facts["forward"]["tied_queries"] == plain.facts["forward"]["tied_queries"] > 0
    assert result.facts["ties"] == ties


@pytest.mark.parametrize("ties", ["index", "docid_desc", "docid_asc"])
def test_vectors_break_ties_as_a_matrix_of_their_scores_does(ties: str):
    rng = np.random.default_rng(5)
    x, y = rng.integers(-1, 2, (60, 3)), rng.integers(-1, 2, (75, 3))  # small whole numbers: exact and tied
    positives = Positives.from_links(np.unique(rng.integers(0, 60, (130, 2)), axis=0), 60, 75)
    ids = [[str(name) for name in rng.permutation(size)] for size in (60, 75)]
    protocol = Protocol(metrics=("mrr", "hit@3", "map"), similarity="dot", ties=ties, resamples=0)
    protocol = replace(protocol, without_positive="skip")
    found = score_retrieval(x.astype(np.float32), y.astype(np.float32), positives, protocol, ids=ids)
    wanted = score_matrix(x @ y.T, positives, protocol, ids=ids)
    assert found.facts["forward"]["tied_queries"] > 30
    for side in ("forward", "backward"):
        assert getattr(found, side) == getattr(wanted, side)
        assert getattr(found, f"{side}_table").equals(getattr(wanted, f"{side}_table"))


def test_facts_say_that_scores_were_given():
    scores, positives = graded(3)
    facts = json.loads(json.dumps(score_matrix(scores.astype(np.float16), positives).facts))
    assert facts["similarity"] == "given scores"
    assert facts["dtype"] == {"scores": "float16"}
    assert (facts["n_queries"], facts["n_gallery"]) == (40, 30)


def test_a_memory_map_is_scored_as_an_array(tmp_path: Path):
    scores, positives = graded(4)
    np.save(tmp_path / "s.npy", np.asfortranarray(scores))
    mapped = np.load(tmp_path / "s.npy", mmap_mode="r")
    assert score_matrix(mapped, positives).forward == score_matrix(scores, positives).forward


def test_what_cannot_be_ranked_is_named():
    scores, positives = graded(5)
    scores[7, 3] = scores[9, 0] = np.nan
    with pytest.raises(DataError, match="row 7 of the scores holds NaN"):
        score_matrix(scores, positives)
    scores = np.eye(3)
    scores[1, 1] = np.nan  # the positive itself
    with pytest.raises(DataError, match="row 1 of the scores holds NaN"):
        score_matrix(scores, Positives.diagonal(3))
    scores[1, 1] = -np.inf
    with pytest.raises(DataError, match="query 1 scores -inf with its positive 1"):
        score_matrix(scores, Positives.diagonal(3))
    scores[1] = [-np.inf, 0, 1]
    assert score_matrix(scores, Positives.diagonal(3)).forward["mrr"].value == 2.5 / 3
    for wrong in (np.ones(4), np.ones((2, 2), complex), np.ones((2, 2), object), np.array([["a"]])):
        with pytest.raises(DataError, match="matrix of real numbers"):
            score_matrix(wrong, Positives.diagonal(2))
    with pytest.raises(DataError, match="scores are 3 x 3 but the positives are for 2"):
        score_matrix(np.eye(3), Positives.diagonal(2))
    with pytest.raises(UnknownNameError, match="mrrr"):
        score_matrix(np.eye(3), Positives.diagonal(3), Protocol(metrics=("mrrr",)))


def test_nan_is_named_in_a_matrix_larger_than_a_block():
    scores = np.zeros((5000, 1000), np.float32)  # 20 MB: the last row lies in the second block
    scores[4998, 5] = np.nan
    links = np.stack([np.arange(5000), np.arange(5000) % 1000], axis=1)
    with pytest.raises(DataError, match="row 4998 of the scores holds NaN"):
        score_matrix(scores, Positives.from_links(links, 5000, 1000))
