import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignkit.aligners.procrustes import Procrustes
from alignkit.alignment import Alignment
from alignkit.errors import DataError, OutputError
from alignkit.spaces import Embeddings, Space
from alignkit.storage import load_index, save_hits, save_index
from alignkit.testing import planted_rotation
from alignkit.workflows import index_gallery, search

X, Y, _ = planted_rotation(n=260, d=12, noise=0.3)
MAP = Alignment("procrustes", Procrustes().fit(X[:100], Y[:100]), Space(12, "a"), Space(12, "b"))
GALLERY = Embeddings(
    Y, ids=[f"y{row}" for row in range(260)], space=Space(12, "b"), items=pa.table({"n": range(260)})
)
BANK = Embeddings(X[:100], ids=[f"x{row}" for row in range(100)])
QUERIES = Embeddings(X[90:], ids=[f"x{row}" for row in range(90, 260)])


@pytest.fixture
def folder(tmp_path):
    save_index(index_gallery(GALLERY, bank=BANK, alignment=MAP), tmp_path / "x.index")
    return tmp_path / "x.index"


def edit(folder, **fields):
    header = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(header | fields))


def flip(path):
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("correction", ["csls", "none"])
@pytest.mark.parametrize("kind", ["flat", "ivf", "hnsw"])
@pytest.mark.parametrize("alignment", [None, MAP])
def test_what_is_read_answers_bit_for_bit_as_what_was_written(tmp_path, kind, correction, alignment):
    gallery = GALLERY if alignment else Embeddings(Y, ids=GALLERY.ids, items=GALLERY.items)
    whole = index_gallery(gallery, bank=BANK, alignment=alignment, kind=kind, hub_correction=correction)
    save_index(whole, tmp_path / "x.index")
    again = load_index(tmp_path / "x.index")
    one, two = (search(each, QUERIES, 7) for each in (whole, again))
    assert one.table().equals(two.table())
    assert one.overlap == two.overlap
    assert one.overlap.either == 10
    assert (again.items.to_pydict(), again.space, again.query_space) == (
        whole.items.to_pydict(),
        whole.space,
        whole.query_space,
    )
    assert again.index.settings == whole.index.settings
    assert (again.bank.name, again.bank.digest) == (whole.bank.name, whole.bank.digest)


def test_an_index_stands_alone_and_its_vectors_serve_any_inner_product(folder, tmp_path):
    shutil.move(folder, tmp_path / "elsewhere")
    again = load_index(tmp_path / "elsewhere")
    vectors = np.load(tmp_path / "elsewhere" / "vectors.npy")
    x = MAP.project_source(X[200:])
    asked = np.hstack([x / np.linalg.norm(x, axis=1, keepdims=True), np.ones((60, 1))])
    assert np.array_equal((asked @ vectors.T).argmax(axis=1), again.index.search(x, 1).rows[:, 0])


def test_two_writings_of_one_index_are_equal_to_the_byte(folder, tmp_path):
    save_index(index_gallery(GALLERY, bank=BANK, alignment=MAP), tmp_path / "y.index")
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        assert (tmp_path / "y.index" / file.relative_to(folder)).read_bytes() == file.read_bytes()


def test_nothing_is_overwritten_without_force(folder):
    before = (folder / "index.json").read_bytes()
    other = index_gallery(Embeddings(Y), hub_correction="none")
    with pytest.raises(OutputError, match="--force"):
        save_index(other, folder)
    assert (folder / "index.json").read_bytes() == before


def test_force_replaces_an_index_by_one_with_as_many_parts(folder):
    save_index(index_gallery(GALLERY, bank=BANK, alignment=MAP, neighbours=3), folder, force=True)
    assert load_index(folder).index.neighbours == 3


DAMAGE = {
    "vectors": (lambda f: flip(f / "vectors.npy"), "vectors.npy is not the file that index.json describes"),
    "bank": (lambda f: flip(f / "bank.parquet"), "bank.parquet is not the file"),
    "map": (lambda f: flip(f / "alignment" / "arrays.safetensors"), "arrays.safetensors is not the file"),
    "missing items": (lambda f: (f / "items.parquet").unlink(), "items.parquet is missing"),
    "missing map": (lambda f: shutil.rmtree(f / "alignment"), "is missing"),
    "missing header": (lambda f: (f / "index.json").unlink(), "is no index"),
    "missing folder": (shutil.rmtree, "does not exist"),
    "newer format": (lambda f: edit(f, version=99), "upgrade alignkit"),
    "not JSON": (lambda f: (f / "index.json").write_text("{"), "is no JSON"),
    "another kind": (lambda f: edit(f, kind="space"), "the field kind is not valid"),
    "added field": (lambda f: edit(f, speed=3), "the field speed is not valid"),
    "other rows": (lambda f: edit(f, rows=7), "says 7 rows of 13 columns"),
    "other correction": (lambda f: edit(f, hub_correction="none"), "says 260 rows of 12 columns"),
    "other kind of search": (lambda f: edit(f, searcher="ivf"), "settings is not that of a ivf index"),
    "unlisted file": (lambda f: edit(f, files={}), "lists no alignment/alignment.json"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_one_sentence(folder, damage):
    harm, words = DAMAGE[damage]
    harm(folder)
    with pytest.raises(DataError, match=words) as caught:
        load_index(folder)
    assert "\n" not in str(caught.value)


def test_a_searcher_of_another_index_is_refused(folder, tmp_path):
    pytest.importorskip("faiss")
    small = Embeddings(Y[:90])
    for name, gallery in (("big", Embeddings(Y)), ("small", small)):
        save_index(index_gallery(gallery, bank=Embeddings(X), kind="hnsw"), tmp_path / name)
    shutil.copy(tmp_path / "small" / "faiss.index", tmp_path / "big" / "faiss.index")
    with pytest.raises(DataError, match="digest differs"):
        load_index(tmp_path / "big")
    files = [json.loads((tmp_path / name / "index.json").read_text())["files"] for name in ("big", "small")]
    edit(tmp_path / "big", files=files[0] | {"faiss.index": files[1]["faiss.index"]})
    with pytest.raises(DataError, match=r"holds 90 rows of 14 columns where index\.json says 260"):
        load_index(tmp_path / "big")
    plain = index_gallery(Embeddings(Y), kind="hnsw", hub_correction="none")
    save_index(plain, tmp_path / "plain")
    shutil.copy(tmp_path / "plain" / "faiss.index", tmp_path / "big" / "faiss.index")
    digest = json.loads((tmp_path / "plain" / "index.json").read_text())["files"]["faiss.index"]
    edit(tmp_path / "big", files=files[0] | {"faiss.index": digest})
    with pytest.raises(DataError, match=r"260 rows of 12 columns where index\.json says 260 rows of 14"):
        load_index(tmp_path / "big")


def test_an_index_of_the_first_version_has_a_recall_without_interval(tmp_path):
    pytest.importorskip("faiss")
    save_index(index_gallery(GALLERY, bank=BANK, kind="hnsw"), tmp_path / "x.index")
    edit(tmp_path / "x.index", version=1, settings={"effort": 7, "recall": 0.99, "on": "bank"})
    assert load_index(tmp_path / "x.index").index.settings == {"effort": 7, "recall": 0.99, "on": "bank"}


def test_hits_are_one_parquet_file(folder, tmp_path):
    table = search(load_index(folder), QUERIES, 2).table()
    save_hits(table, tmp_path / "hits.parquet")
    assert pq.read_table(tmp_path / "hits.parquet").equals(table)
    with pytest.raises(OutputError, match="--force"):
        save_hits(table, tmp_path / "hits.parquet")


def test_a_faiss_file_of_somebody_else_is_read_only_if_trusted(tmp_path, monkeypatch):
    pytest.importorskip("faiss")
    save_index(index_gallery(GALLERY, bank=BANK, kind="IVF4,SQ8"), tmp_path / "x.index")
    mine = search(load_index(tmp_path / "x.index"), Embeddings(X[90:]), 2).table()
    monkeypatch.setenv("ALIGNKIT_STATE", str(tmp_path / "another-user"))
    with pytest.raises(DataError, match="was not written by this user's alignkit"):
        load_index(tmp_path / "x.index")
    again = load_index(tmp_path / "x.index", trust=True)
    assert again.index.kind == "IVF4,SQ8"
    assert search(again, Embeddings(X[90:]), 2).table().equals(mine)
    (tmp_path / "x.index" / "faiss.index").write_bytes(b"more")
    with pytest.raises(DataError, match=r"faiss\.index is no faiss index"):
        load_index(tmp_path / "x.index", trust=True)
