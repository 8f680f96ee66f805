import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from alignkit.cli import search as module


@pytest.fixture
def index(alignkit, rotated, tmp_path):
    """Index the rotated side by a bank of the first 80 sources; write the others as queries."""
    rows = np.load(rotated[0])
    np.save(tmp_path / "bank.npy", rows[:80])
    np.save(tmp_path / "test.npy", rows[80:])
    named = ("--source-space", "clip", "--target-space", "clap")
    assert alignkit("fit", *rotated, *named, "--out", "a.alignment").code == 0
    words = ("--alignment", "a.alignment", "--bank", "bank.npy")
    assert alignkit("index", "y.npy", *words, "--out", "y.index").code == 0
    return "y.index"


def test_queries_find_their_partners(alignkit, index):
    ran = alignkit("search", index, "test.npy", "-k", "2")
    assert ran.code == 0, ran.err
    lines = [line.split("\t") for line in ran.out.splitlines()]
    assert lines[0] == ["query", "rank", "gallery", "score"]
    assert len(lines) == 81
    first = [line for line in lines[1:] if line[1] == "1"]
    assert np.mean([int(gallery) == int(query) + 80 for query, _, gallery, _ in first]) > 0.95
    assert ran.err == ""


def test_json_and_parquet_hold_the_same_hits(alignkit, index, tmp_path):
    ran = alignkit("search", index, "test.npy", "-k", "3", "--json", "--out", "hits.parquet")
    assert ran.json["schema"] == "alignkit.search/1"
    assert (ran.json["queries"], ran.json["k"], ran.json["written"]) == (40, 3, "hits.parquet")
    table = pq.read_table(tmp_path / "hits.parquet")
    assert table.num_rows == 120
    hits = [name for hit in ran.json["hits"] for name in hit["gallery"]]
    assert table["gallery"].to_pylist() == hits
    scores = [score for hit in ran.json["hits"] for score in hit["scores"]]
    np.testing.assert_allclose(table["score"].to_numpy(), scores)
    assert "written: hits.parquet (120 hits of 40 queries)" in ran.err
    alignkit("search", index, "test.npy", "--out", "hits.parquet").refused("hits.parquet exists", "--force")


def test_queries_of_the_bank_are_counted_on_stderr(alignkit, index):
    ran = alignkit("search", index, "x.npy", "--json")
    assert ran.json["in_bank"] == {"queries": 80, "by_id": 0, "by_row": 80}
    assert "warning: 80 of 120 queries stand in the bank bank.npy" in ran.err
    assert alignkit("search", index, "test.npy", "--json").json["in_bank"]["queries"] == 0


def test_a_terminal_sees_the_first_queries_only(alignkit, index, monkeypatch, capsys):
    assert alignkit("search", index, "test.npy", "-k", "2", "--out", "hits.parquet").out == ""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    from alignkit.formats import open_embeddings
    from alignkit.storage import load_index
    from alignkit.workflows import search

    module._show(search(load_index(index), open_embeddings("test.npy"), 2))
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 1 + 2 * module.FEW
    assert shown.out.splitlines()[0].split() == ["query", "rank", "gallery", "score"]
    assert "and 35 more queries" in shown.err


def test_strangers_and_nonsense_are_refused(alignkit, index, tmp_path):
    assert alignkit("convert", "test.npy", "foreign.space", "--space-name", "wav2clip").code == 0
    alignkit("search", index, "foreign.space").refused("a query of this index needs clip", "wav2clip")
    np.save(tmp_path / "wide.npy", np.ones((3, 20)))
    alignkit("search", index, "wide.npy").refused("16", "20")
    alignkit("search", index, "test.npy", "-k", "0").refused("k is 0")
    alignkit("search", "none.index", "test.npy").refused("none.index does not exist", "alignkit index")
    alignkit("search", "a.alignment", "test.npy").refused("a.alignment is no index")


def test_queries_are_composed_of_files_with_weights(alignkit, index):
    plain = alignkit("search", index, "test.npy", "-k", "3").out
    assert alignkit("search", index, "test.npy", "-k", "3", "--add", "test.npy=2").out == plain
    assert alignkit("search", index, "test.npy", "-k", "3", "--add", "test.npy", "--arc", "0.3").out == plain
    rows = np.load("y.npy")
    np.save("one.npy", rows[7:8])
    hits = alignkit("search", index, "test.npy", "-k", "1", "--add", "one.npy@gallery=50", "--json").json[
        "hits"
    ]
    assert {hit["gallery"][0] for hit in hits} == {7}
    alignkit("search", index, "test.npy", "--add", "one.npy=much").refused("the weight 'much' is no number")
    alignkit("search", index, "test.npy", "--arc", "0.5").refused("a query of 1 parts: give two parts")
    alignkit("search", index, "test.npy", "-k", "9999").refused("k is 9999 and the gallery has")


def test_what_an_approximate_index_finds_is_said_again(alignkit, rotated):
    pytest.importorskip("faiss")
    made = alignkit("index", "y.npy", "--no-csls", "--kind", "IVF4,SQ8", "--out", "some.index", "--json")
    ran = alignkit("search", "some.index", "y.npy", "-k", "1", "--json")
    settings = ran.json["settings"]
    assert settings == made.json["settings"]
    assert (settings["n"], settings["seed"], settings["on"]) == (60, 0, "gallery")
    assert settings["low"] <= 0.025 ** (1 / 60) < settings["recall"] <= settings["high"]
    said = f"recall@10 {settings['recall']:.4f} [{settings['low']:.4f}, {settings['high']:.4f}] n=60 "
    assert said in made.err
    assert said in ran.err


def test_an_index_of_another_program_is_searched_beside_its_rows(alignkit, rotated, tmp_path, monkeypatch):
    faiss = pytest.importorskip("faiss")
    monkeypatch.setenv("ALIGNKIT_STATE", str(tmp_path / "state"))
    rows = np.load("y.npy").astype(np.float32)
    index = faiss.IndexFlatL2(rows.shape[1])
    index.add(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    faiss.write_index(index, "theirs.index")
    words = ("search", "theirs.index", "y.npy", "-k", "1", "--json", "--gallery", "y.npy")
    alignkit(*words).refused("theirs.index was not written by this user's alignkit", "--trust")
    ran = alignkit(*words, "--trust")
    assert ran.code == 0, ran.err
    assert [hit["gallery"] for hit in ran.json["hits"]] == [[row] for row in range(len(rows))]
    assert "recall@10 1.0000 [" in ran.err
    alignkit("search", "theirs.index", "y.npy").refused("is no index", "pass --gallery with its rows")


def test_one_row_of_a_file_is_added_by_its_id(alignkit, index, tmp_path):
    rows = np.load("y.npy")
    np.save("one.npy", rows[7:8])
    np.savez("many.npz", other=rows[::-1], sounds=rows, ids=np.array([f"y{row}" for row in range(len(rows))]))
    words = ("search", index, "test.npy", "-k", "4", "--add")
    plain = alignkit(*words, "one.npy@gallery=0.7")
    for named in ("y.npy::7@gallery=0.7", "many.npz::sounds::y7@gallery=0.7"):
        ran = alignkit(*words, named)
        assert (ran.code, ran.out) == (0, plain.out), ran.err
    assert alignkit(*words, "y.npy::8@gallery=0.7").out != plain.out
    alignkit(*words, "y.npy::none@gallery").refused("y.npy has no row 'none' (its first is 0)")
    alignkit(*words, "none.npy::7@gallery").refused("none.npy does not exist")
    alignkit(*words, "none.npy@gallery").refused("none.npy does not exist")
