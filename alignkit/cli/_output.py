"""Where words go: results to stdout, everything for people to stderr, so that pipes work."""

import json
import os
import sys
from contextlib import suppress
from typing import Any

from alignkit.errors import OutputError


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
