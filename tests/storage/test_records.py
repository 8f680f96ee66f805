import hashlib
import json
import shutil
import subprocess

import numpy as np
import pytest

from alignkit.errors import DataError, OutputError
from alignkit.formats import open_embeddings
from alignkit.pairs import Pairs
from alignkit.reports import Report
from alignkit.spaces import Embeddings
from alignkit.storage import (
    check_record,
    gallery_digest,
    load_record,
    record_path,
    save_alignment,
    save_record,
    save_report,
)
from alignkit.storage._records import tree_digest
from alignkit.workflows import evaluate, fit


@pytest.fixture
def scored(tmp_path):
    """Return a folder with two sides, a map, a report and its record."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5)).astype(np.float32)
    np.save(tmp_path / "left.npy", X)
    np.savez(tmp_path / "right.npz", rows=X + 0.1, other=X)
    left = open_embeddings(tmp_path / "left.npy")
    right = open_embeddings(f"{tmp_path}/right.npz::rows")
    fitted = fit(left, right, pairs=Pairs.by_id(left, right), test=0.3, seed=4)
    save_alignment(fitted.alignment, tmp_path / "a.alignment")
    report = evaluate(left, right, alignment=fitted.alignment).report
    save_report(report, tmp_path / "x.report.json")
    save_record(
        report,
        record_path(tmp_path / "x.report.json"),
        inputs={
            "queries": tmp_path / "left.npy",
            "gallery": f"{tmp_path}/right.npz::rows",
            "alignment": tmp_path / "a.alignment",
        },
        outputs={"report": tmp_path / "x.report.json"},
        gallery=right,
        command=["alignkit", "eval", "left.npy", "right.npz::rows"],
    )
    return tmp_path


RECORD = "x.report.record.json"


def test_a_record_names_everything_that_the_numbers_hang_on(scored):
    record = load_record(scored / RECORD)
    facts = record["inputs"]["queries"]
    assert facts["path"] == "left.npy"
    assert facts["sha256"] == hashlib.sha256((scored / "left.npy").read_bytes()).hexdigest()
    assert {key: facts["facts"][key] for key in ("rows", "dim", "dtype")} == {
        "rows": 60,
        "dim": 5,
        "dtype": "float32",
    }
    assert record["inputs"]["gallery"]["path"] == "right.npz"
    assert record["inputs"]["alignment"]["kind"] == "folder"
    assert (record["seed"], record["protocol"]["resamples"], record["report"]) == (0, 10_000, "eval")
    assert record["command"][:2] == ["alignkit", "eval"]
    assert {"alignkit", "numpy"} <= set(record["versions"])
    assert record["gallery_sha256"] is not None
    assert check_record(scored / RECORD) == []


def nudge(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


CHANGES = {
    "a byte of an input": (lambda f: nudge(f / "left.npy"), [("queries", "changed")]),
    "an array of an archive": (lambda f: nudge(f / "right.npz"), [("gallery", "changed")]),
    "a file of a folder": (lambda f: nudge(f / "a.alignment" / "README.md"), [("alignment", "changed")]),
    "a file added to a folder": (
        lambda f: (f / "a.alignment" / "more.txt").write_text(""),
        [("alignment", "changed")],
    ),
    "a file renamed in a folder": (
        lambda f: (f / "a.alignment" / "README.md").rename(f / "a.alignment" / "readme.md"),
        [("alignment", "changed")],
    ),
    "an input removed": (lambda f: (f / "left.npy").unlink(), [("queries", "missing")]),
    "a folder that became a file": (
        lambda f: (shutil.rmtree(f / "a.alignment"), (f / "a.alignment").write_text("")),
        [("alignment", "changed")],
    ),
    "the report itself": (lambda f: nudge(f / "x.report.json"), [("report", "changed")]),
    "two of them": (
        lambda f: (nudge(f / "left.npy"), (f / "right.npz").unlink()),
        [("queries", "changed"), ("gallery", "missing")],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_check_says_which_file_changed(change, scored):
    harm, wanted = CHANGES[change]
    harm(scored)
    found = check_record(scored / RECORD)
    assert [(each.name, each.state) for each in found] == wanted
    assert all(str(each.path) in str(each) for each in found)


def test_a_folder_may_be_moved_whole(scored, tmp_path_factory):
    other = tmp_path_factory.mktemp("elsewhere") / "moved"
    shutil.copytree(scored, other)
    shutil.rmtree(scored)
    assert check_record(other / RECORD) == []


def test_the_digest_of_a_gallery_knows_its_ids_and_not_their_order():
    ids = ["é", "b", "a", "Z", "10", "9"]
    mixed = Embeddings(np.eye(6), ids=ids[::-1])
    assert gallery_digest(Embeddings(np.eye(6) * 2, ids=ids)) == gallery_digest(mixed)
    assert gallery_digest(Embeddings(np.eye(6), ids=[*ids[:-1], "8"])) != gallery_digest(mixed)
    assert gallery_digest(Embeddings(np.eye(2), ids=[1, 2])) == gallery_digest(
        Embeddings(np.eye(2), ids=["2", "1"])
    )


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_digests_are_those_of_sort_and_sha256sum(tmp_path):
    ids = ["é", "b", "a b", "Z", "10", "9"]
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "b.txt").write_text("b")
    (folder / "inner" / "a.txt").write_text("a")
    (tmp_path / "ids.txt").write_text("".join(f"{name}\n" for name in ids))

    def shell(command: str) -> str:
        return subprocess.run(
            ["/bin/sh", "-c", command], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.split()[0]

    assert gallery_digest(Embeddings(np.eye(6), ids=ids)) == shell("LC_ALL=C sort ids.txt | sha256sum")
    assert tree_digest(folder) == shell("cd folder && sha256sum b.txt inner/a.txt | sha256sum")


def test_what_cannot_be_recorded_is_refused(tmp_path, scored):
    with pytest.raises(DataError, match="does not exist, so its digest cannot be recorded"):
        save_record(Report("eval", {}), tmp_path / "y.json", inputs={"queries": tmp_path / "none.npy"})
    with pytest.raises(OutputError, match="--force"):
        save_record(Report("eval", {}), scored / RECORD, inputs={})


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"schema": "alignkit.eval/1"}, "is no record of alignkit"),
        ({"schema": "alignkit.record/9"}, "upgrade alignkit"),
        ({"seed": "four"}, "the field seed is not valid"),
        ({"inputs": {"queries": {"path": "left.npy"}}}, "the field inputs.queries.kind is not valid"),
        ({"mood": 1}, "the field mood is not valid"),
    ],
)
def test_a_damaged_record_is_one_sentence(scored, edit, words):
    whole = json.loads((scored / RECORD).read_text())
    (scored / RECORD).write_text(json.dumps(whole | edit))
    with pytest.raises(DataError, match=words) as caught:
        check_record(scored / RECORD)
    assert "\n" not in str(caught.value)


def test_reports_of_runs_and_of_gaps_are_recorded_too(tmp_path):
    for report in (
        Report("gap", {}, {"versions": {}, "seed": 7}),
        Report("eval", {}, {"queries": "left", "protocol": {"seed": 3}}),
    ):
        path = tmp_path / f"{report.kind}.record.json"
        (tmp_path / "queries").write_text("q")
        save_record(report, path, inputs={"queries": tmp_path / "queries"})
        assert load_record(path)["seed"] == {"gap": 7, "eval": 3}[report.kind]
