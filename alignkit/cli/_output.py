"""Where words go: results to stdout, everything for people to stderr, so that pipes work."""

import json
import sys
from typing import Any


def emit(text: str) -> None:
    """Print a result."""
    sys.stdout.write(f"{text}\n")


def emit_json(value: Any) -> None:  # any JSON-able object
    """Print a result as one JSON object; NaN never appears (`reports.Score` turns it into null)."""
    emit(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False))


def note(text: str) -> None:
    """Tell a person something that is no result."""
    sys.stderr.write(f"{text}\n")
