"""What `alignkit inspect` says of one file or two, and that it reads no more than it must."""

import json

import numpy as np
import pytest

from alignkit.formats import write_embeddings
from alignkit.formats._npy import npy_preamble
from alignkit.spaces import Embeddings, Space
from alignkit.storage._records import tree_digest


@pytest.fixture
def animals(tmp_path):
    """Write four named rows as a `.space`, one of them twice; return its path."""
    rows = np.array([[3.0, 4], [0, 1], [3, 4], [0, 0]], np.float32)
    space = Space(2, "toy", revision="r1")
    write_embeddings(
        Embeddings(rows, ids=["cat", "dog", "owl", "eel"], space=space, modality="text"), tmp_path / "a.space"
    )
    return tmp_path / "a.space"


def test_the_header_is_shown_for_people(alignkit, animals):
    ran = alignkit("inspect", "a.space")
    assert ran.code == 0
    assert ran.err == ""
    for line in (
        "format      space",
        "rows        4",
        "dimensions  2",
        "dtype       float32",
        "ids         from id",
    ):
        assert line in ran.out
    assert "space       toy @ r1, raw rows" in ran.out
    assert "copies" not in ran.out


def test_a_scan_finds_lengths_zeros_and_copies(alignkit, animals):
    ran = alignkit("inspect", "a.space", "--scan")
    assert "length      raw (min 0, mean 2.75, max 5)" in ran.out
    assert "bad rows    1 zero; the first is row 3" in ran.out
    assert "copies      1 rows repeat an earlier one; first: row 2 is row 0" in ran.out
    assert "digests     as written" in ran.out
    content = bytearray((animals / "vectors.npy").read_bytes())
    content[-1] ^= 1
    (animals / "vectors.npy").write_bytes(content)
    assert (
        "digests     CHANGED since it was written: vectors.npy"
        in alignkit("inspect", "a.space", "--scan").out
    )


def test_json_is_one_object_with_the_same_facts(alignkit, animals):
    found = alignkit("inspect", "a.space", "--scan", "--json").json
    assert found["schema"] == "alignkit.inspect/1"
    assert found["pairing"] is None
    (facts,) = found["files"]
    assert (facts["rows"], facts["dim"], facts["dtype"], facts["ids"]) == (4, 2, "float32", "id")
    assert facts["space"] == {"name": "toy", "dim": 2, "norm": "raw", "revision": "r1"}
    assert facts["scan"]["zero_rows"] == 1
    assert facts["scan"]["first_repeat"] == [0, 2]
    assert facts["scan"]["changed_files"] == []


def test_two_files_say_how_many_ids_pair_up(alignkit, animals, tmp_path):
    write_embeddings(Embeddings(np.eye(3), ids=["owl", "cat", "ant"]), tmp_path / "b.parquet")
    ran = alignkit("inspect", "a.space", "b.parquet")
    assert "2 pairs by id; unmatched: 2 of 4 and 1 of 3 rows" in ran.out
    write_embeddings(Embeddings(np.eye(2), ids=["x", "y"]), tmp_path / "c.parquet")
    ran = alignkit("inspect", "a.space", "c.parquet", "--json")
    assert ran.code == 0
    assert ran.json["pairing"]["pairs"] == 0
    assert "no id is shared: a.space starts with 'cat', c.parquet with 'x'" in ran.json["pairing"]["reason"]
    np.save(tmp_path / "d.npy", np.eye(5))
    np.save(tmp_path / "e.npy", np.eye(3))
    assert "3 pairs by row number; unmatched: 2 of 5 and 0 of 3" in alignkit("inspect", "d.npy", "e.npy").out


def test_several_arrays_are_listed(alignkit, tmp_path):
    np.savez(tmp_path / "a.npz", audio=np.eye(3), text=np.eye(4))
    ran = alignkit("inspect", "a.npz")
    assert ran.code == 0
    assert "array       audio (3, 3) float64" in ran.out
    assert "choose one array with PATH::NAME" in ran.out
    assert "rows        4" in alignkit("inspect", "a.npz::text").out
    np.save(tmp_path / "two.npy", np.ones((2, 5, 3), np.float32))
    ran = alignkit("inspect", "two.npy")
    assert ran.code == 0
    assert "array       1 (5, 3) float32" in ran.out


def test_a_hundred_gigabytes_take_no_time(alignkit, tmp_path):
    rows = 100 * 2**30 // 1024
    with (tmp_path / "big.npy").open("wb") as handle:
        handle.write(npy_preamble((rows, 512), np.dtype("<f2")))
        handle.truncate(handle.tell() + rows * 1024)
    ran = alignkit("inspect", "big.npy", "--json")
    assert ran.json["files"][0]["rows"] == rows
    assert ran.json["files"][0]["bytes"] > 100 * 2**30


def test_pickles_are_described_and_not_read(alignkit, tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04cposix\nsystem\n\x8c\x0ctouch hacked\x85R.")
    ran = alignkit("inspect", "a.pkl")
    assert ran.code == 0
    assert "nothing is read without --trust-pickle" in ran.out
    alignkit("inspect", "a.pkl", "--scan").refused("a.pkl is a Python pickle", "--trust-pickle")
    alignkit("inspect", "a.pkl", "--trust-pickle").refused(
        "a.pkl calls posix.system, which rebuilds no array"
    )
    assert not (tmp_path / "hacked").exists()


def test_bad_files_get_one_sentence(alignkit, tmp_path):
    alignkit("inspect", "missing.npy").refused("missing.npy does not exist")
    (tmp_path / "empty.npy").touch()
    alignkit("inspect", "empty.npy").refused("empty.npy is empty (0 bytes)")
    np.save(tmp_path / "x.npy", np.eye(3))
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-1])
    alignkit("inspect", "x.npy").refused("x.npy is cut short", "(3, 3)", "72 bytes")


def test_nan_rows_are_counted_not_refused(alignkit, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1.0, 2], [np.nan, 1], [np.inf, 0]]))
    assert "1 NaN, 1 infinite; the first is row 1" in alignkit("inspect", "x.npy", "--scan").out


def test_a_map_says_what_it_joins_and_how(alignkit, rotated, tmp_path):
    spaces = ("--source-space", "ear", "--target-space", "eye")
    fitted = alignkit("fit", *rotated, *spaces, "--out", "a.alignment", "--set", "normalize=unit")
    assert fitted.code == 0, fitted.err
    ran = alignkit("inspect", "a.alignment")
    assert ran.code == 0, ran.err
    for words in (
        "method        procrustes",
        "source        16 dimensions, ear",
        "16 dimensions, eye",
        "unit",
    ):
        assert words in ran.out, (words, ran.out)
    facts = alignkit("inspect", "a.alignment", "--scan", "--json").json
    header = json.loads((tmp_path / "a.alignment" / "alignment.json").read_text())
    assert facts["schema"] == "alignkit.inspect_map/1"
    assert facts["arrays_sha256"] == header["arrays_sha256"]
    assert facts["normalize"] == ["unit"]
    assert [side["dim"] for side in facts["spaces"]] == [16, 16]
    assert facts["training_digest"] == header["info"]["training_digest"]
    assert facts["scan"] == {"changed_files": [], "sha256": tree_digest(tmp_path / "a.alignment")}
    content = bytearray((tmp_path / "a.alignment" / "arrays.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "a.alignment" / "arrays.safetensors").write_bytes(content)
    changed = alignkit("inspect", "a.alignment", "--scan").out
    assert "CHANGED since it was written: arrays.safetensors" in changed
    alignkit("inspect", "a.alignment", "x.npy").refused("a.alignment is a map", "inspect it alone")


def test_a_joint_map_names_all_its_spaces(alignkit, rotated):
    fitted = alignkit("fit", *rotated, rotated[0].name, "--hub", "gpa", "--out", "a.joint")
    assert fitted.code == 0, fitted.err
    facts = alignkit("inspect", "a.joint", "--json").json
    assert facts["format"] == "joint"
    assert len(facts["spaces"]) == 3
    assert "joint" in alignkit("inspect", "a.joint").out
