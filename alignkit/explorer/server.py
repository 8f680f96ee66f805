"""Start the explorer's web server, on this machine and for it alone."""

import errno
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from alignkit.errors import DataError, MissingExtraError, OutputError

ROOT = "ALIGNKIT_EXPLORE"  # the variable in which the server's process is told the folder
PORT = 8501
PACKAGE = Path(__file__).parents[1]
HOSTS = ("127.0.0.1", "localhost")  # by other names it does not answer: no site can rebind its own to here
OPTIONS = {
    "server.address": "127.0.0.1",
    "server.fileWatcherType": "none",
    "server.maxUploadSize": "20",
    "server.showEmailPrompt": "false",
    "server.enableStaticServing": "false",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "theme.light.primaryColor": "#0072B2",
    "theme.dark.primaryColor": "#56B4E9",
}


def app_path() -> Path:
    """Return the app: in a wheel inside the package, in a checkout beside it.

    Raises
    ------
    DataError
        If it is at neither place.

    Examples
    --------
    >>> app_path().name
    'app.py'
    """
    for folder in (PACKAGE / "_dashboards", PACKAGE.parent / "dashboards"):
        if (folder / "app.py").is_file():
            return folder / "app.py"
    raise DataError(f"the pages of the explorer are not beside {PACKAGE}: install alignkit again.")


def check_extras() -> None:
    """Raise MissingExtraError, with the command that installs it, unless streamlit and plotly are there."""
    for package in ("streamlit", "plotly"):
        if find_spec(package) is None:
            raise MissingExtraError(f"explore needs {package}: pip install 'alignkit[app]'.")


def command_line(*, port: int = PORT, browser: bool = True) -> list[str]:
    """Return the words that start the server; port 0 is one that is free, and then it says which.

    Examples
    --------
    >>> command_line(port=9000)[-4:]
    ['--server.port', '9000', '--server.headless', 'false']
    """
    options = OPTIONS | {
        # with it goes the server's advertisement; but only the server knows a port that it chose itself
        "logger.hideWelcomeMessage": "true" if port else "false",
        "server.port": str(port),
        "server.headless": "false" if browser else "true",
    }
    pairs = [*(("server.allowedHosts", host) for host in HOSTS), *options.items()]
    words = [word for name, value in pairs for word in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(app_path()), *words]


def check_port(port: int) -> None:
    """Raise OutputError unless a server can listen there: call it before the address is announced."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that has just ended is no hindrance
        try:
            tried.bind((HOSTS[0], port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = "is taken" if taken else f"cannot be opened ({error.strerror or error})"
            raise OutputError(f"port {port} {why}: choose another --port.") from error


def serve(root: Path, *, port: int = PORT, browser: bool = True) -> None:
    """Run the server until it is interrupted.

    Raises
    ------
    MissingExtraError
        If the extra ``app`` is not installed.
    OutputError
        If the server could not start.
    """
    check_extras()
    environment = os.environ | {ROOT: str(root.absolute())}
    done = subprocess.run(command_line(port=port, browser=browser), env=environment, check=False)
    if done.returncode:
        raise OutputError(
            f"the server ended with status {done.returncode}: choose another --port than {port}."
        )


@contextmanager
def serving(root: Path, *, patience: float = 60.0) -> Iterator[str]:
    """Run the server beside this program, on a free port, and yield its address; it ends with the block.

    Raises
    ------
    MissingExtraError
        If the extra ``app`` is not installed.
    OutputError
        If it does not listen within ``patience`` seconds.
    """
    check_extras()
    environment = os.environ | {ROOT: str(root.absolute()), "PYTHONUNBUFFERED": "1"}
    words = command_line(port=0, browser=False)
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as said,
        subprocess.Popen(words, env=environment, stdout=said, stderr=subprocess.STDOUT) as server,
    ):
        try:
            yield _address(server, said, patience)
        finally:
            server.terminate()


def _address(server: "subprocess.Popen[bytes]", said: IO[str], patience: float) -> str:
    """Wait until the server says where it listens: it took a free port."""
    for _ in range(int(patience / 0.1)):
        said.seek(0)
        found = re.search(rf"http://{re.escape(HOSTS[0])}:\d+", said.read())
        if found:
            return found[0]
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise OutputError(f"the server did not say within {patience:g} s where it listens.")
