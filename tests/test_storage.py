import json
import resource
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_array_equal

from alignkit.aligners import METHODS
from alignkit.alignment import Alignment
from alignkit.errors import AlignkitError, DataError, OutputError, ParameterError, UnknownNameError
from alignkit.pairs import Pairs
from alignkit.reports import Report, Score
from alignkit.spaces import Embeddings, Space
from alignkit.storage import (
    load_alignment,
    load_report,
    load_tables,
    save_alignment,
    save_report,
    save_tables,
)
from alignkit.testing import planted_rotation, quick_aligner
from alignkit.workflows import Protocol, evaluate

REPORT = Report(
    "fit", {"forward": {"mrr": Score(0.5, 0.4, 0.6, 10, 0.1)}}, {"frame": "joint", "split": {"seed": 0}}
)


def alignment(name="procrustes", **params):
    X, Y, _ = planted_rotation(noise=0.1)
    info = {"seed": 0, "training_pairs": 200, "report": REPORT.to_json()}
    fitted = quick_aligner(METHODS.get(name), **params).fit(X, Y)
    return Alignment(name, fitted, Space(12, "a", revision="r1"), Space(12, "b", "unit"), info)


@pytest.fixture
def folder(tmp_path):
    save_alignment(alignment(), tmp_path / "a.alignment")
    return tmp_path / "a.alignment"


def edit(folder, **fields):
    header = json.loads((folder / "alignment.json").read_text())
    (folder / "alignment.json").write_text(json.dumps(header | fields))


@pytest.mark.parametrize("name", METHODS.names())
def test_what_is_read_maps_bit_for_bit_as_what_was_written(name, tmp_path):
    X, Y, _ = planted_rotation()
    whole = alignment(name)
    save_alignment(whole, tmp_path / "a.alignment")
    again = load_alignment(tmp_path / "a.alignment")
    assert_array_equal(again.aligner.transform(X), whole.aligner.transform(X))
    assert_array_equal(again.project_source(X), whole.project_source(X))
    assert_array_equal(again.project_target(Y), whole.project_target(Y))
    assert (again.method, again.source, again.target, again.info) == (
        name,
        whole.source,
        whole.target,
        whole.info,
    )
    assert again.aligner.get_params() == whole.aligner.get_params()


def test_chains_and_ways_back_are_kept(tmp_path):
    X, _, _ = planted_rotation()
    whole = alignment().then(alignment().inverse())
    save_alignment(whole, tmp_path / "a.alignment")
    again = load_alignment(tmp_path / "a.alignment")
    assert again.method == "procrustes+inverse(procrustes)"
    assert_array_equal(again.aligner.transform(X), whole.aligner.transform(X))


def test_two_writings_of_one_map_are_equal_to_the_byte(folder, tmp_path):
    save_alignment(alignment(), tmp_path / "b.alignment")
    for file in ("alignment.json", "arrays.safetensors"):
        assert (folder / file).read_bytes() == (tmp_path / "b.alignment" / file).read_bytes()


def test_the_card_shows_scores_with_interval_chance_and_protocol(folder):
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: alignkit")
    for words in ("**a @ r1 (12 dimensions)**", "[0.4000, 0.6000]", "0.1000", "joint frame", "200"):
        assert words in card
    assert "\\n" not in card


def test_nothing_is_overwritten_without_force(folder):
    before = (folder / "alignment.json").read_bytes()
    with pytest.raises(OutputError, match="--force"):
        save_alignment(alignment("ridge", alpha=1.0), folder)
    assert (folder / "alignment.json").read_bytes() == before
    save_alignment(alignment("ridge", alpha=1.0), folder, force=True)
    assert load_alignment(folder).method == "ridge"


def test_what_json_cannot_hold_is_refused_and_nothing_is_left(tmp_path):
    whole = alignment()
    whole.info["array"] = np.ones(3)
    with pytest.raises(ParameterError, match="info cannot be written as JSON"):
        save_alignment(whole, tmp_path / "a.alignment")
    assert list(tmp_path.iterdir()) == []


def flip_a_byte(folder):
    path = folder / "arrays.safetensors"
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "corrupted arrays": (flip_a_byte, "its digest differs"),
    "missing arrays": (lambda f: (f / "arrays.safetensors").unlink(), "is missing"),
    "missing header": (lambda f: (f / "alignment.json").unlink(), "is no alignment"),
    "missing folder": (shutil.rmtree, "does not exist"),
    "newer format": (lambda f: edit(f, version=99), "upgrade alignkit"),
    "not JSON": (lambda f: (f / "alignment.json").write_text("{"), "is no JSON"),
    "no object": (lambda f: (f / "alignment.json").write_text("[1]"), "holds no JSON object"),
    "another kind": (lambda f: edit(f, kind="space"), "the field kind is not valid"),
    "edited dimension": (
        lambda f: edit(f, source={"dim": "12", "name": "a", "norm": "raw", "revision": ""}),
        "source.dim",
    ),
    "added field": (lambda f: edit(f, speed=3), "the field speed is not valid"),
    "edited parameter": (
        lambda f: edit(f, params={"normalize": "none", "scale": False, "rotation_only": False}),
        "the field params is not what the arrays were fitted with",
    ),
    "edited method": (lambda f: edit(f, method="identity"), "the field method is not what"),
    "other dimension": (
        lambda f: edit(f, source={"dim": 5, "name": "a", "norm": "raw", "revision": ""}),
        "12 dimensions to 12, but it is said to join",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_one_sentence(folder, damage):
    harm, words = DAMAGE[damage]
    harm(folder)
    with pytest.raises(DataError, match=words) as caught:
        load_alignment(folder)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_method_of_another_installation_is_unknown(tmp_path, monkeypatch):
    whole = alignment()
    monkeypatch.setattr("alignkit.aligners._recipe._name_of", lambda _: "wormhole")
    save_alignment(whole, tmp_path / "a.alignment")
    with pytest.raises(UnknownNameError, match="no method named 'wormhole'"):
        load_alignment(tmp_path / "a.alignment")


def test_reports_come_back_equal(tmp_path):
    save_report(REPORT, tmp_path / "x.report.json")
    assert load_report(tmp_path / "x.report.json") == REPORT


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        ({}, "names no schema"),
        ({"schema": "alignkit.eval/9"}, "upgrade alignkit"),
        ({"schema": "alignkit.eval/1", "forward": 3}, "forward is no table of scores"),
        ({"schema": "alignkit.eval/1", "forward": {"mrr": {"value": "x"}}}, "the field forward.mrr.value"),
        ({"schema": "alignkit.eval/1", "context": 3}, "context is no table"),
    ],
)
def test_what_is_no_report_is_refused_by_its_field(tmp_path, whole, words):
    (tmp_path / "x.json").write_text(json.dumps(whole))
    with pytest.raises(AlignkitError, match=words):
        load_report(tmp_path / "x.json")


def test_tables_are_a_folder_of_parquet(tmp_path):
    table = pa.table({"query": [0, 1], "rank": [1, 5]})
    save_tables({"forward": table, "backward": table}, tmp_path / "ranks")
    assert sorted(p.name for p in (tmp_path / "ranks").iterdir()) == ["backward.parquet", "forward.parquet"]
    assert pq.read_table(tmp_path / "ranks" / "forward.parquet").equals(table)


def test_a_file_that_may_not_grow_leaves_the_old_alignment(tmp_path):
    save_alignment(alignment(), tmp_path / "a.alignment")
    before = (tmp_path / "a.alignment" / "arrays.safetensors").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"File too large\. What stood there before is untouched"):
            save_alignment(alignment("ridge"), tmp_path / "a.alignment", force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "a.alignment" / "arrays.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.alignment"]


def test_per_query_tables_come_back_with_ids_types_and_gaps(tmp_path):
    rows = Embeddings(np.eye(4), ids=["a", "b", "c", "d"])
    some = Pairs(rows, rows, np.array([[0, 0], [1, 1], [2, 0]]))
    protocol = Protocol(metrics=("mrr", "hit@1"), without_positive="skip", resamples=0)
    tables = evaluate(rows, rows, pairs=some, protocol=protocol).tables
    save_tables(tables, tmp_path / "per-query")
    again = load_tables(tmp_path / "per-query")
    assert set(again) == {"forward", "backward"}
    assert all(again[name].equals(tables[name]) for name in tables)
    assert again["forward"]["id"].to_pylist() == ["a", "b", "c", "d"]
    assert again["forward"]["best_rank"].to_pylist()[3] is None


def test_what_is_no_folder_of_tables_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match="is no folder: give a folder that"):
        load_tables(tmp_path / "none")
    with pytest.raises(DataError, match="holds no parquet file"):
        load_tables(tmp_path)
    (tmp_path / "forward.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="is no whole parquet file"):
        load_tables(tmp_path)
