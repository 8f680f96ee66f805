"""Items of a folder: its files with a known ending, in the order of their paths."""

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from alignkit.errors import DataError
from alignkit.media._place import Asked, Found, Place


def walk(folder: Path, asked: Asked) -> Found:
    """Return the items of a folder and of the folders in it.

    Folders that are links are not entered: what they hold is found where it lies. A link that leaves the
    folder is an item that cannot be read, if it has a known ending or is a link to a folder.
    """
    root = Path(os.path.realpath(folder))
    names, ignored, films = [], 0, 0
    for entry, outside in _files(root, root):
        shown, suffix = not Path(entry).name.startswith("."), Path(entry).suffix.lower()
        if shown and (suffix in asked.suffixes or outside):
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


def _files(folder: Path, root: Path) -> Iterator[tuple[str, bool]]:
    """Yield the paths, from the root and with ``/``, of all files: those within a hidden folder too.

    Beside each stands whether it is a link to a folder outside of the root.
    """
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}.") from error
    for entry in entries:
        leaves = entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(root)
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path), root)
        elif leaves or entry.is_file():
            yield _named(entry, root), leaves and entry.is_dir()


def _named(entry: os.DirEntry[str], root: Path) -> str:
    name = Path(entry.path).relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"the name {entry.path!r} is no text: rename the file.") from None
    return name
