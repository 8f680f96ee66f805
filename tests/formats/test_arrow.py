"""Arrow IPC files and streams: the vectors are where they lie on disk."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, ipc

from alignkit.errors import DataError
from alignkit.formats import open_embeddings, read_header

X = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)


@pytest.fixture
def table() -> pa.Table:
    """Return ids, labels and a fixed-size list of four numbers in each of 50 rows."""
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(X.reshape(-1)), 4)
    return pa.table({"id": [f"r{row}" for row in range(50)], "vec": vectors, "label": np.arange(50)})


def write(table: pa.Table, path, opener=ipc.new_file, rows_per_batch: int = 50) -> None:
    with opener(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=rows_per_batch)


@pytest.mark.parametrize("opener", [ipc.new_file, ipc.new_stream])
@pytest.mark.parametrize("rows_per_batch", [7, 50])
def test_files_and_streams_are_read(tmp_path, table, opener, rows_per_batch):
    write(table, tmp_path / "a.arrow", opener, rows_per_batch)
    embeddings = open_embeddings(tmp_path / "a.arrow")
    np.testing.assert_array_equal(embeddings.array(), X)
    assert embeddings.id_at(13) == "r13"
    assert embeddings.items["label"].to_pylist() == list(range(50))
    header = read_header(tmp_path / "a.arrow")
    assert (header.rows, header.dim, header.ids) == (50, 4, "id")


def test_opening_copies_no_vector(tmp_path):
    big = np.zeros((20_000, 512), np.float32)
    write(
        pa.table({"vec": pa.FixedSizeListArray.from_arrays(pa.array(big.reshape(-1)), 512)}),
        tmp_path / "a.arrow",
        rows_per_batch=20_000,
    )
    before = pa.total_allocated_bytes()
    embeddings = open_embeddings(tmp_path / "a.arrow")
    assert pa.total_allocated_bytes() - before < 1 << 20
    assert not embeddings.vectors[:].flags.owndata
    assert embeddings.vectors[19_999:].sum() == 0


def test_lists_of_any_length_are_read_and_ragged_ones_named(tmp_path, table):
    even = table.set_column(1, "vec", pa.array(X.tolist(), pa.list_(pa.float32())))
    write(even, tmp_path / "even.arrow", rows_per_batch=9)
    np.testing.assert_array_equal(open_embeddings(tmp_path / "even.arrow").array(), X)
    ragged = [*X.tolist()[:30], [1.0], *X.tolist()[31:]]
    write(
        table.set_column(1, "vec", pa.array(ragged, pa.list_(pa.float32()))),
        tmp_path / "r.arrow",
        rows_per_batch=9,
    )
    with pytest.raises(DataError, match="row 30 has 1 numbers where row 0 has 4"):
        open_embeddings(tmp_path / "r.arrow")


def test_feather_is_read_compressed_or_not(tmp_path, table):
    for compression in ("uncompressed", "lz4", "zstd"):
        with pytest.MonkeyPatch.context():
            feather.write_feather(table, str(tmp_path / "a.feather"), compression=compression)
        np.testing.assert_array_equal(open_embeddings(tmp_path / "a.feather").array(), X)


def test_a_cut_file_is_refused(tmp_path, table):
    write(table, tmp_path / "a.arrow")
    file = tmp_path / "a.arrow"
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"a.arrow cannot be read as an Arrow file"):
        open_embeddings(file)


def test_a_file_without_rows_is_refused(tmp_path, table):
    write(table.slice(0, 0), tmp_path / "a.arrow")
    with pytest.raises(DataError, match="is empty: it holds no row"):
        open_embeddings(tmp_path / "a.arrow")
