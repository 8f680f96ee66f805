import json

from alignkit.explorer.catalogue import find_artifacts, stamp_of


def test_everything_is_listed_and_what_is_broken_says_why(folder):
    found = find_artifacts(folder)
    assert found.counts() == {
        "space": 2,
        "alignment": 2,
        "report": 1,
        "comparison": 1,
        "sweep": 0,
        "audition": 1,
        "broken": 2,
    }
    faults = {entry.name: entry.fault for entry in found.broken}
    assert set(faults) == {"broken.space", "broken.report.json"}
    assert all(fault.endswith(".") and "broken" in fault for fault in faults.values())
    assert found.get("space", "pictures.space").facts["rows"] == 60
    assert found.get("space", "broken.space") is None


def test_a_hundred_artifacts_are_listed_and_more_than_the_limit_are_cut(tmp_path):
    report = json.dumps({"schema": "alignkit.eval/1", "forward": {}, "context": {}})
    for number in range(100):
        (tmp_path / f"{number:03d}.json").write_text(report)
    assert find_artifacts(tmp_path).counts()["report"] == 100
    cut = find_artifacts(tmp_path, most=7)
    assert (len(cut.entries), cut.cut) == (7, True)


def test_links_hidden_folders_and_insides_of_artifacts_are_left_alone(folder, tmp_path):
    (tmp_path / "linked.space").symlink_to(folder / "pictures.space")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "a.report.json").write_text("{}")
    (tmp_path / "x.space").mkdir()
    (tmp_path / "x.space" / "a.report.json").write_text("{}")
    assert [(entry.name, bool(entry.fault)) for entry in find_artifacts(tmp_path).entries] == [
        ("x.space", True)
    ]


def test_a_stamp_changes_when_the_artifact_does(tmp_path):
    file = tmp_path / "a.json"
    file.write_text("{}")
    before = stamp_of("report", file)
    file.write_text("{} ")
    assert before != stamp_of("report", file)
    assert stamp_of("space", tmp_path / "gone.space") == "missing"
