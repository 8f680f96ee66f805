import os
import resource
import shlex
import subprocess
import sys

import pytest

SECTIONS = {"ridge.forward", "ridge.backward", "gap.before", "gap.ridge", "audition.recognised"}
BASE_ONLY = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "faiss", "pandas", "jaxtyping"}:
            raise ImportError(f"{name} is no part of the base")

sys.meta_path.insert(0, Absent())
from alignkit.cli import main

main()
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Run the command as a newcomer does, once, where nothing that is not in the base can be imported."""
    folder = tmp_path_factory.mktemp("newcomer")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BASE_ONLY, "demo"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return folder, done, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_it_prints_the_path_five_lines_and_what_to_try_next(finished):
    folder, done, _ = finished
    assert done.returncode == 0, done.stderr
    path, summary, after = (part.splitlines() for part in done.stdout.strip().split("\n\n"))
    assert path == ["alignkit-demo/report.html"]
    assert (folder / path[0]).read_text().startswith("<!doctype html>")
    assert len(summary) == 5
    assert after[0] == "try next"
    assert len(after) == 5


def test_every_command_it_suggests_works_on_what_it_wrote(finished, alignkit, monkeypatch):
    folder, done, _ = finished
    monkeypatch.chdir(folder)
    suggested = [line.strip() for line in done.stdout.splitlines() if line.startswith("  alignkit ")]
    assert len(suggested) == 4
    for line in suggested:
        ran = alignkit(*shlex.split(line)[1:])
        assert ran.code == 0, (line, ran.err)
        assert ran.out, line


def test_it_takes_less_than_a_minute_of_processor_time(finished):
    assert 0 < finished[2] < 60  # not of the clock: other work on the machine proves nothing


def test_an_existing_folder_is_refused_before_any_work(finished, alignkit, monkeypatch):
    from alignkit.demo import tour as module

    def worked(**_):
        raise AssertionError("the tour was taken before the folder was looked at")

    monkeypatch.chdir(finished[0])
    monkeypatch.setattr(module, "run_tour", worked)
    alignkit("demo").refused("alignkit-demo", "--force")


def test_json_is_one_object_with_every_score_and_the_path(alignkit, monkeypatch, tmp_path):
    from alignkit.demo import tour as module

    monkeypatch.setattr(module, "METHODS", ("procrustes", "ridge"))
    ran = alignkit("demo", "--out", "here", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["schema"] == "alignkit.demo/1"
    assert set(ran.json) >= SECTIONS
    assert set(ran.json["ridge.forward"]["mrr"]) == {"value", "low", "high", "n", "chance", "unaligned"}
    assert (tmp_path / ran.json["report"]).is_file()
