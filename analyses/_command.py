"""The command line that every analysis has."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class Analysis(Protocol):
    """Answers a question and writes its result into a folder."""

    def __call__(self, out: Path, *, small: bool = False) -> None:
        """Write ``result.json`` and ``figure.svg``; with ``small`` in seconds, on what is planted."""


def run(
    main: Analysis, about: str | None, *, small: str, options: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Run ``main`` as the command line says; ``about`` describes it, ``small`` what --small looks at.

    ``options`` are further ones by flag, as ``add_argument`` takes them; ``main`` gets them by name.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for result.json and figure.svg")
    parser.add_argument("--small", action="store_true", help=small)
    for flag, settings in (options or {}).items():
        parser.add_argument(flag, **settings)
    main(**vars(parser.parse_args()))
