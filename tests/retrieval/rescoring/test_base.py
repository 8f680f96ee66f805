"""The contract that every re-scorer keeps, and what the base refuses."""

import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval._unit import Block
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_scores
from alignkit.retrieval.rescoring import RESCORERS
from alignkit.retrieval.rescoring._base import options
from alignkit.retrieval.rescoring._rescored import make_rescorer

ALL = [(name, {}) for name in RESCORERS.names()] + [("mutual_proximity", {"distribution": "empirical"})]
TRANSDUCTIVE = ["dual_softmax", "sinkhorn"]


@pytest.fixture(params=ALL, ids=lambda each: "-".join([each[0], *each[1].values()]))
def rescorer(request):
    name, chosen = request.param
    return make_rescorer(name, **chosen)


def small(worlds, seed):
    return worlds.hubs(seed, n=70, bank=150)


def test_the_methods_are_those_of_the_folder():
    assert RESCORERS.names() == [
        "csls",
        "dual_softmax",
        "inverted_softmax",
        "mutual_proximity",
        "nearest_neighbour_normalization",
        "qb_norm",
        "sinkhorn",
    ]
    assert [name for name in RESCORERS.names() if RESCORERS.get(name).transductive] == TRANSDUCTIVE


@pytest.mark.parametrize("block", [(1, 200), (60, 1), (7, 13), (59, 129), (1000, 1000)])
def test_no_score_depends_on_the_blocks(worlds, rescorer, block):
    queries, gallery, bank = worlds.hubs(0, n=60, bank=130)
    whole = rescorer.fit(bank, gallery).scores(queries)
    np.testing.assert_allclose(
        rescorer.fit(bank, gallery, block=Block(*block)).scores(queries), whole, rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("name", TRANSDUCTIVE)
@pytest.mark.parametrize("block", [(1, 60), (7, 13), (59, 59)])
def test_no_score_without_a_bank_depends_on_the_blocks(worlds, name, block):
    queries, gallery, _ = worlds.hubs(1, n=60)
    whole = make_rescorer(name).fit(None, gallery).scores(queries)
    parts = make_rescorer(name).fit(None, gallery, block=Block(*block)).scores(queries)
    np.testing.assert_allclose(parts, whole, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_a_query_is_scored_as_it_would_be_alone(worlds, rescorer, seed):
    queries, gallery, bank = small(worlds, seed)
    rescorer.fit(bank, gallery)
    assert not rescorer.uses_test_queries
    whole = rescorer.scores(queries)
    for row in (0, 33, 69):
        np.testing.assert_allclose(rescorer.scores(queries[row : row + 1]), whole[row : row + 1], rtol=1e-9)


@pytest.mark.parametrize("name", TRANSDUCTIVE)
def test_a_query_without_a_bank_is_scored_by_its_company(worlds, name):
    queries, gallery, _ = small(worlds, 2)
    rescorer = make_rescorer(name).fit(None, gallery)
    assert rescorer.uses_test_queries
    order = rescorer.scores(queries)[:35].argsort(axis=1)
    assert (rescorer.scores(queries[:35]).argsort(axis=1) != order).any()


@pytest.mark.parametrize("name", TRANSDUCTIVE)
def test_no_bank_and_the_queries_as_bank_are_the_same(worlds, name):
    queries, gallery, _ = small(worlds, 3)
    one, other = (make_rescorer(name).fit(bank, gallery) for bank in (None, queries))
    np.testing.assert_array_equal(one.scores(queries), other.scores(queries))
    assert (one.uses_test_queries, other.uses_test_queries) == (True, False)


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_bank_and_gallery_changes_no_score(worlds, rescorer, seed):
    queries, gallery, bank = small(worlds, seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(gallery))
    plain = rescorer.fit(bank, gallery).scores(queries)
    shuffled = rescorer.fit(rng.permutation(bank), gallery[order]).scores(queries)
    np.testing.assert_allclose(shuffled, plain[:, order], rtol=1e-6, atol=1e-6)


def test_lengths_of_rows_do_not_count(worlds, rescorer):
    queries, gallery, bank = small(worlds, 4)
    plain = rescorer.fit(bank, gallery).scores(queries)
    stretched = rescorer.fit(8 * bank, gallery / 4).scores(2 * queries)  # powers of two: the same rows
    np.testing.assert_array_equal(stretched, plain)


def test_copies_of_an_item_tie_to_the_last_bit_in_blocks_of_any_size(worlds, rescorer):
    queries, gallery, bank = small(worlds, 5)
    gallery[[40, 69]] = gallery[7]
    for block in (Block(), Block(16, 23), Block(16, 69)):
        scores = rescorer.fit(bank, gallery, block=block).scores(queries)
        np.testing.assert_array_equal(scores[:, 40], scores[:, 7])
        np.testing.assert_array_equal(scores[:, 69], scores[:, 7])


def test_maps_half_precision_and_arrays_left_alone(worlds, rescorer, tmp_path):
    queries, gallery, bank = (rows.astype(np.float16) for rows in small(worlds, 6))
    before = [rows.copy() for rows in (queries, gallery, bank)]
    plain = rescorer.fit(bank, gallery).scores(queries)
    for rows, old in zip((queries, gallery, bank), before, strict=True):
        np.testing.assert_array_equal(rows, old)
    np.save(tmp_path / "gallery.npy", gallery)
    mapped = np.load(tmp_path / "gallery.npy", mmap_mode="r")
    np.testing.assert_array_equal(rescorer.fit(bank, mapped).scores(queries), plain)
    wide = rescorer.fit(bank.astype(float), gallery.astype(float)).scores(queries.astype(float))
    np.testing.assert_array_equal(wide, plain)


def test_tiles_cover_the_matrix_once(worlds, rescorer):
    queries, gallery, bank = small(worlds, 7)
    rescorer.fit(bank, gallery, block=Block(32, 33))
    seen = np.zeros((70, 70), int)
    shapes = []
    for rows, columns, tile in rescorer.tiles(queries):
        seen[rows, columns] += 1
        shapes.append(tile.shape)
    assert (seen == 1).all()
    assert shapes == [(r, c) for r in (32, 32, 6) for c in (33, 33, 4)]


def test_scores_can_be_ranked(worlds, rescorer):
    queries, gallery, bank = worlds.hubs(8, n=200, bank=600)
    scores = rescorer.fit(bank, gallery).scores(queries)
    ranks = rank_scores(scores, Positives.diagonal(200))
    own = scores.diagonal()[:, None]
    np.testing.assert_array_equal(ranks.above, (scores > own).sum(axis=1))
    assert ((ranks.above == 0) & (ranks.tied == 0)).mean() > 0.5


def test_without_a_bank_only_transductive_methods_fit(worlds, rescorer):
    _, gallery, _ = small(worlds, 9)
    if rescorer.transductive:
        assert rescorer.fit(None, gallery).uses_test_queries
    else:
        with pytest.raises(ParameterError, match=f"{rescorer.name} needs a bank: .*none of them"):
            rescorer.fit(None, gallery)


def test_rows_that_cannot_be_scored_are_refused(worlds, rescorer):
    queries, gallery, bank = small(worlds, 10)
    with pytest.raises(DataError, match="the bank and the gallery have 47 and 48 dimensions"):
        rescorer.fit(bank[:, 1:], gallery)
    with pytest.raises(DataError, match="there are no queries"):
        rescorer.fit(bank, gallery).scores(queries[:0])
    with pytest.raises(DataError, match="the queries and the gallery have 3 and 48"):
        rescorer.scores(queries[:, :3])
    bank[4, 4] = np.nan
    with pytest.raises(DataError, match="row 4 of the bank"):
        rescorer.fit(bank, gallery)


@pytest.mark.parametrize(
    ("name", "chosen", "message"),
    [
        ("csls", {"neighbours": 0}, "neighbours is 0: give a whole number of at least 1"),
        ("csls", {"neighbours": 2.5}, "neighbours is 2.5: give a whole"),
        ("csls", {"neighbours": 71}, "neighbours is 71 but the gallery has 70 rows"),
        ("csls", {"neighbours": 151}, "neighbours is 151 but the bank has 150 rows"),
        ("nearest_neighbour_normalization", {"alpha": -1}, "alpha is -1: give"),
        ("nearest_neighbour_normalization", {"neighbours": 151}, "but the bank has 150 rows"),
        ("inverted_softmax", {"beta": 0}, "beta is 0: give a number above 0"),
        ("inverted_softmax", {"beta": np.nan}, "beta is nan"),
        ("qb_norm", {"beta": np.inf}, "beta is inf"),
        ("qb_norm", {"neighbours": 71}, "but the gallery has 70 rows"),
        ("dual_softmax", {"beta": 301.0}, "give at most 300"),
        ("mutual_proximity", {"distribution": "gamma"}, "choose one of gaussian, empirical"),
        ("sinkhorn", {"temperature": -0.1}, "temperature is -0.1"),
        ("sinkhorn", {"iterations": 0}, "iterations is 0"),
        ("sinkhorn", {"tolerance": 0}, "tolerance is 0"),
    ],
)
def test_options_without_sense_are_refused_at_the_fit(worlds, name, chosen, message):
    _, gallery, bank = small(worlds, 11)
    with pytest.raises(ParameterError, match=message):
        make_rescorer(name, **chosen).fit(bank, gallery)


def test_the_facts_say_what_was_learned_from_whom(worlds):
    queries, gallery, bank = small(worlds, 12)
    mixed = np.concatenate([bank, 4 * queries[10:20].astype(np.float64)])
    assert make_rescorer("qb_norm").fit(mixed, gallery).facts(queries) == {
        "method": "qb_norm",
        "options": {"beta": 20.0, "neighbours": 1},
        "bank_rows": 160,
        "uses_test_queries": False,
        "queries_in_bank": 10,
    }
    facts = make_rescorer("sinkhorn").fit(None, gallery).facts(queries)
    assert (facts["bank_rows"], facts["uses_test_queries"], facts["queries_in_bank"]) == (0, True, 70)
    assert make_rescorer("csls").fit(bank, gallery).facts(queries)["queries_in_bank"] == 0


def test_options_are_read_from_the_signature():
    assert options(RESCORERS.get("csls")) == {"neighbours": 10}
    assert options(RESCORERS.get("sinkhorn")) == {"temperature": 0.01, "iterations": 100, "tolerance": 1e-4}
