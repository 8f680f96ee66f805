import socket
import sys
import tomllib
import urllib.request
from itertools import pairwise
from pathlib import Path

import pytest

from alignkit.errors import MissingExtraError, OutputError
from alignkit.explorer import server


def test_it_answers_on_this_machine_alone_and_tells_nobody():
    words = server.command_line(port=9, browser=False)
    pairs = set(pairwise(words))
    for pair in (
        ("--server.address", "127.0.0.1"),
        ("--server.allowedHosts", "127.0.0.1"),
        ("--server.headless", "true"),
        ("--browser.gatherUsageStats", "false"),
        ("--server.maxUploadSize", "20"),
        ("--server.port", "9"),
    ):
        assert pair in pairs, pair
    assert words[0] == sys.executable


def test_nobody_advertises_where_the_address_is_known_already():
    pairs = set(pairwise(server.command_line(port=9)))
    assert ("--logger.hideWelcomeMessage", "true") in pairs
    assert ("--logger.hideWelcomeMessage", "false") in set(pairwise(server.command_line(port=0)))


def test_a_port_that_is_taken_is_told_and_a_free_one_is_not():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OutputError, match=f"^port {port} is taken: choose another --port.$"):
            server.check_port(port)
    server.check_port(port)


def test_the_app_is_found_in_a_wheel_and_in_a_checkout(tmp_path, monkeypatch):
    assert server.app_path().is_file()
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    packed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert packed == {"dashboards": "alignkit/_dashboards"}
    (tmp_path / "_dashboards").mkdir()
    (tmp_path / "_dashboards" / "app.py").write_text("")
    monkeypatch.setattr(server, "PACKAGE", tmp_path)
    assert server.app_path() == tmp_path / "_dashboards" / "app.py"


def test_a_server_beside_this_program_answers_and_ends_with_its_block(tmp_path):
    pytest.importorskip("streamlit", reason="streamlit is absent: pip install 'alignkit[app]'")
    with server.serving(tmp_path) as address, urllib.request.urlopen(f"{address}/_stcore/health") as answer:
        assert answer.read() == b"ok"
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address)


def test_a_server_that_never_listens_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "command_line", lambda **_: [sys.executable, "-c", "pass"])
    monkeypatch.setattr(server, "check_extras", lambda: None)
    with pytest.raises(OutputError, match="did not say"):
        server.serving(tmp_path, patience=0.3).__enter__()


def test_a_missing_extra_and_a_server_that_fails_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "command_line", lambda **_: [sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(OutputError, match="choose another --port than 77"):
        server.serve(tmp_path, port=77)
    monkeypatch.setattr(server, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'alignkit\[app\]'"):
        server.serve(tmp_path)
