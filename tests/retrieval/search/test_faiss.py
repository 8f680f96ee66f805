import numpy as np
import pytest

from alignkit.errors import DataError, ParameterError
from alignkit.retrieval.search import _faiss
from alignkit.retrieval.search._building import build, parts
from alignkit.retrieval.search._flat import best
from alignkit.retrieval.search._tuning import tune
from alignkit.retrieval.search.index import build_index
from alignkit.spaces import Embeddings
from alignkit.workflows.searching import index_gallery, search

pytest.importorskip("faiss")


def rows(n, seed=0):
    V = np.random.default_rng(seed).normal(size=(n, 16)).astype(np.float32)
    return V / np.linalg.norm(V, axis=1, keepdims=True)


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_a_file_gives_back_what_was_built(kind):
    index = build(kind, rows(600))
    content = bytes(_faiss.to_bytes(index))
    again = _faiss.from_bytes(content, kind, "x")
    for one, two in zip(
        *(_faiss.search(which, rows(50, 1), rows(600), 5, 9) for which in (index, again)), strict=True
    ):
        assert np.array_equal(one, two)
    assert bytes(_faiss.to_bytes(build(kind, rows(600)))) == content, "two builds differ"
    other = "hnsw" if kind == "ivf" else "ivf"
    with pytest.raises(DataError, match=f"another index than one of kind {other}"):
        _faiss.from_bytes(content, other, "x")
    with pytest.raises(DataError, match="x is no faiss index"):
        _faiss.from_bytes(content[:100], kind, "x")


def test_too_few_rows_in_the_probed_lists_are_marked():
    index = build("ivf", rows(100))
    found, scores, left_open = _faiss.search(index, rows(30, 1), rows(100), 10, 1)
    short = (found == -1).any(axis=1)
    assert short.any()
    assert np.array_equal(left_open, short)
    assert (np.diff(scores[~short], axis=1) <= 0).all()
    assert (_faiss.search(index, rows(30, 1), rows(100), 10, _faiss.most(index))[0] >= 0).all()


@pytest.mark.parametrize(
    "factory", ["IVF16,Flat", "HNSW16", "SQ8", "IVF8,PQ4x4", "OPQ4,IVF8,PQ4x4", "PCA8,Flat"]
)
def test_whatever_the_factory_makes_reaches_the_recall_with_exact_scores(factory: str):
    gallery, queries = rows(1500), rows(40, 1)
    gallery[1000:] = gallery[:500]  # ties, of which faiss says nothing
    index = build(factory, gallery)
    effort = tune(index, gallery, queries, 0.9)["effort"]
    again = _faiss.from_bytes(bytes(_faiss.to_bytes(index)), factory, "x")
    for which in (index, again):
        found, scores, _ = _faiss.search(which, queries, gallery, 6, effort)
        exact = np.einsum("qd,qkd->qk", queries.astype(float), gallery[found].astype(float))
        assert np.array_equal(scores, exact.astype(np.float32))
        first, second = found[:, :-1], found[:, 1:]
        assert (scores[:, :-1] >= scores[:, 1:]).all()
        assert (first < second)[scores[:, :-1] == scores[:, 1:]].all()
    found, _, _ = _faiss.search(index, queries, gallery, 6, _faiss.most(index))
    assert np.array_equal(found, best(queries, gallery, 6)[0])


@pytest.mark.parametrize("factory", ["ivff", "IVF16,PQ5", "IVF5000,Flat", "PQ16"])
def test_what_the_factory_cannot_make_is_refused_with_its_reason(factory: str):
    with pytest.raises(ParameterError, match=f"kind is '{factory}', neither flat, ivf or hnsw nor"):
        build(factory, rows(100))


def test_shards_over_id_maps_return_wrong_ids_and_so_we_give_faiss_none():
    faiss = pytest.importorskip("faiss")
    gallery, ids = rows(200), np.arange(200) + 7000
    shards = faiss.IndexShards(16)  # by default it numbers the rows of its parts anew
    parts = []
    for part in (slice(100), slice(100, 200)):
        mapped = faiss.IndexIDMap(faiss.IndexFlatIP(16))
        mapped.add_with_ids(gallery[part], ids[part])
        shards.add_shard(mapped)
        parts.append(mapped)
    wrong = shards.search(gallery, 1)[1][:, 0]
    assert (wrong != ids).any()
    indexed = index_gallery(
        Embeddings(gallery, ids=[str(name) for name in ids]), kind="IVF4,Flat", hub_correction="none"
    )
    found = search(indexed, Embeddings(gallery), 1)
    assert found.table()["gallery"].to_pylist() == [str(name) for name in ids]


@pytest.mark.parametrize("factory", ["PQ4x4", "IVF8,PQ4x4", "OPQ4,PQ4x4", "PQ4x4,RFlat", "HNSW8_PQ4x4"])
def test_no_part_of_an_index_is_trained_for_a_filter_that_is_never_used(factory: str):
    faiss = pytest.importorskip("faiss")

    def trained(index):
        found = parts(faiss, index)
        return [part.do_polysemous_training for part in found if hasattr(part, "do_polysemous_training")]

    built, by_default = build(factory, rows(500)), faiss.index_factory(16, factory)
    assert (trained(built), trained(by_default)) == ([False], [True])


@pytest.mark.parametrize("kind", ["ivf", "hnsw", "SQ8", "IVF4,PQ4x4"])
def test_ties_beyond_the_candidates_go_to_the_lower_rows(kind: str):
    gallery = rows(900)
    gallery[::3] = gallery[0]  # 300 rows that tie, and the candidates are some of them
    queries = np.concatenate([gallery[:1], rows(20, 1)])
    index = build_index(gallery, kind=kind, hub_correction="none")
    found = index.search(queries, 10)
    assert found.rows[0].tolist() == list(range(0, 30, 3))
    proposed, _, left_open = _faiss.search(index.searcher, queries, index.vectors, 10, 10)
    assert left_open[0]
    assert not left_open[1:].all()
    assert len(proposed) == 21


@pytest.mark.parametrize("factory", ["IDMap,Flat", "IDMap2,IVF4,Flat", "IVF4,Flat,IDMap"])
def test_factories_that_keep_ids_are_refused_by_name(factory: str):
    with pytest.raises(ParameterError, match="alignkit keeps the ids itself; leave IDMap out"):
        build(factory, rows(100))
