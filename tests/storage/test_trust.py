from pathlib import Path

import pytest

from alignkit.errors import DataError
from alignkit.storage._trust import check_trusted, remember, written_digests


@pytest.fixture(autouse=True)
def no_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIGNKIT_STATE", str(tmp_path / "state"))


def test_only_what_was_written_here_is_read_unasked(tmp_path: Path):
    file = tmp_path / "faiss.index"
    file.write_bytes(b"x" * 100)
    with pytest.raises(DataError, match=r"was not written by this user's alignkit.*pass --trust"):
        check_trusted(file, "a" * 64, 100, trust=False)
    remember("b" * 64)
    with pytest.raises(DataError, match="was not written"):
        check_trusted(file, "a" * 64, 100, trust=False)
    remember("a" * 64)
    check_trusted(file, "a" * 64, 100, trust=False)
    assert written_digests().read_text().split() == ["b" * 64, "a" * 64]


def test_a_file_that_is_too_large_is_refused_even_if_trusted(tmp_path: Path):
    file = tmp_path / "faiss.index"
    with file.open("wb") as handle:
        handle.truncate((64 << 20) + 401)  # a hole: no disk is used
    with pytest.raises(DataError, match="more than any index of them takes"):
        check_trusted(file, "a" * 64, 100, trust=True)


def test_where_no_state_can_be_kept_nothing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ALIGNKIT_STATE", str(tmp_path / "file" / "below"))
    remember("a" * 64)
    with pytest.raises(DataError, match="was not written"):
        check_trusted(tmp_path / "file", "a" * 64, 100, trust=False)
