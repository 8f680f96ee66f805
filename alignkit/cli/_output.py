"""Where words go: results to stdout, everything for people to stderr, so that pipes work."""

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from alignkit.errors import OutputError, ParameterError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_BLINK = 0.1  # seconds between two states of a line of progress


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


def note(text: str, end: str = "\n") -> None:
    """Tell a person something that is no result; where nobody can read it, the work goes on."""
    with suppress(OSError, AttributeError):  # a full disk; no stderr at all
        sys.stderr.write(f"{text}{end}")
        if not end:
            sys.stderr.flush()


class Ticker:
    """Show how far a long run is, how fast, and when it ends; in one line of stderr, on a terminal only."""

    def __init__(self, what: str) -> None:
        self.what, self._start, self._shown, self._width = what, 0.0, 0.0, 0
        self._first: int | None = None
        self._on = hasattr(sys.stderr, "isatty") and sys.stderr.isatty()

    def __enter__(self) -> "Ticker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def tick(self, done: int, total: int, failed: int) -> None:
        """Say that ``done`` of ``total`` are finished, ``failed`` of them badly; shown ten times a second."""
        now = time.monotonic()
        if self._first is None:  # what an earlier run did says nothing of this one's rate
            self._first, self._start = done, now
        if not self._on or (now - self._shown < _BLINK and done < total):
            return
        self._shown = now
        line = progress_line(
            self.what, done, total, failed, (done - self._first) / max(now - self._start, 1e-9)
        )
        note(f"\r{line:<{self._width}}", end="")
        self._width = len(line)

    def close(self) -> None:
        """Clear the line."""
        if self._width:
            note(f"\r{'':<{self._width}}\r", end="")
            self._width = 0


def progress_line(what: str, done: int, total: int, failed: int, rate: float) -> str:
    """Return one line on the state of a run; ``rate`` is in items a second.

    Examples
    --------
    >>> progress_line("items", 2_000, 10_000, 3, 50.0)
    '2,000 of 10,000 items, 3 failed, 50.0 a second, 2 min 40 s left'
    """
    parts = [f"{done:,} of {total:,} {what}"]
    if failed:
        parts.append(f"{failed:,} failed")
    if rate > 0:
        left = round((total - done) / rate)
        hours, minutes = divmod(left // 60, 60)
        clock = (
            f"{hours} h {minutes} min"
            if hours
            else f"{minutes} min {left % 60} s"
            if minutes
            else f"{left} s"
        )
        parts += [f"{rate:,.1f} a second", f"{clock} left"]
    return ", ".join(parts)


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


def list_names(what: str, summaries: Mapping[str, str], *, json: bool) -> None:
    """Print one line a name with its summary, or one JSON object; ``what`` is the plural of the things."""
    if json:
        emit_json({"schema": f"alignkit.{what}/1", what: dict(summaries)})
        return
    width = max(map(len, summaries))
    emit("\n".join(f"{each:<{width}}  {summary}" for each, summary in summaries.items()))


def option_lines(options: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> str:  # Any: values
    """Return the options that ``--set`` takes, under their heading; below each what is said of it, if so."""
    lines = []
    for option, value in options.items():
        lines.append(f"  {option} = {value!r}")
        if notes and notes.get(option):
            lines += wrap(notes[option], 100, initial_indent=" " * 6, subsequent_indent=" " * 6)
    lines = lines or ["  none"]
    return "\n".join(["options, given as --set NAME=VALUE, with their values if not set:", *lines])
