"""Write reference/commands.md from the commands' own signatures: ``python docs/commands.py``."""

import importlib
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo

from alignkit.cli import COMMANDS

PAGE = Path(__file__).parent / "reference" / "commands.md"
HEADER = """# Commands

Written by `python docs/commands.py` from the commands themselves; a test fails where the two differ.

Results go to stdout, everything for people to stderr. `--json` prints [one documented object](json.md).

| exit code | means |
| :-- | :-- |
| 0 | done |
| 2 | wrong usage or bad input: one sentence says what was found and what to do; nothing was written |
| 4 | embed: some items were bad; they are listed with their reasons |
| 5 | a package of an extra is missing: the sentence holds the command that installs it |
| 6 | a score stayed below `--fail-under` |
| 130 | interrupted; nothing was written (embed keeps finished parts and goes on from there) |
"""


@dataclass(frozen=True)
class Parameter:
    """One argument or option of a command, as its signature states it."""

    name: str
    is_argument: bool
    kind: str
    default: Any
    help: str


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEADER, *map(section, COMMANDS)])


def section(name: str) -> str:
    """Return the part of one command: its text, its arguments and its options."""
    command = importlib.import_module(f"alignkit.cli.{name}").command
    parameters = parameters_of(command)
    arguments = [parameter for parameter in parameters if parameter.is_argument]
    usage = " ".join(["alignkit", name, *(parameter.name for parameter in arguments), "[OPTIONS]"])
    lines = [f"## {name}", "", f"```text\n{usage}\n```", "", inspect.getdoc(command) or "", ""]
    for title, is_argument in (("argument", True), ("option", False)):
        chosen = [row(parameter) for parameter in parameters if parameter.is_argument is is_argument]
        if chosen:
            lines += [f"| {title} | default | meaning |", "| :-- | :-- | :-- |", *chosen, ""]
    return "\n".join(lines)


def parameters_of(command: Any) -> list[Parameter]:
    """Return a command's parameters in the order of its signature."""
    hints = get_type_hints(command, include_extras=True)
    found = []
    for name, parameter in inspect.signature(command).parameters.items():
        hint = hints[name]
        if hint is typer.Context:  # what typer knows of the call; nothing that is typed
            continue
        while get_origin(hint) is not Annotated:  # an optional annotated type: the annotation is inside
            hint = next(part for part in get_args(hint) if get_origin(part) is Annotated)
        kind, info = get_args(hint)
        is_argument = isinstance(info, ArgumentInfo)
        spelled = spelling(name, info, required=parameter.default is inspect.Parameter.empty)
        found.append(Parameter(spelled, is_argument, kind_of(kind), parameter.default, info.help or ""))
    return found


def spelling(name: str, info: Any, *, required: bool) -> str:
    """Return how a parameter is written on the command line."""
    if isinstance(info, ArgumentInfo):
        return name.upper() if required else f"[{name.upper()}]"
    names = [info.default, *(info.param_decls or ())]  # typer moves a first name out of `default` later on
    names = [each for each in names if isinstance(each, str) and each.startswith("-")]
    return " ".join(names or [f"--{name.replace('_', '-')}"])


def kind_of(kind: Any) -> str:
    """Return what a value must be: its choices or its type; empty for a flag."""
    if get_origin(kind) is Literal:
        return " \\| ".join(f"`{choice}`" for choice in get_args(kind))
    parts = [part for part in get_args(kind) if part is not type(None)]
    if get_origin(kind) is list:
        return f"{kind_of(parts[0])}, repeatable"
    if parts:
        return kind_of(parts[0])
    return (
        "" if kind is bool else {"str": "text", "int": "number", "float": "number"}.get(kind.__name__, "path")
    )


def row(parameter: Parameter) -> str:
    """Return one parameter as a line of a table."""
    spelled = f"`{parameter.name}`"
    if parameter.kind and not parameter.is_argument:
        spelled += f" {parameter.kind}"
    default = parameter.default
    if default is inspect.Parameter.empty:
        shown = "required"
    else:
        shown = "" if default is None or default is False or default == "" else f"`{default}`"
    return f"| {spelled} | {shown} | {parameter.help.replace('|', chr(92) + '|')} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
