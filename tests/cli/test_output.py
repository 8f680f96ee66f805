"""What happens where nobody reads on: pipes that close, full disks, terminals of few letters."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from alignkit.cli import _output
from alignkit.cli._output import Ticker, progress_line
from alignkit.errors import OutputError

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")


def run(*words: str, cwd: Path, shell: str = "", **environment: str) -> subprocess.CompletedProcess:
    """Run the command in a shell of its own, with ``shell`` behind it."""
    return subprocess.run(
        ["bash", "-c", f'set -o pipefail; "$0" -m alignkit "$@" {shell}', sys.executable, *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@FULL
def test_a_full_disk_behind_stdout_is_one_sentence(tmp_path):
    done = run("methods", cwd=tmp_path, shell="> /dev/full")
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "error: the result could not be written to standard output: No space left on device."
    )


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    done = run("methods", "--json", cwd=tmp_path, shell="| true")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_stdout_is_one_sentence(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match="standard output is closed"):
        _output.emit("a result")


@FULL
def test_notes_that_nobody_can_read_stop_no_work(tmp_path, monkeypatch):
    done = run("inspect", "no.npy", cwd=tmp_path, shell="2> /dev/full")
    assert (done.returncode, done.stdout) == (2, "")
    monkeypatch.setattr(sys, "stderr", None)
    assert _output.note("a note") is None


def test_a_terminal_of_few_letters_still_shows_names(tmp_path):
    done = run("methods", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Sch\\xf6nemann" in done.stdout
    done = run("methods", "--json", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert "Schönemann" in json.loads(done.stdout)["methods"]["procrustes"]


def test_a_name_of_strange_bytes_is_shown_and_stored(alignkit, tmp_path):
    name = os.fsdecode(b"d\xe9j\n.npy")
    with (tmp_path / name).open("wb") as handle:
        np.save(handle, np.random.default_rng(0).normal(size=(20, 4)))
    ran = alignkit("fit", name, name, "--out", "a.alignment", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["context"]["queries"]["name"] == name
    assert alignkit("eval", name, name, "--alignment", "a.alignment", "--json").code == 0
    alignkit("inspect", name + "x").refused("d\\udce9j\\n.npyx does not exist")


def test_a_name_that_the_system_refuses_is_one_sentence(alignkit):
    alignkit("inspect", "a" * 300 + ".npy").refused("File name too long")
    alignkit("inspect", "").refused("a path is empty")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_and_cleared(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Ticker("items") as ticker:
        ticker.tick(0, 10, 0)
        ticker.tick(10, 10, 2)
    lines = terminal.getvalue().split("\r")
    assert "0 of 10 items" in lines[1]
    assert re.match(r"10 of 10 items, 2 failed, [\d,.]+ a second, 0 s left", lines[2])
    assert lines[-2].strip() == lines[-1] == ""


def test_progress_is_silent_elsewhere(monkeypatch):
    monkeypatch.setattr(sys, "stderr", file := io.StringIO())
    with Ticker("items") as ticker:
        ticker.tick(1, 10, 0)
    assert file.getvalue() == ""


def test_what_an_earlier_run_did_counts_for_no_rate(monkeypatch):
    clock = iter([0.0, 10.0])
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setattr("alignkit.cli._output.time.monotonic", lambda: next(clock))
    ticker = Ticker("items")
    ticker.tick(900, 1000, 0)
    ticker.tick(950, 1000, 0)
    assert "5.0 a second, 10 s left" in terminal.getvalue()


@pytest.mark.parametrize(("left", "clock"), [(59, "59 s"), (60, "1 min 0 s"), (7260, "2 h 1 min")])
def test_the_time_left_is_told_in_two_units_at_most(left: int, clock: str):
    assert progress_line("items", 0, left, 0, 1.0).endswith(f"{clock} left")
