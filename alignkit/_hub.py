"""Models through the hub's client: nothing said by the way, and no waiting for a host that is not there."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from urllib.parse import urlsplit

_LOCK = RLock()  # what is switched below is the whole process's


class UnreachableError(OSError):
    """The host of the hub does not answer, and what was asked for is not in the local cache."""


@contextmanager
def loading(source: str | None) -> Iterator[None]:
    """Load ``source``, a path, a name on the hub or None if neither, in a block; libraries only raise.

    Of a name one request is made first. If the host does not answer, the block sees the local cache only:
    left to itself the client asks six times for each file and waits 23 s in between. Downloads are as
    patient as ever, and show how far they are if that goes to a terminal.

    Raises
    ------
    UnreachableError
        If the host does not answer and the block ends in an error of files or connections.
    """
    with _LOCK, quiet(), _bars_on_a_terminal_only():
        if source is None or Path(source).exists() or _answers():
            yield
            return
        with _cache_only() as host:
            try:
                yield
            except (OSError, RuntimeError) as error:  # open_clip wraps the hub's in its own
                raise UnreachableError(f"{host} cannot be reached") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep libraries from logging warnings, of which some would also install a handler of the root."""
    handlers, disabled = logging.root.handlers[:], logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(disabled)
        logging.root.handlers[:] = handlers


def _answers() -> bool:
    """Return whether the hub can be asked: true too where that is not known, or not wanted."""
    try:
        import huggingface_hub
        from huggingface_hub import constants
    except ImportError:
        return True  # whoever needs it says so
    if constants.HF_HUB_OFFLINE:
        return True
    try:
        huggingface_hub.get_session().head(constants.ENDPOINT, timeout=constants.HF_HUB_ETAG_TIMEOUT)
    except Exception:  # its client has changed and each raises kinds of its own: all mean no answer
        return False
    return True


@contextmanager
def _cache_only() -> Iterator[str]:
    from huggingface_hub import constants

    constants.HF_HUB_OFFLINE = True
    try:
        yield urlsplit(constants.ENDPOINT).netloc
    finally:
        constants.HF_HUB_OFFLINE = False


@contextmanager
def _bars_on_a_terminal_only() -> Iterator[None]:
    """Switch off the bars that transformers draws while it reads files, unless someone can see them move."""
    transformers = sys.modules.get("transformers")
    bars = None if transformers is None else transformers.utils.logging
    if bars is None or sys.stderr.isatty() or not bars.is_progress_bar_enabled():
        yield
        return
    bars.disable_progress_bar()
    try:
        yield
    finally:
        bars.enable_progress_bar()
