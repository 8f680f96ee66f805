import numpy as np
import pytest

from alignkit.demo.artifacts import check_folder, write_tour
from alignkit.errors import OutputError
from alignkit.explorer.auditions import load_audition
from alignkit.explorer.catalogue import find_artifacts
from alignkit.formats import open_embeddings
from alignkit.storage import load_alignment, load_comparison, load_report


@pytest.fixture(scope="module")
def folder(tour, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "alignkit-demo"
    assert write_tour(tour, folder) == folder / "report.html"
    return folder


def test_what_is_written_is_what_was_measured(folder, tour):
    assert load_report(folder / "report.json").sections == tour.report().sections
    source = open_embeddings(folder / "camera-a.space")
    assert np.array_equal(source.array(), tour.world.source.array())
    assert source.space == tour.world.source.space
    held_out = open_embeddings(folder / "camera-b-held-out.space")
    assert set(held_out.items["split"].to_pylist()) == {"held out"}
    assert len(held_out) == len(tour.world.test)
    for method, alignment in tour.alignments.items():
        loaded = load_alignment(folder / f"{method}.alignment")
        assert np.array_equal(loaded.project_source(source), alignment.project_source(tour.world.source))


def test_an_existing_folder_is_replaced_only_with_force(folder, tour):
    before = (folder / "report.html").stat().st_mtime_ns
    with pytest.raises(OutputError, match="--force"):
        write_tour(tour, folder)
    assert (folder / "report.html").stat().st_mtime_ns == before
    write_tour(tour, folder, force=True)
    assert (folder / "report.html").stat().st_mtime_ns > before


def test_votes_are_not_deleted_by_force(tour, tmp_path):
    folder = tmp_path / "demo"
    write_tour(tour, folder)
    (folder / "audition" / "votes.jsonl").write_text("{}")
    with pytest.raises(OutputError, match=r"audition/votes\.jsonl, which the demo did not write"):
        write_tour(tour, folder, force=True)
    assert (folder / "audition" / "votes.jsonl").exists()


def test_force_never_deletes_what_the_demo_did_not_write(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"thesis\.txt, which the demo did not write"):
        check_folder(tmp_path, force=True)
    file = tmp_path / "thesis.txt"
    with pytest.raises(OutputError, match="did not write"):
        check_folder(file, force=True)
    (tmp_path / "empty").mkdir()
    check_folder(tmp_path / "empty", force=True)
    assert file.read_text() == "years of work"


def test_every_page_of_the_explorer_has_something_to_show(folder, tour):
    found = find_artifacts(folder)
    assert found.broken == []
    assert found.counts() | {"sweep": 1} == {
        "space": 4,
        "alignment": 4,
        "report": 1,
        "comparison": 1,
        "sweep": 1,
        "audition": 1,
        "broken": 0,
    }
    assert found.told() == "4 spaces, 4 alignments, 1 report, 1 comparison, 1 audition"
    assert load_audition(folder / "audition").variants == (
        "source",
        "mapped",
        "ceiling",
        "control",
        "shuffled",
    )
    forward = load_comparison(folder / "maps.compare.json").scores["forward"]["mrr"]
    for method, report in tour.scores.items():
        assert forward[method].value == pytest.approx(report.sections["forward"]["mrr"].value)
