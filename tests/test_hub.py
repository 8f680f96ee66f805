"""A host that does not answer is asked once, and said to be missing in one line."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from alignkit._hub import UnreachableError, loading, quiet
from alignkit.encoders.chinese_clip import ChineseClip
from alignkit.encoders.clap import Clap
from alignkit.encoders.clip import Clip
from alignkit.errors import DataError

hub = pytest.importorskip("huggingface_hub")
pytest.importorskip("transformers")
NOWHERE = "http://hub.invalid"  # RFC 2606: no such host resolves, anywhere


class Session:
    """Stand for the client's session; ``fails`` says that no host answers it."""

    def __init__(self, *, fails: bool) -> None:
        self.fails, self.asked = fails, 0

    def head(self, *_: object, **__: object) -> None:
        self.asked += 1
        if self.fails:
            raise ConnectionError("no route")


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Let the client believe that it may ask a host, with an empty cache."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return monkeypatch


def asked(online: pytest.MonkeyPatch, *, fails: bool) -> Session:
    session = Session(fails=fails)
    online.setattr(hub, "get_session", lambda: session)
    return session


def test_no_host_means_the_cache_only_for_as_long_as_the_block_lasts(online: pytest.MonkeyPatch):
    session = asked(online, fails=True)
    with loading("owner/name"):
        assert hub.constants.HF_HUB_OFFLINE
        with loading("owner/other"):  # within another it is not asked again
            pass
        assert hub.constants.HF_HUB_OFFLINE
    assert (session.asked, hub.constants.HF_HUB_OFFLINE) == (1, False)
    with pytest.raises(UnreachableError, match=r"huggingface\.co cannot be reached"), loading("owner/name"):
        raise OSError("nothing in the cache")
    assert not hub.constants.HF_HUB_OFFLINE


def test_a_host_that_answers_leaves_the_client_and_its_errors_alone(
    online: pytest.MonkeyPatch, tmp_path: Path
):
    session = asked(online, fails=False)
    with loading("owner/name"):
        assert not hub.constants.HF_HUB_OFFLINE
    with pytest.raises(OSError, match="its own words"), loading("owner/name"):
        raise OSError("its own words")
    for local in (str(tmp_path), None):
        with loading(local):
            pass
    assert session.asked == 2


@pytest.mark.parametrize("encoder", [Clap(), ChineseClip(), Clip(weights="openai")])
def test_an_encoder_whose_name_cannot_be_fetched_says_so_without_a_second_try(
    online: pytest.MonkeyPatch, encoder, caplog: pytest.LogCaptureFixture
):
    if isinstance(encoder, Clip):
        pytest.importorskip("open_clip")
    session = asked(online, fails=True)
    with pytest.raises(DataError, match=r"could they be fetched \(huggingface\.co cannot be reached\)"):
        encoder.encode(["rain"], "text")
    assert (session.asked, caplog.records) == (1, [])


def test_the_real_client_prints_one_line_and_does_not_wait(tmp_path: Path):
    (tmp_path / "t.txt").write_text("rain\n")
    words = ("embed", "t.txt", "--encoder", "sentence", "--weights", "owner/name", "--out", "t.space")
    root = str(Path(__file__).parents[1])
    kept = {"HF_ENDPOINT": NOWHERE, "HF_HOME": str(tmp_path), "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "alignkit", *words]
    ran = subprocess.run(command, cwd=tmp_path, env=kept, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (2, "", 1), ran.stderr
    assert "'owner/name'" in ran.stderr
    assert "hub.invalid cannot be reached" in ran.stderr


def test_bars_of_reading_files_are_for_terminals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from transformers.utils import logging as bars

    for terminal in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal, raising=False)
        with loading(str(tmp_path)):
            assert bars.is_progress_bar_enabled() is terminal
        assert bars.is_progress_bar_enabled()


def test_quiet_keeps_warnings_from_being_said_and_handlers_from_staying(caplog: pytest.LogCaptureFixture):
    before = logging.root.handlers[:]
    with quiet():
        logging.getLogger("any").warning("unsaid")
        logging.root.addHandler(logging.NullHandler())
    logging.getLogger("any").warning("said")
    assert (caplog.messages, logging.root.handlers) == (["said"], before)
