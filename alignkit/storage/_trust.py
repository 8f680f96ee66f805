"""Which faiss files may be read: faiss checks little of what it reads, so a forged file can corrupt memory.

A digest beside the file proves nothing, since who forges one forges the other. So the digests of the files
that this user's own commands wrote are kept in the user's state folder, and any other file has to be
trusted by name.
"""

import os
from pathlib import Path

from alignkit.errors import DataError

LARGEST = 4  # times the bytes of the rows themselves: graphs and lists stay far below
SPARE = 64 << 20  # bytes that codebooks and coarse centroids of a small gallery may take


def written_digests() -> Path:
    """Return the file that lists them: in ``ALIGNKIT_STATE``, else where the system keeps a user's state."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(os.environ.get("ALIGNKIT_STATE") or Path(home) / "alignkit") / "written-indexes.txt"


def remember(digest: str) -> None:
    """Keep a digest; where nothing can be kept, the file will have to be trusted by name."""
    path = written_digests()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(digest + "\n")
    except OSError:
        return


def check_trusted(path: Path, digest: str, rows_bytes: int, *, trust: bool) -> None:
    """Raise DataError unless a faiss file was written here, or is trusted and of a size that can be true."""
    size = path.stat().st_size
    if size > LARGEST * rows_bytes + SPARE:
        raise DataError(
            f"{path} has {size} bytes for {rows_bytes} bytes of rows, more than any index of them takes: "
            "make the index again."
        )
    if not trust and digest not in _known():
        raise DataError(
            f"{path} was not written by this user's alignkit, and a forged faiss file can harm this machine: "
            "make the index again from its vectors, or pass --trust if you know where it comes from."
        )


def _known() -> set[str]:
    try:
        return set(written_digests().read_text(encoding="utf-8").split())
    except OSError:
        return set()
