import numpy as np
import pytest

from alignkit import Embeddings, Pairs, evaluate, load_alignment, open_embeddings
from alignkit.errors import DataError
from alignkit.explorer.standings import hub_counts, neighbours, standings


@pytest.fixture(scope="module")
def world(folder):
    pairs = Pairs.by_id(*(open_embeddings(folder / name) for name in ("pictures.space", "sounds.space")))
    return pairs, load_alignment(folder / "procrustes.alignment")


def test_ranks_are_those_of_the_evaluation_and_of_a_single_query(world):
    pairs, fitted = world
    found = standings(pairs, fitted)
    table = evaluate(pairs.source, pairs.target, pairs=pairs, alignment=fitted).tables["forward"]
    np.testing.assert_array_equal(found.ranks[table["query"]], table["expected_rank"])
    assert found.ranks.max() > 1  # a perfect map would test nothing
    partner = dict(pairs.links.tolist())
    for row in range(0, 60, 7):
        one = neighbours(pairs.source.take(np.array([row])), pairs.target, np.array([partner[row]]), fitted)
        assert one.best[0] == one.worst[0] == found.ranks[row]
        assert (partner[row] in one.rows[:1]) == (found.ranks[row] == 1)
        if found.ranks[row] == 1:
            assert one.cosines[0] == pytest.approx(found.cosines[row])


def test_backward_asks_from_the_target(world):
    pairs, fitted = world
    table = evaluate(pairs.source, pairs.target, pairs=pairs, alignment=fitted).tables["backward"]
    ranks = dict(zip(table["query"].to_pylist(), table["expected_rank"].to_pylist(), strict=True))
    source, target = pairs.links[11]
    one = neighbours(
        pairs.target.take(np.array([target])), pairs.source, np.array([source]), fitted, backward=True
    )
    assert one.best[0] == ranks[target]


def test_equal_scores_give_an_interval_of_ranks():
    found = neighbours(np.array([1.0, 0]), Embeddings(np.array([[2.0, 0], [1, 0], [0, 1]])), np.array([1]))
    assert (found.best.tolist(), found.worst.tolist()) == ([1], [2])


def test_hubs_are_counted_and_too_much_is_refused(world, monkeypatch):
    pairs, fitted = world
    assert hub_counts(pairs, fitted).occurrences.sum() == 60 * 10
    monkeypatch.setattr("alignkit.explorer.standings.MOST_SCORES", 100)
    with pytest.raises(DataError, match="too long on a page"):
        standings(pairs, fitted)
    with pytest.raises(DataError, match="choose an alignment"):
        neighbours(np.ones(5), pairs.target, np.array([0]))
