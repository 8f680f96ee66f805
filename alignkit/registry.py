"""The folder is the registry: ``aligners/procrustes.py`` *is* the method ``procrustes``."""

import ast
import difflib
import importlib
import inspect
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, Generic, TypeVar

from alignkit.errors import UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names of the modules in one package or more, imported only when asked for.

    A name may be written with ``-`` or ``_``. Other distributions add entries through the entry-point
    group that is called like the package.

    Parameters
    ----------
    package
        Dotted name of the package whose public modules are the entries.
    base
        Name of the base class; each module defines exactly one public subclass of it.
    noun
        What an entry is called in messages.
    more
        Further packages whose public modules are entries too, under the same contract. They are named,
        not imported, so the layer that holds the registry does not depend on them.

    Examples
    --------
    >>> registry = Registry("alignkit.aligners", "Aligner", "method")
    >>> "procrustes" in registry.names()
    True
    >>> registry.get("mean-shift").__name__
    'MeanShift'
    """

    def __init__(self, package: str, base: str, noun: str, *, more: tuple[str, ...] = ()) -> None:
        self.package, self.base, self.noun = package, base, noun
        self.folders = {
            each: Path(__file__).parent.joinpath(*each.split(".")[1:]) for each in (package, *more)
        }

    def names(self) -> list[str]:
        """Return every known name, built-in and plug-in, sorted, without importing any."""
        own = {path.stem for folder in self.folders.values() for path in folder.glob("[!_]*.py")}
        return sorted(own | set(self._plugins))

    def home(self, name: str) -> str | None:
        """Return the package in which a built-in entry lies; None for one of another distribution.

        Examples
        --------
        >>> Registry("alignkit.aligners", "Aligner", "method").home("procrustes")
        'alignkit.aligners'
        """
        name = self.check(name)
        for package, folder in self.folders.items():
            if name not in self._plugins and (folder / f"{name}.py").exists():
                return package
        return None

    def summary(self, name: str) -> str:
        """Return the first docstring line of an entry without importing a built-in one."""
        name = self.check(name)
        home = self.home(name)
        if home is not None:
            tree = ast.parse((self.folders[home] / f"{name}.py").read_text(encoding="utf-8"))
            return (ast.get_docstring(tree) or "").partition("\n")[0]
        return (inspect.getdoc(self.get(name)) or "").partition("\n")[0]

    def get(self, name: str) -> type[T]:
        """Import and return the class registered under ``name``."""
        name = self.check(name)
        if name in self._plugins:
            return self._plugins[name].load()
        module = importlib.import_module(f"{self.home(name)}.{name}")
        found: list[Any] = [
            member
            for _, member in inspect.getmembers(module, inspect.isclass)
            if member.__module__ == module.__name__
            and not member.__name__.startswith("_")
            and any(base.__name__ == self.base for base in member.__mro__[1:])
        ]
        if len(found) != 1:
            raise TypeError(f"{module.__name__} must define exactly one public {self.base}, found {found}")
        return found[0]

    def check(self, name: str) -> str:
        """Return the canonical spelling of ``name``; raise UnknownNameError where it is not known."""
        known, canonical = self.names(), name.replace("-", "_").lower()
        if canonical in known:
            return canonical
        near = difflib.get_close_matches(canonical, known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UnknownNameError(f"no {self.noun} named {name!r}.{hint} Known: {', '.join(known)}.")

    @cached_property
    def _plugins(self) -> dict[str, metadata.EntryPoint]:
        """Entry points of other distributions; reading their metadata takes milliseconds, so once."""
        return {entry.name.replace("-", "_"): entry for entry in metadata.entry_points(group=self.package)}
