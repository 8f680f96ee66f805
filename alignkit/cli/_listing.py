"""What the commands that list names and options print."""

from collections.abc import Mapping
from typing import Any

from alignkit.cli._output import emit, emit_json


def list_names(what: str, summaries: Mapping[str, str], *, json: bool) -> None:
    """Print one line a name with its summary, or one JSON object; ``what`` is the plural of the things."""
    if json:
        emit_json({"schema": f"alignkit.{what}/1", what: dict(summaries)})
        return
    width = max(map(len, summaries))
    emit("\n".join(f"{each:<{width}}  {summary}" for each, summary in summaries.items()))


def option_lines(options: Mapping[str, Any]) -> str:  # Any: values of all kinds
    """Return the options that ``--set`` takes, one a line, under their heading."""
    lines = [f"  {option} = {value!r}" for option, value in options.items()] or ["  none"]
    return "\n".join(["options, given as --set NAME=VALUE, with their values if not set:", *lines])
