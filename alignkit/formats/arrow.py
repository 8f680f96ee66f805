"""An Arrow IPC file or stream, memory-mapped: vectors are used where they lie, without a copy."""

from typing import ClassVar

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from alignkit.errors import DataError
from alignkit.formats._base import Contents, Format, Source, reading
from alignkit.formats._tables import id_column, item_columns, matrix, read_space_metadata, vector_column
from alignkit.rows import ShardedRows


class Arrow(Format):
    """Read ``.arrow``, ``.feather`` (version 2) and the ``.arrow`` streams of Hugging Face datasets."""

    suffixes: ClassVar[tuple[str, ...]] = (".arrow", ".feather", ".ipc")

    def _contents(self, source: Source) -> Contents:
        with reading(source.path, "an Arrow file", ValueError, KeyError):
            schema, batches = _batches(source)
            column, id_name = vector_column(schema, source), id_column(schema, source)
            parts = _matrices(batches, column, source)
        columns = item_columns(schema, column, id_name)
        origin = read_space_metadata(schema.metadata, str(source.path))

        def read(names: list[str]) -> pa.Table:
            with reading(source.path, "an Arrow file"):
                table = pa.Table.from_batches([batch.select(names) for batch in batches])
                table.validate(full=True)  # strings of a damaged file may point anywhere
            return table

        rows = parts[0] if len(parts) == 1 else ShardedRows(parts)
        return Contents.of_table(rows, id_name, columns, read, origin)


def _batches(source: Source) -> tuple[pa.Schema, list[pa.RecordBatch]]:
    mapped = pa.memory_map(str(source.path))
    if mapped.read(6) == b"ARROW1":
        reader = ipc.open_file(mapped)
        return reader.schema, [reader.get_batch(number) for number in range(reader.num_record_batches)]
    mapped.seek(0)
    stream = ipc.open_stream(mapped)
    return stream.schema, list(stream)


def _matrices(batches: list[pa.RecordBatch], column: str, source: Source) -> list[np.ndarray]:
    parts: list[np.ndarray] = []
    first_row, dim = 0, None
    for batch in batches:
        if batch.num_rows:
            parts.append(matrix(batch.column(column), first_row, source.name, dim))
            dim = parts[0].shape[1]
            first_row += batch.num_rows
    if not parts:
        raise DataError(f"{source.name} is empty: it holds no row; write it again.")
    return parts
