"""The ``alignkit`` command: one module per subcommand, imported when it is asked for."""

import importlib
import sys
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from alignkit._version import __version__
from alignkit.cli._output import note, silence
from alignkit.errors import AlignkitError

COMMANDS = (
    "demo",
    "inspect",
    "convert",
    "embed",
    "fit",
    "apply",
    "eval",
    "compare",
    "probe",
    "gap",
    "audition",
    "judge",
    "explore",
    "index",
    "search",
    "methods",
    "encoders",
    "decoders",
    "protocols",
    "doctor",
)
INTERRUPTED = 130


class LazyGroup(TyperGroup):
    """Look a subcommand up by importing the module that is called like it."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's context, which typer brings along
        """Return the subcommands in the order of a first visit, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Import and return one subcommand, or None where there is no such one."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"alignkit.cli.{cmd_name}")
        app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
        app.command(cmd_name)(module.command)
        return typer.main.get_command(app)

    def invoke(self, ctx: Any) -> Any:
        """Turn expected errors into one line on stderr and their exit code."""
        try:
            return super().invoke(ctx)
        except AlignkitError as error:
            note(_one_line(f"error: {error}"))
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            note("interrupted: nothing was written")
            sys.exit(INTERRUPTED)
        except BrokenPipeError:  # the reader of our output left: `alignkit ... | head`
            silence()
            sys.exit(0)
        except OSError as error:  # a path that the system itself refuses: too long, forbidden, a broken disk
            where = f"{error.filename}: " if error.filename else ""
            note(_one_line(f"error: {where}{error.strerror or error}; check the path."))
            sys.exit(AlignkitError.exit_code)
        except MemoryError:
            note("error: memory ran out: use fewer rows, half precision, or a larger machine.")
            sys.exit(AlignkitError.exit_code)


def _one_line(text: str) -> str:
    """Return ``text`` as a single line: a name or a damaged file may hold ends of lines and worse."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"alignkit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and stop."),
    ] = False,
) -> None:
    """Fit, score and apply maps between embedding spaces; measure the gap between them."""


def main() -> None:
    """Run the command line (the entry point of ``alignkit`` and ``python -m alignkit``)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, TextIOWrapper
        ):  # a file's name may hold bytes that are no text of the terminal's
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="alignkit")
