"""Selections by id: a word in a link names a small file beside the artifacts."""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

from alignkit.atomic import replacing
from alignkit.errors import DataError

FOLDER = ".alignkit-selections"
MOST = 20_000
_WORD = re.compile(r"^[0-9a-f]{12}$")


def keep_selection(root: Path, keys: Sequence[tuple[str, str]]) -> str:
    """Store (artifact, id) pairs below ``root`` and return the word that names them; equal ones share a word.

    Raises
    ------
    OutputError
        If the folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> load_selection(root, keep_selection(root, [("a.space", "dog")]))
    [('a.space', 'dog')]
    """
    rows = sorted({(str(artifact), str(name)) for artifact, name in keys})[:MOST]
    text = json.dumps(rows, ensure_ascii=False)
    word = hashlib.sha256(text.encode()).hexdigest()[:12]
    path = root / FOLDER / f"{word}.json"
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        with replacing(path, force=True) as file:
            file.write_text(text, encoding="utf-8")
    return word


def load_selection(root: Path, word: str) -> list[tuple[str, str]]:
    """Return the (artifact, id) pairs that a word names.

    Raises
    ------
    DataError
        If the word is none, or its file is gone or damaged.
    """
    if not _WORD.match(word):
        raise DataError(f"{word[:40]!r} names no selection: it has twelve digits and letters a to f.")
    path = root / FOLDER / f"{word}.json"
    try:
        return [(str(artifact), str(name)) for artifact, name in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"the selection {word} is not stored below {root}: select the points again."
        ) from error
