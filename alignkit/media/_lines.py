"""Items of a text file: a text, or a path, on every line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from alignkit.errors import DataError
from alignkit.media._place import Asked, Found, Place, inside


def read(path: Path, asked: Asked) -> Found:
    """Return the lines of a file as items; the id is the number of the line, from 0."""
    try:
        # only what ends a line in an editor: splitlines would cut a text at a form feed
        content = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no UTF-8 text: convert it.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    lines = pa.array(content.removesuffix("\n").split("\n") if content else [], pa.large_string())
    ids = pa.array(np.arange(len(lines)))
    if asked.modality == "text":
        return Found(pa.table({"id": ids, "text": lines}), lambda row: _text(lines[row].as_py(), path, row))
    return Found(pa.table({"id": ids, "path": lines}), _paths(lines, path, asked))


def _text(line: str, path: Path, row: int) -> Place:
    if not line.strip():
        raise DataError(f"{_where(path, row)} is empty: leave it out.")
    return Place(_where(path, row), text=line.strip())


def _paths(lines: pa.Array, path: Path, asked: Asked) -> Callable[[int], Place]:
    root = (asked.root or path.parent).resolve()

    def place(row: int) -> Place:
        line = lines[row].as_py()
        whole = inside(line, root, _where(path, row))
        return Place(str(whole), whole, suffix=whole.suffix, root=root)

    return place


def _where(path: Path, row: int) -> str:
    return f"line {row + 1} (id {row}) of {path}"  # editors count from 1
