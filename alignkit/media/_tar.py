"""Items of a tar as WebDataset writes it: indexed once, read by position, never unpacked."""

import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from alignkit.errors import DataError
from alignkit.formats._base import reading
from alignkit.media._place import Asked, Found, Place


def index(path: Path, asked: Asked) -> Found:
    """Return the samples of a tar as items, in the order in which they stand there."""
    keys: dict[str, tuple[str, int, int]] = {}
    ignored, films = 0, 0
    for name, start, length in _members(path):
        key, ending = _split(name)
        last = f".{ending.rpartition('.')[2].lower()}"
        if not (ending == asked.column if asked.column else last in asked.suffixes):
            ignored += 1
            films += asked.passes_film(last)
            continue
        if key in keys:
            raise DataError(
                f"{path}: the sample {key!r} has {keys[key][0]!r} and {ending!r}: choose one with column (on "
                "the command line --column), or remove the repeat."
            )
        keys[key] = (ending, start, length)
    ids = pa.array(list(keys), pa.string())
    endings = pa.array([ending for ending, _, _ in keys.values()], pa.string()).dictionary_encode()
    spans = np.array([span for _, *span in keys.values()], np.int64).reshape(len(keys), 2)

    def place(row: int) -> Place:
        key, ending = ids[row].as_py(), endings[row].as_py()
        start, length = map(int, spans[row])
        suffix = f".{ending.rpartition('.')[2]}"
        return Place(f"{path}::{key}.{ending}", path, suffix=suffix, start=start, length=length)

    paths = pa.array([f"{key}.{ending}" for key, (ending, _, _) in keys.items()], pa.string())
    return Found(pa.table({"id": ids, "path": paths}), place, ignored, films)


def _members(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yield (name, first byte, bytes) of every plain file: no link, no device, no file with holes."""
    size = path.stat().st_size
    damage = (tarfile.TarError, ValueError, EOFError)
    with reading(path, "a tar that is not compressed", *damage), tarfile.open(path, "r:") as archive:
        for member in archive:
            if member.isreg() and not member.issparse():
                if member.offset_data + member.size > size:
                    raise DataError(f"{path} ends within {member.name!r}: copy it again whole.")
                yield member.name, member.offset_data, member.size
            archive.members = []  # pyright: ignore[reportAttributeAccessIssue] - or all stay in memory


def _split(name: str) -> tuple[str, str]:
    """Return the key of a sample and the rest of a member's name: both end at the first dot of the file."""
    folder, file = PurePosixPath(name).parent, PurePosixPath(name).name
    stem, _, ending = file.partition(".")
    return (str(folder / stem) if str(folder) != "." else stem), ending
