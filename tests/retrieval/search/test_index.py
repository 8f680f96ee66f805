import builtins
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignkit.aligners._csls import csls
from alignkit.errors import AlignkitError, DataError, MissingExtraError, ParameterError
from alignkit.retrieval.search.index import build_index

KINDS = ("flat", "ivf", "hnsw")


def unit(V):
    return (V / np.linalg.norm(V, axis=1, keepdims=True)).astype(np.float32)


def clustered(seed, n=(1500, 400, 300), d=24):
    """Return a gallery, a bank and queries of one clustered world: some gallery rows lie near to everyone."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(15, d))
    return tuple(unit(centres[rng.integers(0, 15, m)] + 0.7 * rng.normal(size=(m, d)) + 0.4) for m in n)


def exact_csls(queries, gallery, bank, k):
    """Return CSLS up to the query's own mean, from whole float64 matrices."""
    near = np.sort(gallery.astype(np.float64) @ bank.T.astype(np.float64), axis=1)[:, -k:]
    return 2 * queries.astype(np.float64) @ gallery.T.astype(np.float64) - near.mean(axis=1)


def recall(found, truth):
    return np.mean(
        [len(set(a) & set(b)) / len(b) for a, b in zip(found.tolist(), truth.tolist(), strict=True)]
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_flat_index_ranks_as_exact_csls(seed):
    gallery, bank, queries = clustered(seed)
    scores = exact_csls(queries, gallery, bank, 10)
    truth = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    hits = build_index(gallery, bank).search(queries, 10)
    assert np.array_equal(hits.rows, truth)
    np.testing.assert_allclose(hits.scores, np.take_along_axis(scores, truth, 1), atol=1e-6)
    cosine = build_index(gallery, hub_correction="none").search(queries, 10)
    assert (cosine.rows[:, 0] != truth[:, 0]).mean() > 0.05, "here CSLS and cosine must disagree"


@pytest.mark.parametrize("seed", range(3))
def test_the_first_hit_is_the_match_of_the_aligners_csls_where_the_bank_is_the_queries(seed):
    gallery, bank, _ = clustered(seed)
    hits = build_index(gallery, bank).search(bank, 1)
    assert np.array_equal(hits.rows[:, 0], csls(bank, gallery).targets.indices)


@pytest.mark.parametrize("correction", ["csls", "none"])
@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_approximate_kinds_find_what_the_flat_one_finds(kind, correction):
    gallery, bank, queries = clustered(4, n=(2000, 600, 500))
    truth = build_index(gallery, bank, hub_correction=correction).search(queries)
    index = build_index(gallery, bank, kind=kind, hub_correction=correction)
    found = index.search(queries)
    assert recall(found.rows, truth.rows) >= 0.985  # .99 on the bank, less the noise of 500 other queries
    assert index.settings["recall"] >= 0.99
    assert index.settings["on"] == "bank"
    same = found.rows == truth.rows
    np.testing.assert_allclose(found.scores[same], truth.scores[same], atol=2e-6)
    lazy = build_index(gallery, bank, kind=kind, hub_correction=correction, recall=0.3)
    whole = build_index(gallery, bank, kind=kind, hub_correction=correction, recall=1.0)
    assert lazy.settings["effort"] <= index.settings["effort"] < whole.settings["effort"]
    assert recall(lazy.search(queries).rows, truth.rows) < recall(whole.search(queries).rows, truth.rows)


@pytest.mark.parametrize("kind", KINDS)
def test_two_builds_answer_alike_to_the_bit(kind):
    gallery, bank, queries = clustered(5)
    one, two = (build_index(gallery, bank, kind=kind).search(queries) for _ in range(2))
    assert np.array_equal(one.rows, two.rows)
    assert np.array_equal(one.scores, two.scores)


@pytest.mark.parametrize("seed", range(3))
def test_the_worst_hub_shrinks_and_more_partners_are_found(seed):
    rng = np.random.default_rng(seed)
    things = rng.normal(size=(900, 100)) + 1
    sources, targets = (things + 1.4 * rng.normal(size=things.shape) for _ in range(2))
    gallery = np.concatenate([targets, 1 + 0.25 * rng.normal(size=(20, 100))])  # and what lies near to all
    bank, queries = sources[300:], sources[:300]
    plain, held = (
        build_index(gallery, bank, hub_correction=name).search(queries, 10).rows for name in ("none", "csls")
    )
    assert np.bincount(held.ravel()).max() < 0.5 * np.bincount(plain.ravel()).max()
    own = np.arange(300)
    assert (held[:, 0] == own).mean() > (plain[:, 0] == own).mean() + 0.05


def test_a_bank_that_holds_the_queries_makes_them_look_better_than_they_are():
    """Each query pushes down the rivals of its own partner: a test must not see the bank."""
    own, found = np.arange(300), []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        things = unit(rng.normal(size=(900, 10)))
        sources = unit(things + 0.2 * rng.normal(size=things.shape))
        gallery = unit(things[:300] + 0.2 * rng.normal(size=(300, 10)))
        banks = sources[300:600], sources[300:], sources[:600]  # apart; as many more, apart; with the queries
        found.append(
            [
                (build_index(gallery, bank, neighbours=3).search(sources[:300], 1).rows[:, 0] == own).mean()
                for bank in banks
            ]
        )
    apart, more, leaking = np.mean(found, axis=0)
    assert leaking > apart + 0.015
    assert abs(more - apart) < 0.01  # not for the number of rows


def test_the_bank_decides_alone_and_not_the_other_queries_of_a_batch():
    gallery, bank, queries = clustered(7)
    index = build_index(gallery, bank)
    together, alone = index.search(queries), index.search(queries[41:42])
    assert np.array_equal(together.rows[41], alone.rows[0])
    assert np.array_equal(together.scores[41], alone.scores[0])


def test_a_plain_inner_product_index_of_somebody_else_gives_the_same():
    faiss = pytest.importorskip("faiss")
    gallery, bank, queries = clustered(8)
    index = build_index(gallery, bank)
    assert index.vectors.shape == (1500, 25)
    theirs = faiss.IndexFlatIP(25)
    theirs.add(index.vectors)
    scores, rows = theirs.search(np.hstack([queries, np.ones((300, 1), np.float32)]), 10)
    ours = index.search(queries, 10)
    assert np.array_equal(rows, ours.rows)
    np.testing.assert_allclose(scores, ours.scores, atol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_of_rows_do_not_matter_and_zeros_have_an_answer(kind):
    gallery, bank, queries = clustered(9, n=(200, 50, 20))
    index = build_index(gallery, bank, kind=kind, recall=1.0)
    stretched = build_index(gallery * 7, bank * 0.1, kind=kind, recall=1.0)
    assert np.array_equal(index.search(queries).rows, stretched.search(queries * 1e3).rows)
    gallery[11] = 0
    hits = build_index(gallery, bank, kind=kind).search(np.zeros((1, 24), np.float32), 200)
    assert sorted(hits.rows[0].tolist()) == list(range(200))
    assert hits.scores[0, hits.rows[0] == 11] == 0


@pytest.mark.parametrize("length", [5e-324, 1e-200, 1e200])
def test_rows_whose_squares_leave_the_range_of_floats_keep_their_direction(length):
    gallery = np.eye(4)
    gallery[2] *= length
    index = build_index(gallery, hub_correction="none")
    assert np.array_equal(index.vectors, np.eye(4))
    assert index.search(gallery[2:3], 1).rows.item() == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_gallery_of_a_few_rows_is_indexed(kind, rows):
    gallery, bank, queries = clustered(12, n=(rows, 20, 5))
    for correction in ("csls", "none"):
        index = build_index(gallery, bank, kind=kind, hub_correction=correction)
        exact = build_index(gallery, bank, hub_correction=correction).search(queries)
        assert np.array_equal(index.search(queries).rows, exact.rows)


def test_a_query_that_meets_too_few_rows_is_searched_exactly():
    pytest.importorskip("faiss")
    gallery, bank, queries = clustered(11, n=(100, 50, 40))
    index = build_index(gallery, bank, kind="ivf")
    hasty = replace(index, settings={"effort": 1}).search(queries)
    exact = build_index(gallery, bank).search(queries)
    assert (hasty.rows >= 0).all()
    short = [row for row in range(40) if np.array_equal(hasty.scores[row], exact.scores[row])]
    assert np.array_equal(hasty.rows[short], exact.rows[short])
    assert len(short) > 10


@pytest.mark.parametrize("kind", KINDS)
def test_more_hits_than_rows_are_all_rows(kind):
    gallery, bank, queries = clustered(10, n=(6, 12, 3))
    hits = build_index(gallery, bank, kind=kind).search(queries, 50)
    assert np.array_equal(np.sort(hits.rows, axis=1), np.tile(np.arange(6), (3, 1)))


@given(
    st.tuples(*(st.integers(1, 30) for _ in range(3))),
    st.integers(1, 8),
    st.integers(1, 12),
    st.sampled_from(["plain", "constant", "doubled", "zeros"]),
)
@settings(max_examples=40, deadline=None)
def test_any_shape_is_answered_or_refused(sizes, d, neighbours, world):
    rng = np.random.default_rng(0)
    gallery, bank, queries = (rng.normal(size=(n, d)) for n in sizes)
    if world == "constant":
        gallery[:] = bank[:] = 1.0
    if world == "doubled":
        gallery[len(gallery) // 2 :] = gallery[: len(gallery) - len(gallery) // 2]
    if world == "zeros":
        gallery[0] = bank[0] = 0
    try:
        hits = build_index(gallery, bank, neighbours=neighbours).search(queries, 4)
    except AlignkitError:
        assert neighbours > len(bank)
        return
    assert np.isfinite(hits.scores).all()
    assert (np.diff(hits.scores, axis=1) <= 0).all()
    assert all(len(set(rows)) == min(4, len(gallery)) for rows in hits.rows.tolist())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "tree"}, "kind is 'tree', neither flat, ivf or hnsw nor what faiss's index factory"),
        ({"hub_correction": "qb"}, "choose one of csls, none"),
        ({"neighbours": 0}, "at least one"),
        ({"neighbours": 51}, "neighbours is 51 but the bank has 50 rows"),
        ({"recall": 0.0}, "above 0"),
    ],
)
def test_senseless_options_are_refused(options, words):
    gallery, bank, _ = clustered(0, n=(60, 50, 1))
    with pytest.raises(ParameterError, match=words):
        build_index(gallery, bank, **options)


def test_what_cannot_be_indexed_or_asked_is_refused():
    gallery, bank, queries = clustered(0, n=(60, 50, 5))
    with pytest.raises(ParameterError, match="CSLS needs a bank"):
        build_index(gallery)
    with pytest.raises(DataError, match="the bank has 23 dimensions and the gallery 24"):
        build_index(gallery, bank[:, 1:])
    with pytest.raises(DataError, match="the bank has no rows"):
        build_index(gallery, bank[:0])
    index = build_index(gallery, bank)
    with pytest.raises(DataError, match="queries have 23 dimensions and the index 24"):
        index.search(queries[:, 1:])
    with pytest.raises(ParameterError, match="k is 0"):
        index.search(queries, 0)
    gallery[3, 4] = np.nan
    with pytest.raises(DataError, match="row 3 of the gallery holds NaN"):
        build_index(gallery, bank)


def test_without_faiss_flat_works_and_the_others_are_refused_with_the_mend(monkeypatch):
    imported = builtins.__import__

    def without(name, *rest):
        if name == "faiss":
            raise ImportError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    gallery, bank, queries = clustered(0, n=(60, 50, 5))
    assert build_index(gallery, bank).search(queries).rows.shape == (5, 10)
    for kind in ("ivf", "hnsw"):
        with pytest.raises(MissingExtraError, match=r"needs faiss: pip install 'alignkit\[faiss\]'"):
            build_index(gallery, bank, kind=kind)
