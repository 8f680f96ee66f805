import json
from pathlib import Path

import numpy as np
import pytest

from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_scores
from alignkit.retrieval.metrics import per_query
from alignkit.retrieval.ties import all_tied, tie_groups


def of_relevance(relevance: np.ndarray) -> Positives:
    return Positives.from_links(np.argwhere(relevance > 0), *relevance.shape)


def test_groups_say_who_stands_ahead_and_who_shares_the_score():
    scores = np.array([[5.0, 4, 4, 4, 3, 3], [1, 1, 1, 1, 1, 1]])
    relevance = np.array([[1, 1, 1, 0, 0, 1], [0, 0, 0, 0, 0, 0]])
    groups = tie_groups(rank_scores(scores, of_relevance(relevance)))
    assert groups.query.tolist() == [0, 0, 0]
    assert groups.ahead.tolist() == [0, 1, 4]
    assert groups.won.tolist() == [0, 1, 3]
    assert groups.size.tolist() == [1, 3, 2]
    assert groups.hits.tolist() == [1, 2, 1]
    assert groups.positives.tolist() == [4, 0]


def test_optimism_and_pessimism_leave_groups_of_positives_only():
    rng = np.random.default_rng(0)
    ranks = rank_scores(rng.integers(0, 4, (20, 30)).astype(float), of_relevance(rng.random((20, 30)) < 0.3))
    expected, best, worst = (tie_groups(ranks, ties) for ties in ("expected", "optimistic", "pessimistic"))
    assert (expected.size > expected.hits).any()
    assert np.array_equal(best.size, best.hits)
    assert np.array_equal(worst.size, worst.hits)
    assert np.array_equal(best.ahead, expected.ahead)
    assert np.array_equal(worst.ahead - best.ahead, expected.size - expected.hits)


def test_a_collapsed_space_is_one_group_a_query():
    relevance = np.random.default_rng(1).random((9, 12)) < 0.4
    positives = of_relevance(relevance)
    found, wanted = (
        tie_groups(rank_scores(np.zeros((9, 12)), positives)),
        all_tied(positives.counts, positives.candidates),
    )
    for name in ("query", "ahead", "won", "size", "hits", "positives"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name


@pytest.mark.parametrize("ties", ["optimistic", "expected", "pessimistic"])
def test_closed_forms_agree_with_the_oracle_on_every_case(oracles: Path, ties: str):
    cases = json.loads((oracles / "retrieval_peers.json").read_text())["cases"]
    assert len(cases) >= 9
    for case, content in cases.items():
        ranks = rank_scores(np.array(content["scores"]), of_relevance(np.array(content["relevance"])))
        for name, value in content["outputs"]["reference(closed form)"][ties].items():
            metric = name.partition("(")[0]
            found = np.nanmean(per_query(ranks, [metric], ties=ties)[metric])
            assert found == pytest.approx(value, abs=1e-12), (case, name)
