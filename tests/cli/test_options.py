"""How pairs files, groups and options of methods reach the library from the command line."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignkit.formats import write_embeddings
from alignkit.spaces import Embeddings

SPARSE = ("--metrics", "mrr", "--without-positive", "skip", "--json")


@pytest.fixture
def store(tmp_path, rotated):
    """Return a function that writes the 120 rotated rows, and the rows they came from, under given ids."""

    def write(ids, **metadata) -> tuple[str, str]:
        for name, path in zip("xy", rotated, strict=True):
            items = pa.table(metadata[name]) if name in metadata else None
            rows = Embeddings(np.load(path)[: len(ids)], ids=ids, items=items)
            write_embeddings(rows, tmp_path / f"{name}.parquet", force=True)
        return "x.parquet", "y.parquet"

    return write


@pytest.mark.parametrize("line", ["{0},{0}", '"{0}","{0}"', "{0},{0}\r"])
def test_ids_with_leading_zeros_are_texts(alignkit, store, tmp_path, line):
    sides = store([f"{row:03d}" for row in range(120)])
    lines = ["source,target", *(line.format(f"{row:03d}") for row in range(120))]
    (tmp_path / "pairs.csv").write_text("\n".join(lines), newline="")
    ran = alignkit("eval", *sides, "--pairs", "pairs.csv", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["context"]["join"]["pairs"] == 120


def test_007_is_not_7(alignkit, store, tmp_path):
    sides = store(["7", "007", "1.0", "1e5", "true", *(f"k{row}" for row in range(115))])
    (tmp_path / "pairs.csv").write_text("source,target\n007,007\n007,7\n1.0,1.0\n1e5,1e5\n")
    alignkit("eval", *sides, "--pairs", "pairs.csv", "--per-query", "q", *SPARSE)
    table = pq.read_table(tmp_path / "q" / "forward.parquet")
    asked = table.filter(pa.compute.greater(table["n_positives"], 0))
    assert dict(zip(asked["id"].to_pylist(), asked["n_positives"].to_pylist(), strict=True)) == {
        "007": 2,
        "1.0": 1,
        "1e5": 1,
    }


def test_numbers_beyond_the_signed_range_stay_exact(alignkit, store, tmp_path):
    ids = pa.array([2**63 + row for row in range(120)], pa.uint64())
    sides = store(ids)
    assert alignkit("eval", *sides, "--json").json["context"]["join"]["pairs"] == 120
    (tmp_path / "pairs.csv").write_text("\n".join(["source,target", *(f"{i},{i}" for i in ids.to_pylist())]))
    ran = alignkit("eval", *sides, "--pairs", "pairs.csv", "--json")
    assert ran.json["context"]["join"]["pairs"] == 120
    np.save(tmp_path / "rows.npy", np.ones((3, 16)))
    alignkit("eval", sides[0], "rows.npy").refused("no id is shared", "9223372036854775808")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"source,target\nd\xe9j\xe0,1\n1,1\n", ("UTF8",)),
        (b"sourc\xe9,target\n1,1\n", ("utf-8",)),
        (b"\x93NUMPY\x01\x00v\x00{'descr'\n\n\n", ("pairs.csv",)),
        (b"source,target,source\n1,1,2\n2,2,3\n", ("2 columns called 'source'",)),
        (b"source,target\n1,1\n2,999\n", ("row 1", "no id '999'")),
        (b"source,target\n1,1\n,2\n", ("row 1", "no id ''")),
        (b"source;target\n1;1\n", ("no column 'source'",)),
        (b"3,4\n1,1\n", ("no column 'source'",)),
        (b"0,0\n1,1\n", ("2 columns called '0'", "first line")),
        (b"source,target\n1,1\n1,1\n2,2\n", ("row 0 stands there 2 times",)),
        (b"source,target,weight\n1,1,0\n2,2,1\n", ("weight 0.0 must be a positive",)),
        (b"", ("pairs.csv",)),
    ],
)
def test_a_bad_table_of_pairs_gets_one_sentence(alignkit, rotated, tmp_path, content, words):
    (tmp_path / "pairs.csv").write_bytes(content)
    for command in ("fit", "eval", "gap"):
        alignkit(command, *rotated, "--pairs", "pairs.csv").refused("pairs.csv", *words)


@pytest.mark.parametrize(
    "column",
    [
        {"source": pa.array([[1], [2]])},
        {"source": pa.array([1.5, 2.5])},
        {"group": pa.array([[1], [2]])},
        {"weight": pa.array([[1], [2]])},
    ],
)
def test_a_column_of_pairs_that_holds_no_such_thing_is_named(alignkit, rotated, tmp_path, column):
    pq.write_table(pa.table({"source": [1, 2], "target": [1, 2]} | column), tmp_path / "pairs.parquet")
    alignkit("eval", *rotated, "--pairs", "pairs.parquet").refused("pairs.parquet", next(iter(column)))


def test_a_folder_is_no_table_of_pairs(alignkit, rotated, tmp_path):
    (tmp_path / "pairs").mkdir()
    alignkit("fit", *rotated, "--pairs", "pairs").refused("pairs is no file")


def held_out(alignkit, sides, *options, seed=0) -> set:
    """Return the ids of the held-out rows, found by evaluating with per-query tables of the same split."""
    from alignkit import open_embeddings
    from alignkit.cli import _options

    source, target = (open_embeddings(side) for side in sides)
    links = _options.link(source, target, None, *options)
    test = links.split(0.3, seed)[1]
    return set(source.ids.take(pa.array(test.links[:, 0])).to_pylist())


def test_a_group_may_stand_on_either_side_or_on_both(alignkit, store):
    ids = list(range(120))
    fours, pairs = [row // 4 for row in ids], [(row + 2) // 4 for row in ids]
    sides = store(ids, y={"video": fours})
    chosen = held_out(alignkit, sides, "video")
    assert all((row in chosen) == (row // 4 * 4 in chosen) for row in ids)
    sides = store(ids, x={"video": [0] * 60 + pairs[60:]}, y={"video": fours})
    chosen = held_out(alignkit, sides, "video")
    assert len({row in chosen for row in range(60)}) == 1, "the source says that these belong together"
    ran = alignkit("fit", *sides, "--group", "speaker")
    ran.refused("neither side", "'speaker'", "x.parquet has video", "y.parquet has video")


def test_rows_without_a_group_are_not_one_large_group(alignkit, rotated, tmp_path):
    lines = ["source,target,group", *(f"{row},{row},{row // 3 if row < 30 else ''}" for row in range(120))]
    (tmp_path / "pairs.csv").write_text("\n".join(lines))
    ran = alignkit("fit", *rotated, "--pairs", "pairs.csv", "--test", 0.5, "--json")
    assert ran.json["context"]["split"]["held_out"] == 60, "90 rows in one piece could not be halved"


def test_only_unequal_files_without_ids_or_pairs_are_warned_about(alignkit, rotated, tmp_path):
    np.save(tmp_path / "long.npy", np.vstack([np.load(rotated[1]), np.ones((1, 16))]))
    (tmp_path / "pairs.csv").write_text("source,target\n1,1\n2,2\n3,3\n")
    assert "row counts differ" in alignkit("eval", rotated[0], "long.npy", *SPARSE).err
    assert "row counts" not in alignkit("eval", rotated[0], "long.npy", "--pairs", "pairs.csv", *SPARSE).err
    assert "row counts" not in alignkit("eval", *rotated, "--pairs", "pairs.csv", *SPARSE).err


def test_ids_that_met_row_numbers_are_warned_about(alignkit, store, rotated):
    sides = store(list(range(120))[::-1])
    assert (
        "y.npy has no ids; its row numbers were taken" in alignkit("eval", sides[0], rotated[1], "--json").err
    )
    assert "warning" not in alignkit("eval", *sides, "--json").err


def test_the_word_none_is_a_choice_of_normalisation(alignkit, rotated, tmp_path):
    for form in (("--set", "normalize=none"), ("--normalize", "none")):
        assert alignkit("fit", *rotated, *form, "--out", "n.alignment", "--force").code == 0
        header = json.loads((tmp_path / "n.alignment" / "alignment.json").read_text())
        assert header["params"]["normalize"] == "none"
    assert alignkit("fit", *rotated, "--method", "cca", "--set", "n_components=None").code == 0
    alignkit("fit", *rotated, "--set", "normalize=unit", "--normalize", "none").refused(
        "normalize is set twice"
    )


def test_a_seed_is_no_negative_number(alignkit, rotated):
    for command in ("fit", "eval", "gap"):
        ran = alignkit(command, *rotated, "--seed", -1)
        assert (ran.code, ran.out) == (2, "")
        assert "--seed" in ran.err
