import socket
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from alignkit import Embeddings, Space, write_embeddings
from alignkit.explorer import server


@pytest.fixture
def shelf(tmp_path):
    rows = np.random.default_rng(0).normal(size=(20, 6))
    (tmp_path / "shelf").mkdir()
    for name, shift in (("a", 1.0), ("b", -1.0)):
        side = Embeddings(rows + shift, ids=list("abcdefghijklmnopqrst"), space=Space(6, "m"))
        write_embeddings(side, tmp_path / "shelf" / f"{name}.space")
    (tmp_path / "shelf" / "c.report.json").write_text("[]")
    return tmp_path / "shelf"


def test_it_lists_what_is_there_and_what_is_broken(alignkit, shelf):
    lines = alignkit("explore", shelf, "--list").out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["space", "a.space"],
        ["space", "b.space"],
        ["report", "c.report.json"],
    ]
    assert "broken: " in lines[2]
    found = alignkit("explore", shelf, "--list", "--json").json
    assert [bool(each["fault"]) for each in found["artifacts"]] == [False, False, True]


def test_an_empty_folder_names_the_command_to_run(alignkit, tmp_path):
    assert "alignkit demo" in alignkit("explore", tmp_path, "--list").out


def test_it_starts_the_server_on_the_folder(alignkit, shelf, monkeypatch):
    def checking(*, port, browser):
        told = f"os.environ[{server.ROOT!r}] == {str(shelf)!r}"
        return [sys.executable, "-c", f"import os; assert {told} and {port} == {free} and not {browser}"]

    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        free = tried.getsockname()[1]
    monkeypatch.setattr(server, "command_line", checking)
    ran = alignkit("explore", shelf, "--port", free, "--no-browser")
    assert ran.code == 0
    assert f"2 spaces, 1 broken; open http://127.0.0.1:{free}" in ran.err


def test_a_taken_port_is_told_before_anything_is_announced(alignkit, shelf, monkeypatch):
    monkeypatch.setattr(server, "check_extras", lambda: None)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        alignkit("explore", shelf, "--port", port).refused(f"port {port} is taken: choose another --port")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--json",), "--json belongs to --list or --export-atlas"),
        (("--source", "a.space"), "--source belongs to --export-atlas"),
        (("--list", "--alignment", "x"), "--alignment belongs to --export-atlas"),
        (("--seed", "0"), "--seed belongs to --export-atlas"),
        (("--list", "--port", "99"), "--port does not go with --list"),
        (("--list", "--export-atlas", "m.parquet"), "--export-atlas does not go with --list"),
        (("--export-atlas", "m.parquet", "--no-browser"), "does not go with --export-atlas"),
        (("--export-atlas", "m.parquet", "--view", "umapp"), "there is no view 'umapp'"),
        (("--export-atlas", "m.parquet", "--view", "moving"), "there are: pca, gap, umap, tsne"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(alignkit, shelf, words, told):
    alignkit("explore", shelf, *words).refused(told)


def test_a_missing_extra_exits_with_5_and_the_command(alignkit, shelf, monkeypatch):
    monkeypatch.setattr(server, "find_spec", lambda name: None)
    alignkit("explore", shelf).refused("pip install 'alignkit[app]'", code=5)


def test_it_writes_the_map_for_embedding_atlas(alignkit, shelf):
    words = ("explore", shelf, "--export-atlas", "m.parquet", "--source", "a.space")
    alignkit(*words).refused("--target")
    alignkit(*words, "--target", "z.space").refused("there are: a.space, b.space")
    ran = alignkit(*words, "--target", "b.space", "--view", "gap", "--json")
    assert (ran.json["points"], pq.read_table("m.parquet").num_rows) == (40, 40)
    alignkit(*words, "--target", "b.space").refused("m.parquet")


def test_what_is_no_folder_is_refused(alignkit, tmp_path):
    alignkit("explore", tmp_path / "nowhere").refused("is no folder")
