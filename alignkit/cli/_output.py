"""Where words go: results to stdout, everything for people to stderr, so that pipes work."""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignkit.errors import OutputError, ParameterError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def emit(text: str) -> None:
    """Print a result, down to the last byte.

    Raises
    ------
    OutputError
        If standard output is closed or takes no more.
    """
    if sys.stdout is None:  # the caller closed it: `alignkit ... >&-`
        raise OutputError("standard output is closed: the result has nowhere to go; pipe it or redirect it.")
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence()
        raise OutputError(
            f"the result could not be written to standard output: {error.strerror or error}."
        ) from error


def silence() -> None:
    """Send what is still to come on standard output nowhere: its reader has left, or its disk is full."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def emit_json(value: Any) -> None:  # any JSON-able object
    """Print a result as one JSON object; NaN never appears (`reports.Score` turns it into null)."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:  # a terminal of few letters, or the name of a file that is no text
        text = json.dumps(value, indent=2, allow_nan=False)
    emit(text)


def note(text: str) -> None:
    """Tell a person something that is no result; where nobody can read it, the work goes on."""
    with suppress(OSError, AttributeError):  # a full disk; no stderr at all
        sys.stderr.write(f"{text}\n")


def recall_words(settings: dict[str, Any]) -> str:
    """Say what an approximate index finds, by the settings that it was made with."""
    of, words = settings.get, f"recall@10 {settings['recall']:.4f}"
    if of("n"):
        words += f" [{of('low'):.4f}, {of('high'):.4f}] n={of('n')}"
    drawn = f" drawn with seed {of('seed')}" if of("n") else ""
    return f"{words} against the exact index, on rows of the {of('on')}{drawn}, with effort {of('effort')}"


def check_figure(path: Path | None, *, force: bool) -> None:
    """Raise an error unless a figure may be written there and its name says in which format."""
    from alignkit.atomic import check_writable

    if path is None:
        return
    if path.suffix not in (".svg", ".png"):
        raise ParameterError(f"--figure {path}: its name ends in neither .svg nor .png; choose one.")
    check_writable(path, force=force, names=())


def write_figure(figure: "Figure", path: Path, *, force: bool) -> None:
    """Write a figure whole or not at all, in the format that its name says."""
    from alignkit.atomic import replacing

    with replacing(path, force=force) as file:
        file.write_bytes(drawn(figure, path.name))


def write_text(text: str, path: Path, *, force: bool) -> None:
    """Write a text file whole or not at all."""
    from alignkit.atomic import replacing

    with replacing(path, force=force) as file:
        file.write_text(text, encoding="utf-8", errors="backslashreplace")


def drawn(figure: "Figure", name: str) -> bytes:
    """Return the bytes of a figure's file of that name."""
    from alignkit.plots import to_png, to_svg

    return to_png(figure) if name.endswith(".png") else to_svg(figure).encode()
