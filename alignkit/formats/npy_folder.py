"""A folder of `.npy` files: shards of one matrix in natural order, or one vector per file."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alignkit.errors import DataError
from alignkit.formats._base import ID_NAMES, Contents, Format, Source, reading
from alignkit.formats._idfile import pick_id_column, read_id_file, read_table
from alignkit.formats._npy import check_matrix, check_size, map_npy, read_npy_header
from alignkit.formats._rows import DeferredRows
from alignkit.rows import ShardedRows

_ID_FILES = ("ids.txt", "ids.csv", "items.parquet", "metadata.parquet", "metadata.csv")


class NpyFolder(Format):
    """Read the ``.npy`` files of a folder as one matrix; ``part2`` comes before ``part10``.

    Where every file holds one vector, the file's name without ``.npy`` is its id. Shards take ids and
    metadata from ``ids.txt``, ``ids.csv``, ``items.parquet`` or ``metadata.parquet`` / ``.csv`` in the
    folder, if one is there and has a column ``id`` or ``ids`` (or the one that the caller names).
    """

    def _contents(self, source: Source) -> Contents:
        if source.selector:
            raise DataError(f"{source.path} is one matrix in parts: leave out ::{source.selector}.")
        files = sorted((file for file in source.path.glob("*.npy") if file.is_file()), key=natural_key)
        shapes = [_facts(file) for file in files]
        for file, facts in zip(files, shapes, strict=True):
            if facts[1:] != shapes[0][1:]:
                raise DataError(
                    f"{file} is {_described(facts)} where {files[0].name} is {_described(shapes[0])}: "
                    "all files of one folder share their width and dtype."
                )
        if shapes[0][1] == 1:
            return _one_per_file(files, shapes[0][2], shapes[0][3])
        parts = [part for part in map(map_npy, files) if len(part)]
        if not parts:
            raise DataError(f"{source.path} is empty: none of its {len(files)} files holds a row.")
        return _with_ids(source, parts[0] if len(parts) == 1 else ShardedRows(parts))


def natural_key(path: Path) -> list[tuple[int, str]]:
    """Return a sort key under which numbers inside names count as numbers.

    Examples
    --------
    >>> sorted(map(Path, ["b.npy", "a10.npy", "a2.npy"]), key=natural_key)
    [PosixPath('a2.npy'), PosixPath('a10.npy'), PosixPath('b.npy')]
    """
    # isascii: "²" is a digit to str.isdigit and no number to int
    pieces = re.split(r"([0-9]+)", path.name)
    return [(int(piece), "") if index % 2 else (-1, piece) for index, piece in enumerate(pieces)]


def _facts(file: Path) -> tuple[int, int, int, np.dtype]:
    """Return (rows, axes, width, dtype) of one file; its size is checked."""
    with reading(file, "an .npy array"), file.open("rb") as handle:
        header = read_npy_header(handle, str(file))
    check_size(header, file.stat().st_size - header.offset, str(file))
    if len(header.shape) not in (1, 2):
        raise DataError(
            f"{file} has shape {header.shape}: files of a folder hold one vector or one matrix each."
        )
    rows = header.shape[0] if len(header.shape) == 2 else 1
    check_matrix((max(rows, 1), header.shape[-1]), header.dtype, str(file))
    return rows, len(header.shape), header.shape[-1], header.dtype


def _described(facts: tuple[int, int, int, np.dtype]) -> str:
    return f"{'one vector' if facts[1] == 1 else 'a matrix'} of {facts[2]} dimensions ({facts[3]})"


def _one_per_file(files: list[Path], dim: int, dtype: np.dtype) -> Contents:
    def load() -> np.ndarray:
        rows = np.empty((len(files), dim), dtype)
        for row, file in enumerate(files):
            rows[row] = map_npy(file)
        return rows

    ids = [file.stem for file in files]
    return Contents(DeferredRows((len(files), dim), dtype, load), "file name", lambda: pa.array(ids))


def _with_ids(source: Source, vectors: np.ndarray | ShardedRows) -> Contents:
    if source.ids.partition("::")[0].endswith((".txt", ".csv", ".tsv", ".parquet")):
        return Contents(vectors, source.ids, lambda: read_id_file(source.ids, source.path / "-"))
    path = next((source.path / name for name in _ID_FILES if (source.path / name).is_file()), None)
    if path is None:
        if source.ids:
            raise DataError(
                f"{source.path} has no column {source.ids!r}: it holds none of {', '.join(_ID_FILES)}."
            )
        return Contents(vectors)
    if path.suffix == ".txt":
        return Contents(vectors, path.name, lambda: read_id_file(path.name, path))
    columns = _columns(path)
    id_name = (
        pick_id_column(columns, source.ids, str(path)) if source.ids or set(ID_NAMES) & set(columns) else ""
    )
    rest = [column for column in columns if column != id_name]
    return Contents(
        vectors,
        f"{path.name}::{id_name}" if id_name else "",
        (lambda: read_table(path, text=(id_name,))[id_name]) if id_name else None,
        tuple(rest),
        (lambda: read_table(path).select(rest)) if rest else None,
    )


def _columns(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        with reading(path, "a parquet file"):
            return pq.read_schema(path).names
    return read_table(path).column_names
