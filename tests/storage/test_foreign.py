import json
import shutil

import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.retrieval.search import _faiss
from alignkit.retrieval.search._building import build
from alignkit.retrieval.search.index import build_index
from alignkit.spaces import Embeddings
from alignkit.storage import load_foreign_index, load_index, save_index
from alignkit.workflows import index_gallery, search

faiss = pytest.importorskip("faiss")
ROWS = np.random.default_rng(0).normal(size=(400, 16)).astype(np.float32)
UNIT = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
GALLERY = Embeddings(ROWS, ids=[f"y{row}" for row in range(400)], name="rows.npy")
QUERIES = Embeddings(ROWS[:30] + 0.3)


@pytest.fixture(autouse=True)
def nobody_has_written_any(tmp_path, monkeypatch):
    monkeypatch.setenv("ALIGNKIT_STATE", str(tmp_path / "state"))


@pytest.fixture
def written(tmp_path):
    """Return what writes a faiss index of the rows."""

    def write(factory, rows=UNIT, metric=faiss.METRIC_INNER_PRODUCT):
        index = faiss.index_factory(rows.shape[1], factory, metric)
        index.train(rows)
        index.add(rows)
        faiss.write_index(index, str(tmp_path / "theirs.index"))
        return tmp_path / "theirs.index"

    return write


@pytest.mark.parametrize("metric", [faiss.METRIC_INNER_PRODUCT, faiss.METRIC_L2])
@pytest.mark.parametrize("factory", ["Flat", "IVF8,SQ8", "HNSW8"])
def test_an_index_of_another_program_proposes_and_the_rows_decide(written, factory, metric):
    indexed = load_foreign_index(written(factory, metric=metric), GALLERY, trust=True, recall=1.0)
    exact = build_index(ROWS, hub_correction="none").search(QUERIES.vectors, 5)
    found = search(indexed, QUERIES, 5)
    assert (found.rows == exact.rows).mean() > 0.98
    same = found.rows == exact.rows
    assert np.array_equal(found.scores[same], exact.scores[same])
    assert found.table()["gallery"][0].as_py().startswith("y")
    assert indexed.index.settings["on"] == "gallery"


def test_an_index_of_other_rows_is_known_by_its_recall(written):
    indexed = load_foreign_index(written("IVF8,Flat", UNIT[::-1].copy()), GALLERY, trust=True)
    settings = indexed.index.settings
    assert settings["recall"] < settings["high"] < 0.9


def test_a_folder_that_alignkit_did_not_write_holds_one_index(written, tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    with pytest.raises(DataError, match="holds 0 files called"):
        load_foreign_index(folder, GALLERY, trust=True)
    shutil.copy(written("Flat"), folder / "image.index")
    assert len(load_foreign_index(folder, GALLERY, trust=True)) == 400
    shutil.copy(folder / "image.index", folder / "text.faiss")
    with pytest.raises(DataError, match=r"holds 2 files .* name the faiss file itself"):
        load_foreign_index(folder, GALLERY, trust=True)
    with pytest.raises(DataError, match="does not exist"):
        load_foreign_index(tmp_path / "none", GALLERY, trust=True)


def test_what_is_not_trusted_or_does_not_fit_is_one_sentence(written, tmp_path):
    path = written("Flat")
    with pytest.raises(DataError, match="pass --trust if you know where it comes from"):
        load_foreign_index(path, GALLERY)
    with pytest.raises(DataError, match=r"holds 400 rows of 16 columns, and small\.npy 90 of 16"):
        load_foreign_index(path, Embeddings(ROWS[:90], name="small.npy"), trust=True)
    (tmp_path / "text").write_text("nothing")
    with pytest.raises(DataError, match="is no faiss index: name the file that faiss wrote"):
        load_foreign_index(tmp_path / "text", GALLERY, trust=True)


def test_ids_of_its_own_are_refused_where_they_are_seen(tmp_path):
    mapped = faiss.IndexIDMap(faiss.IndexFlatIP(16))
    lists = faiss.index_factory(16, "IVF4,Flat", faiss.METRIC_INNER_PRODUCT)
    lists.train(UNIT)
    for index, words in ((mapped, "ids of its own .IDMap."), (lists, "proposes row 1[0-9]+ of 400")):
        index.add_with_ids(UNIT, np.arange(400) + 1000)
        faiss.write_index(index, str(tmp_path / "x"))
        with pytest.raises(DataError, match=words):
            load_foreign_index(tmp_path / "x", GALLERY, trust=True)


def test_a_digest_that_differs_is_a_matter_of_trust(tmp_path):
    path = tmp_path / "x.index"
    save_index(index_gallery(GALLERY, kind="IVF4,SQ8", hub_correction="none"), path)
    mine = search(load_index(path), QUERIES, 3).rows
    other = faiss.index_factory(16, "IVF60,Flat", faiss.METRIC_INNER_PRODUCT)
    other.train(UNIT)
    other.add(UNIT)
    faiss.write_index(other, str(path / "faiss.index"))
    with pytest.raises(DataError, match=r"its digest differs.*--trust if it was changed on purpose"):
        load_index(path)
    again = load_index(path, trust=True)
    assert again.index.searcher.nlist == 60
    assert (search(again, QUERIES, 3).rows == mine).mean() > 0.97
    settings = json.loads((path / "index.json").read_text())["settings"]
    assert again.index.settings["recall"] > 0.97, "measured again"
    assert again.index.settings["effort"] > settings["effort"]


@pytest.mark.skipif(
    not hasattr(faiss, "set_deserialization_vector_byte_limit"), reason="this faiss has no limit to set"
)
def test_a_forged_length_is_refused_before_it_takes_the_memory():
    index = faiss.IndexFlatIP(16)
    index.add(UNIT)
    content = bytearray(_faiss.to_bytes(index))
    length = (UNIT.size).to_bytes(8, "little")  # of the rows, in numbers of four bytes
    assert content.count(length) == 1
    before = faiss.get_deserialization_vector_byte_limit()
    assert _faiss.from_bytes(bytes(content), _faiss.FOREIGN, "x").ntotal == 400
    where = content.index(length)
    content[where : where + 8] = (1 << 34).to_bytes(8, "little")  # 64 GB
    with pytest.raises(DataError, match="x is no faiss index"):
        _faiss.from_bytes(bytes(content), _faiss.FOREIGN, "x")
    assert faiss.get_deserialization_vector_byte_limit() == before


@pytest.mark.parametrize("factory", ["IVF4,PQ4x8", "PQ2x8", "OPQ4,IVF8,PQ4x4"])
def test_tables_that_a_small_file_grows_into_are_read(factory):
    index = build(factory, UNIT)
    index.reset()  # tables, and not one row
    assert _faiss.from_bytes(bytes(_faiss.to_bytes(index)), factory, "x").d == 16
