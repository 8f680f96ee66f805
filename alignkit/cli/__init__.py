"""The ``alignkit`` command: one module per subcommand, imported when it is asked for."""

import importlib
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from alignkit._version import __version__
from alignkit.errors import AlignkitError

COMMANDS = ("demo", "inspect", "convert", "fit", "apply", "eval", "gap", "methods", "doctor")
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
            typer.echo(f"error: {error}", err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            typer.echo("interrupted: nothing was written", err=True)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:  # the reader of our output left: `alignkit ... | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)


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
    """Fit, measure, search and audition maps between embedding spaces."""


def main() -> None:
    """Run the command line (the entry point of ``alignkit`` and ``python -m alignkit``)."""
    app(prog_name="alignkit")
