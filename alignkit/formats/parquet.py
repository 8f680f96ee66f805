"""A parquet table with a column of vectors; row groups are decoded one at a time, never row by row."""

from collections import OrderedDict
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alignkit.errors import DataError
from alignkit.formats._base import Contents, Format, Source, Target, reading
from alignkit.formats._rows import stored_blocks
from alignkit.formats._tables import (
    VECTOR_COLUMN,
    id_column,
    item_columns,
    items_table,
    matrix,
    read_space_metadata,
    space_metadata,
    vector_column,
)
from alignkit.rows import ShardedRows
from alignkit.spaces import Embeddings

_KEPT_BYTES = 256 << 20  # decoded row groups that stay in memory for the next access


class Parquet(Format):
    """Read and write tables whose vectors are ``list<float>`` or ``fixed_size_list<float>``.

    Columns that hold no vectors are metadata; ``id`` or ``ids`` holds the ids unless another is named.
    Written, the vectors are a fixed-size list called ``embedding``, and the space is kept with the table.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq")
    writable: ClassVar[bool] = True

    def _contents(self, source: Source) -> Contents:
        with reading(source.path, "a parquet file", KeyError, ValueError):
            file = pq.ParquetFile(source.path)
            schema = file.schema_arrow
        column, id_name = vector_column(schema, source), id_column(schema, source)
        columns = item_columns(schema, column, id_name)
        origin = read_space_metadata(schema.metadata, str(source.path))

        def read(names: list[str]) -> pa.Table:
            with reading(source.path, "a parquet file"):
                return pq.read_table(source.path, columns=names, partitioning=None)

        return Contents.of_table(_rows(file, column, source), id_name, columns, read, origin)

    def _write(self, embeddings: Embeddings, target: Target) -> tuple[str, ...]:
        items = items_table(embeddings)
        if VECTOR_COLUMN in items.column_names:
            raise DataError(f"{embeddings.name} has metadata called {VECTOR_COLUMN!r}: rename that column.")
        dtype = pa.from_numpy_dtype(embeddings.vectors.dtype.newbyteorder("="))
        kind = pa.list_(pa.field("item", dtype, nullable=False), embeddings.dim)
        fields = [*items.schema, pa.field(VECTOR_COLUMN, kind, nullable=False)]
        schema = pa.schema(fields, metadata=space_metadata(embeddings))
        # floats do not compress and their bytes seldom repeat: neither is worth the time
        options = {
            "compression": {name: "snappy" for name in items.column_names},
            "use_dictionary": items.column_names,
        }
        start = 0
        with pq.ParquetWriter(target.path, schema, **options) as writer:
            for block in stored_blocks(embeddings):
                native = np.ascontiguousarray(block, block.dtype.newbyteorder("="))
                vectors = pa.FixedSizeListArray.from_arrays(pa.array(native.reshape(-1)), type=kind)
                rows = items.slice(start, len(block)).columns
                writer.write_table(pa.table([*rows, vectors], schema=schema), row_group_size=len(block))
                start += len(block)
        return ()


class _RowGroups:
    """Decode row groups of one column on demand and keep the latest of them."""

    def __init__(self, file: pq.ParquetFile, column: str, dim: int, dtype: np.dtype, name: str) -> None:
        self.file, self.column, self.dim, self.dtype, self.name = file, column, dim, dtype, name
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()

    def read(self, group: int, first_row: int) -> np.ndarray:
        if group not in self._kept:
            with reading(self.name, "a parquet file", KeyError, ValueError):
                table = self.file.read_row_group(group, columns=[self.column])
                rows = matrix(table[self.column], first_row, self.name, self.dim)
            self._kept[group] = rows.astype(self.dtype, copy=False)
            while len(self._kept) > 1 and sum(rows.nbytes for rows in self._kept.values()) > _KEPT_BYTES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(group)
        return self._kept[group]


class _RowGroup:
    """One row group as a matrix."""

    def __init__(self, groups: _RowGroups, group: int, rows: int, first_row: int) -> None:
        self.groups, self.group, self.first_row = groups, group, first_row
        self.shape, self.dtype = (rows, groups.dim), groups.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: slice | np.ndarray) -> np.ndarray:
        return self.groups.read(self.group, self.first_row)[key]


def _rows(file: pq.ParquetFile, column: str, source: Source) -> ShardedRows:
    footer, kind = file.metadata, file.schema_arrow.field(column).type
    sizes = [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
    full = [group for group, size in enumerate(sizes) if size > 0]
    if not full:
        raise DataError(f"{source.name} is empty: it holds no row; write it again.")
    dim = (
        kind.list_size if pa.types.is_fixed_size_list(kind) else _first_length(file, column, full[0], source)
    )
    dtype = np.dtype(kind.value_type.to_pandas_dtype())
    groups = _RowGroups(file, column, dim, dtype, source.name)
    firsts = np.cumsum([0, *sizes])
    return ShardedRows([_RowGroup(groups, group, sizes[group], int(firsts[group])) for group in full])


def _first_length(file: pq.ParquetFile, column: str, group: int, source: Source) -> int:
    """Return the length of the first list: the footer counts numbers, not the length of each row."""
    with reading(source.path, "a parquet file"):
        batch = next(file.iter_batches(1, row_groups=[group], columns=[column]))
    first = batch.column(0)
    if len(first) == 0 or not first[0].is_valid:
        raise DataError(f"{source.name}: row 0 has no vector (null): remove or re-encode that item.")
    return len(first[0])
