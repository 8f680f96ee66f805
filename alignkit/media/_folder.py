"""Items of a folder: its files with a known ending, in the order of their paths."""

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from alignkit.errors import DataError
from alignkit.media._place import Asked, Found, Place


def walk(folder: Path, asked: Asked) -> Found:
    """Return the items of a folder and of the folders in it; links that leave it are refused.

    Folders that are links are not entered: what they hold is found where it lies.
    """
    root = Path(os.path.realpath(folder))
    names, ignored, films = [], 0, 0
    for entry in _files(root, root):
        shown, suffix = not Path(entry).name.startswith("."), Path(entry).suffix.lower()
        if shown and suffix in asked.suffixes:
            names.append(entry)
        else:
            ignored += 1
            films += shown and asked.passes_film(suffix)
    names.sort()
    column = pa.array(names, pa.string())

    def place(row: int) -> Place:
        name = column[row].as_py()
        return Place(str(folder / name), root / name, suffix=Path(name).suffix, root=root)

    return Found(pa.table({"id": column, "path": column}), place, ignored, films)


def _files(folder: Path, root: Path) -> Iterator[str]:
    """Yield the paths, from the root and with ``/``, of all files: those within a hidden folder too."""
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}.") from error
    for entry in entries:
        if entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(root):
            raise DataError(
                f"{entry.path} is a link that leaves {root}: copy what it points to, or remove the link."
            )
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path), root)
        elif entry.is_file():
            name = Path(entry.path).relative_to(root).as_posix()
            try:
                name.encode()
            except UnicodeEncodeError:
                raise DataError(f"the name {entry.path!r} is no text: rename the file.") from None
            yield name
