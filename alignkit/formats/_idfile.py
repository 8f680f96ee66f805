"""Ids that stand in a file of their own, beside arrays that cannot hold them."""

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa

from alignkit.errors import DataError
from alignkit.formats._base import ID_NAMES, reading

_PARQUET = (".parquet", ".pq")


def read_table(path: Path, text: Collection[str] = ()) -> pa.Table:
    """Return a csv, tsv or parquet file as a table.

    Of a csv, the columns named in ``text`` are text whatever they look like (the id ``007`` stays 007);
    of the others, those that hold nothing but numbers are numbers.

    Raises
    ------
    DataError
        If the file is no such table, is not UTF-8, or two of its columns have one name.
    """
    with reading(path, "a table", UnicodeDecodeError):
        table = _read_parquet(path) if path.suffix.lower() in _PARQUET else _read_csv(path, text)
        names = table.column_names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(
            f"{path} has {names.count(twice)} columns called {twice!r}: rename all but one, or "
            "write the names of the columns into its first line."
        )
    return table


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(path, partitioning=None)


def _read_csv(path: Path, text: Collection[str]) -> pa.Table:
    from pyarrow import csv

    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    options = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(text, pa.string()),
        strings_can_be_null=False,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    return csv.read_csv(path, parse_options=options, convert_options=convert)


def read_id_file(named: str, beside: Path) -> "pa.Array | pa.ChunkedArray":
    """Return the ids in the file that ``named`` names, itself or beside the vectors.

    A ``.txt`` file holds one id per line; a csv, tsv or parquet file a column ``id`` (or the one after
    ``::``, as in ``metadata.csv::audio_filename``).

    Raises
    ------
    DataError
        If there is no such file, or no such column in it.
    """
    name, _, column = named.partition("::")
    path = next((p for p in (beside.parent / name, Path(name)) if p.is_file()), None)
    if path is None:
        raise DataError(
            f"{beside} has no column {named!r}, and no file of that name stands beside it: "
            "name a .txt (one id per line), .csv or .parquet file that holds its ids."
        )
    if path.suffix.lower() in (".csv", ".tsv", *_PARQUET):
        table = read_table(path, text=(column,) if column else ID_NAMES)
        return table[pick_id_column(table.column_names, column, str(path))]
    with reading(path, "a list of ids", UnicodeDecodeError):
        return pa.array(path.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n"), pa.string())


def pick_id_column(columns: list[str], asked: str, name: str) -> str:
    """Return the id column that was asked for, or ``id``/``ids``; raise DataError where there is none."""
    wanted = (asked,) if asked else ID_NAMES
    for column in wanted:
        if column in columns:
            return column
    raise DataError(
        f"{name} has no column {' or '.join(map(repr, wanted))} for the ids; "
        f"it has: {', '.join(columns) or 'none'}."
    )
