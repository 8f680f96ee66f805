"""The `.space` folder: what it keeps, what it refuses, and that its size costs nothing to open."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignkit.errors import DataError, SpaceMismatchError
from alignkit.formats import open_embeddings, read_header, space, write_embeddings
from alignkit.formats._npy import npy_preamble
from alignkit.spaces import Embeddings, Space


def edit(folder, **changes) -> None:
    path = folder / "space.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.fixture
def stored(tmp_path, planted):
    """Write the planted embeddings; return their folder."""
    write_embeddings(planted, tmp_path / "a.space")
    return tmp_path / "a.space"


def test_what_is_written_comes_back(stored, planted, same_rows):
    found = open_embeddings(stored)
    same_rows(found, planted)
    assert found.items.equals(planted.items)
    assert (found.space, found.modality) == (planted.space, "audio")
    assert isinstance(found.vectors, np.memmap)


def test_the_folder_holds_what_the_documentation_says(stored, planted):
    assert sorted(path.name for path in stored.iterdir()) == ["items.parquet", "space.json", "vectors.npy"]
    header = json.loads((stored / "space.json").read_text())
    assert list(header) == [
        "format", "kind", "version", "rows", "dim", "dtype", "modality", "space", "recipe",
        "files", "made_by",
    ]  # fmt: skip
    assert header["space"] == {"name": "toy/model", "dim": 7, "norm": "raw", "revision": "r1"}
    assert header["dtype"] == str(planted.vectors.dtype)
    assert pq.read_schema(stored / "items.parquet").names == ["id", "caption", "fold"]
    np.testing.assert_array_equal(np.load(stored / "vectors.npy"), planted.vectors)
    for name, facts in header["files"].items():
        content = (stored / name).read_bytes()
        assert facts == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_the_same_embeddings_give_the_same_bytes(stored, tmp_path, planted):
    write_embeddings(planted, tmp_path / "b.space")
    for path in stored.iterdir():
        assert path.read_bytes() == (tmp_path / "b.space" / path.name).read_bytes()


def test_shards_of_limited_size_are_one_matrix(tmp_path, planted, monkeypatch, same_rows):
    monkeypatch.setattr(space, "SHARD_BYTES", 10 * planted.dim * planted.vectors.dtype.itemsize)
    write_embeddings(planted, tmp_path / "a.space")
    names = sorted(path.name for path in (tmp_path / "a.space").glob("*.npy"))
    assert names == [f"vectors-{shard:05d}.npy" for shard in range(6)]
    assert len(np.load(tmp_path / "a.space" / names[-1])) == 3
    same_rows(open_embeddings(tmp_path / "a.space"), planted)
    assert space.changed_files(tmp_path / "a.space") == []


def test_the_norm_is_measured_not_believed(tmp_path):
    rows = np.random.default_rng(0).normal(size=(40, 512))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    write_embeddings(Embeddings(rows.astype(np.float16)), tmp_path / "unit.space")
    assert open_embeddings(tmp_path / "unit.space").space.norm == "unit"
    rows[7] *= 1.01
    write_embeddings(Embeddings(rows, space=Space(512, norm="unit")), tmp_path / "raw.space")
    assert open_embeddings(tmp_path / "raw.space").space.norm == "raw"


def test_half_precision_stays_half_and_row_numbers_become_ids(tmp_path):
    write_embeddings(Embeddings(np.eye(3, dtype=np.float16)), tmp_path / "a.space")
    found = open_embeddings(tmp_path / "a.space")
    assert found.vectors.dtype == np.float16
    assert found.ids.to_pylist() == [0, 1, 2]


def test_another_column_can_hold_the_ids(stored):
    by_caption = open_embeddings(stored, ids="caption")
    assert by_caption.id_at(3) == "no. 3"
    assert by_caption.items.column_names == ["id", "fold"]
    with pytest.raises(DataError, match="has no column 'file' for the ids; it has: id, caption, fold"):
        open_embeddings(stored, ids="file")


def test_the_recipe_is_kept(tmp_path, planted):
    write_embeddings(planted, tmp_path / "a.space", recipe={"pool": "mean"})
    assert json.loads((tmp_path / "a.space" / "space.json").read_text())["recipe"] == {"pool": "mean"}


def test_a_space_of_another_name_is_refused_and_an_unnamed_one_filled_in(stored):
    assert open_embeddings(stored, space=Space(7, "toy/model")).space.name == "toy/model"
    with pytest.raises(SpaceMismatchError, match=r"needs other/model .* got toy/model"):
        open_embeddings(stored, space=Space(7, "other/model"))


@pytest.mark.parametrize("name", ["vectors.npy", "items.parquet"])
def test_a_missing_or_cut_file_is_named(stored, name):
    content = (stored / name).read_bytes()
    (stored / name).write_bytes(content[:-1])
    with pytest.raises(
        DataError, match=rf"{name} has {len(content) - 1} bytes where space.json says {len(content)}"
    ):
        open_embeddings(stored)
    (stored / name).unlink()
    with pytest.raises(DataError, match=rf"{name} is missing where space.json says {len(content)} bytes"):
        open_embeddings(stored)


def test_a_changed_number_of_unchanged_size_is_found_by_its_digest(stored):
    content = bytearray((stored / "vectors.npy").read_bytes())
    content[-1] ^= 1
    (stored / "vectors.npy").write_bytes(content)
    assert len(open_embeddings(stored)) == 53  # opening does not read the numbers
    assert space.changed_files(stored) == ["vectors.npy"]


def test_a_newer_version_is_refused_with_the_mend(stored):
    edit(stored, version=2)
    with pytest.raises(DataError, match=r"written in version 2 .* reads up to 1: upgrade alignkit"):
        open_embeddings(stored)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "alignment"}, "is not the header of a .space"),
        ({"format": "else"}, "is not the header of a .space"),
        ({"version": "1"}, "names no version"),
        ({"files": None}, "lists no files"),
        ({"files": {"items.parquet": {"bytes": 3}}}, "lists no files"),
        ({"files": {"../../etc/passwd": {"bytes": 3}, "items.parquet": {}}}, "lies outside the folder"),
        ({"rows": 54}, "says 54 rows of 7 dimensions but its vectors are"),
        ({"space": {"name": "", "dim": 8, "norm": "raw", "revision": ""}}, "says 53 rows of 8 dimensions"),
        ({"space": None}, "space is None where a table is expected"),
        ({"rows": "many"}, "rows is 'many' where a whole number is expected"),
        ({"rows": float("inf")}, "rows is inf where a whole number is expected"),
        ({"modality": None}, "modality is None where a text is expected"),
        ({"version": -1}, "names no version"),
        ({"space": {"name": None, "dim": 7, "norm": "raw", "revision": ""}}, "name is None where a text"),
        ({"space": {"name": "", "dim": 7, "norm": "long", "revision": ""}}, "expected unit or raw"),
        ({"space": {"name": "", "dim": 7, "norm": "raw"}}, "there is no revision where a text"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(stored, changes, sentence):
    edit(stored, **changes)
    with pytest.raises(DataError, match=sentence):
        open_embeddings(stored)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": NaN', "\x00", "[" * 100_000])
def test_a_header_that_is_no_json_object_is_refused(stored, text):
    (stored / "space.json").write_text(text)
    with pytest.raises(DataError, match=r"space.json (cannot be read|is not the header)"):
        open_embeddings(stored)


def test_fewer_items_than_vectors_are_refused(stored):
    items = pq.read_table(stored / "items.parquet").slice(1)
    pq.write_table(items, stored / "items.parquet")
    files = json.loads((stored / "space.json").read_text())["files"]
    files["items.parquet"]["bytes"] = (stored / "items.parquet").stat().st_size
    edit(stored, files=files)
    with pytest.raises(DataError, match=r"items.parquet has 52 rows for 53 vectors"):
        open_embeddings(stored)


def test_a_folder_without_its_header_is_refused(stored):
    (stored / "space.json").unlink()
    (stored / "vectors.npy").unlink()
    with pytest.raises(DataError, match=r"holds no space.json"):
        open_embeddings(stored)


def test_metadata_called_id_is_refused_by_name(tmp_path):
    clash = Embeddings(np.eye(2), ids=["a", "b"], items=pa.table({"id": [1, 2]}), name="clash")
    with pytest.raises(DataError, match="clash has metadata called 'id' beside its ids"):
        write_embeddings(clash, tmp_path / "a.space")
    assert list(tmp_path.iterdir()) == []


PROGRAM = """
import re, time
from alignkit.formats import open_embeddings
def peak():  # the kernel's own mark: that of getrusage starts with the parent's
    return int(re.search(r"VmHWM:\\s+([0-9]+)", open("/proc/self/status").read())[1])
open_embeddings("warm.space").ids
before = peak()
start = time.perf_counter()
embeddings = open_embeddings("ten.space")
assert (len(embeddings), embeddings.dim) == (10_000_000, 512)
embeddings.vectors[9_999_999:].sum()
print(time.perf_counter() - start, peak() - before, peak())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_ten_million_rows_open_in_two_seconds_and_two_hundred_megabytes(tmp_path):
    write_embeddings(Embeddings(np.eye(2)), tmp_path / "warm.space")
    folder = tmp_path / "ten.space"
    folder.mkdir()
    rows, dim = 10_000_000, 512
    preamble = npy_preamble((rows, dim), np.dtype("<f2"))
    with (folder / "vectors.npy").open("wb") as handle:  # sparse: 10 GB that take no room
        handle.write(preamble)
        handle.truncate(len(preamble) + rows * dim * 2)
    pq.write_table(pa.table({"id": np.arange(rows)}), folder / "items.parquet", use_dictionary=False)
    files = {name: {"bytes": (folder / name).stat().st_size} for name in ("vectors.npy", "items.parquet")}
    header = json.loads((tmp_path / "warm.space" / "space.json").read_text())
    said = {"name": "", "dim": dim, "norm": "raw", "revision": ""}
    header |= {"rows": rows, "dim": dim, "space": said, "files": files}
    (folder / "space.json").write_text(json.dumps(header))

    assert read_header(folder).rows == rows
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    seconds, grown, resident = (float(number) for number in done.stdout.split())
    assert seconds < 2
    assert grown < 20_000  # kilobytes: opening itself costs next to nothing
    assert resident < 200_000  # with numpy, Arrow and the interpreter
