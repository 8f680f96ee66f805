"""The list of the items that could not be encoded, beside the file of those that could."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from alignkit.atomic import check_writable, replacing
from alignkit.media.items import Items

_COLUMNS = ["id", "reason"]


def failed_list_of(out: Path, *, force: bool) -> Path:
    """Return where the list goes; one of a run that wrote no output may be replaced without ``force``.

    Raises
    ------
    OutputError
        If something else stands there, or the list of an output that is still there, and ``force`` is off.
    """
    path = out.with_name(f"{out.stem}.failed.parquet")
    of_nothing = not out.exists() and not out.with_suffix(".space").exists() and _is_list(path)
    check_writable(path, force=force or of_nothing, names=())
    return path


def write_failed_list(path: Path, items: Items, failures: dict[int, str]) -> None:
    """Write which items failed and why; an older list goes, since it would speak of another run."""
    if not failures:
        path.unlink(missing_ok=True)  # `failed_list_of` has allowed it
        return
    rows = sorted(failures)
    columns = (items.ids.take(pa.array(rows)), [failures[row] for row in rows])
    with replacing(path, force=True) as temporary:
        pq.write_table(pa.table(dict(zip(_COLUMNS, columns, strict=True))), temporary)


def _is_list(path: Path) -> bool:
    try:
        return path.is_file() and pq.read_schema(path).names == _COLUMNS
    except (OSError, pa.ArrowException):
        return False
