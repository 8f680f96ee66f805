"""Where one item is: a file, a part of a file, or a text; and a path that may not leave its root."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from alignkit.errors import DataError
from alignkit.media.films import PICTURED


@dataclass(frozen=True, slots=True)
class Asked:
    """Say what a caller wants of a list of items."""

    modality: str
    suffixes: tuple[str, ...]
    ids: str = ""
    column: str = ""
    root: Path | None = None

    def passes_film(self, suffix: str) -> bool:
        """Return whether a file that is no item here is a film, whose pictures might be asked for."""
        return self.modality == "image" and suffix.lower() in PICTURED


@dataclass(frozen=True, slots=True)
class Place:
    """Point to one item: ``text`` is the item itself; else ``length`` bytes of a file from ``start``."""

    name: str
    path: Path | None = None
    text: str | None = None
    suffix: str = ""
    start: int = 0
    length: int | None = None
    root: Path | None = None

    def content(self) -> Path | bytes:
        """Return the file, or the bytes of the part.

        Raises
        ------
        DataError
            If the file is gone, shorter than it was, or a link that leaves the root.
        """
        if self.path is None:
            raise DataError(f"{self.name} has no path (null): fill it in, or leave the row out.")
        if self.root is not None and not Path(os.path.realpath(self.path)).is_relative_to(self.root):
            raise DataError(f"{self.name} is a link that leaves {self.root}: copy what it points to.")
        if self.length is None:
            return self.path
        try:
            with self.path.open("rb") as handle:
                handle.seek(self.start)
                content = handle.read(self.length)
        except OSError as error:
            raise DataError(f"{self.name} cannot be read: {error.strerror or error}.") from error
        if len(content) != self.length:
            raise DataError(f"{self.name} is cut off: copy {self.path} again whole.")
        return content

    def stamp(self) -> str:
        """Return what changes when the item does."""
        if self.path is None:
            return self.text or ""
        try:
            facts = self.path.stat()
        except OSError:
            return f"{self.name}: missing"
        return f"{self.name} {self.start} {self.length} {facts.st_size} {facts.st_mtime_ns}"


@dataclass(frozen=True, slots=True)
class Found:
    """Hold what is there: a table of items, where each is by its row, and how many files are none.

    ``films`` of the ``ignored`` would be items of pictures if it were said how they are seen.
    """

    table: pa.Table
    place: Callable[[int], Place]
    ignored: int = 0
    films: int = 0


def inside(path: str, root: Path, where: str) -> Path:
    """Return the path of an item below ``root``; ``where`` is what messages call it.

    Raises
    ------
    DataError
        If it leaves ``root``, by ``..`` or as an absolute path.
    """
    whole = os.path.normpath(root / path)
    if os.path.commonpath([whole, root]) != str(root) or "\0" in path:
        raise DataError(
            f"{where}: the path {path!r} leaves {root}: give paths inside it, or another folder with root "
            "(on the command line --root)."
        )
    return Path(whole)
