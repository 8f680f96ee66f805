"""An output is whole or absent, and an old one goes only when the new one is complete."""

import os
from pathlib import Path

import pytest

from alignkit import atomic
from alignkit.atomic import check_writable, replacing
from alignkit.errors import OutputError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def make(path: Path, kind: str, text: str) -> None:
    if kind == "file":
        path.write_text(text)
    else:
        path.mkdir()
        (path / "inner.txt").write_text(text)


def content(path: Path) -> str:
    return path.read_text() if path.is_file() else (path / "inner.txt").read_text()


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("exchange", [True, False])
def test_the_new_output_takes_the_place_of_the_old(tmp_path, monkeypatch, kind, exchange):
    if not exchange:  # a system that cannot swap two names
        monkeypatch.setattr(atomic, "_exchange", lambda first, second: False)
    make(tmp_path / "out", kind, "old")
    with replacing(tmp_path / "out", force=True) as temporary:
        make(temporary, kind, "new")
        assert content(tmp_path / "out") == "old"
    assert content(tmp_path / "out") == "new"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize(("old", "new"), [("file", "folder"), ("folder", "file")])
def test_force_replaces_no_file_by_a_folder_and_no_folder_by_a_file(tmp_path, old, new):
    make(tmp_path / "out", old, "old")

    def replace() -> None:
        with replacing(tmp_path / "out", force=True) as temporary:
            make(temporary, new, "new")

    with pytest.raises(OutputError, match=f"out is a {old} and a {new} is to be written there"):
        replace()
    assert content(tmp_path / "out") == "old"
    assert names(tmp_path) == ["out"]


def test_force_deletes_nothing_that_the_new_output_does_not_hold(tmp_path):
    make(tmp_path / "home", "folder", "old")
    (tmp_path / "home" / "thesis.tex").write_text("years of work")

    def replace() -> None:
        with replacing(tmp_path / "home", force=True) as temporary:
            make(temporary, "folder", "new")

    with pytest.raises(OutputError, match=r"home holds thesis\.tex, which the new output does not"):
        replace()
    assert names(tmp_path / "home") == ["inner.txt", "thesis.tex"]
    with pytest.raises(OutputError, match=r"thesis\.tex"):
        check_writable(tmp_path / "home", force=True, names=["inner.txt"])


def test_a_folder_may_have_had_another_number_of_shards(tmp_path):
    (tmp_path / "a.space").mkdir()
    for name in ("space.json", "vectors-00000.npy", "vectors-00001.npy"):
        (tmp_path / "a.space" / name).touch()
    check_writable(tmp_path / "a.space", force=True, names=["space.json", "vectors.npy"])


def test_devices_and_places_without_a_name_are_never_replaced(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="pipe is neither a file nor a folder"):
        check_writable(tmp_path / "pipe", force=True)
    monkeypatch.chdir(tmp_path)
    for place in ("", ".", "..", "/", "deep/.."):
        with pytest.raises(OutputError, match="is no name for an output"):
            check_writable(place, force=True)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_an_error_inside_leaves_the_old_output_and_nothing_else(tmp_path, kind):
    make(tmp_path / "out", kind, "old")

    def fail() -> None:
        with replacing(tmp_path / "out", force=True) as temporary:
            make(temporary, kind, "half")
            raise KeyError("half way")

    with pytest.raises(KeyError, match="half way"):
        fail()
    assert content(tmp_path / "out") == "old"
    assert names(tmp_path) == ["out"]


def test_a_refusing_disk_becomes_one_sentence(tmp_path):
    def fail() -> None:
        with replacing(tmp_path / "out") as temporary:
            temporary.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(
        OutputError, match=r"out could not be written: No space left on device. What stood there"
    ):
        fail()
    assert names(tmp_path) == []


def test_the_last_rename_may_fail_without_loss(tmp_path, monkeypatch):
    make(tmp_path / "out", "folder", "old")
    monkeypatch.setattr(atomic, "_exchange", lambda first, second: False)
    rename = Path.rename

    def refuse(self, target):
        if self.name.endswith(f"{os.getpid()}.partial") and Path(target).name == "out":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)

    def replace() -> None:
        with replacing(tmp_path / "out", force=True) as temporary:
            make(temporary, "folder", "new")

    with pytest.raises(OutputError, match="Input/output error"):
        replace()
    assert content(tmp_path / "out") == "old"
    assert names(tmp_path) == ["out"]


def test_an_output_that_appears_meanwhile_is_not_replaced(tmp_path):
    def race() -> None:
        with replacing(tmp_path / "out") as temporary:
            temporary.write_text("mine")
            (tmp_path / "out").write_text("theirs")

    with pytest.raises(OutputError, match="exists already"):
        race()
    assert content(tmp_path / "out") == "theirs"


def test_existing_outputs_and_missing_folders_are_refused_beforehand(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(OutputError, match="out exists already: pass --force to replace it"):
        check_writable(tmp_path / "out")
    check_writable(tmp_path / "out", force=True)
    with pytest.raises(OutputError, match="deep is not a folder: create it first, then write out"):
        check_writable(tmp_path / "deep" / "out")


def test_remains_of_dead_writers_are_cleared_and_those_of_living_ones_kept(tmp_path):
    dead = 2**22 + 1  # above the kernel's largest process number
    (tmp_path / f".out.{dead}.partial").touch()
    make(tmp_path / f".out.{dead}.old.partial", "folder", "x")
    (tmp_path / f".out.{os.getppid()}.partial").touch()
    (tmp_path / f".other.{dead}.partial").touch()
    (tmp_path / ".out.words.partial").touch()
    with replacing(tmp_path / "out") as temporary:
        temporary.touch()
    assert names(tmp_path) == sorted(
        ["out", f".out.{os.getppid()}.partial", f".other.{dead}.partial", ".out.words.partial"]
    )


def test_names_with_the_letters_of_patterns_are_only_names(tmp_path):
    dead = 2**22 + 1
    (tmp_path / f".a.{dead}.partial").touch()
    with replacing(tmp_path / "[ab]*") as temporary:
        temporary.write_text("x")
    assert names(tmp_path) == sorted([f".a.{dead}.partial", "[ab]*"])
