"""Ids that stand in a file of their own, beside arrays that cannot hold them."""

from pathlib import Path

import pyarrow as pa

from alignkit.errors import DataError
from alignkit.formats._base import ID_NAMES, reading


def read_table(path: Path) -> pa.Table:
    """Return a csv, tsv or parquet file as a table; every csv column that is no number is text."""
    with reading(path, "a table"):
        if path.suffix.lower() == ".parquet":
            import pyarrow.parquet as pq

            return pq.read_table(path)
        from pyarrow import csv

        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        options = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
        convert = csv.ConvertOptions(
            strings_can_be_null=False, quoted_strings_can_be_null=False, null_values=[""]
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
    if path.suffix.lower() in (".csv", ".tsv", ".parquet"):
        table = read_table(path)
        return table[pick_id_column(table.column_names, column, str(path))]
    with reading(path, "a list of ids", UnicodeDecodeError):
        return pa.array(path.read_text(encoding="utf-8").removesuffix("\n").split("\n"), pa.string())


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
