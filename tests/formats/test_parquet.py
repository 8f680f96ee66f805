"""Tables with a column of vectors, decoded through their buffers."""

import tracemalloc

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignkit.errors import DataError
from alignkit.formats import open_embeddings, read_header, write_embeddings

X = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)


def lists(array: np.ndarray, kind: str = "fixed") -> pa.Array:
    flat = pa.array(array.reshape(-1))
    if kind == "fixed":
        return pa.FixedSizeListArray.from_arrays(flat, array.shape[1])
    offsets = np.arange(0, array.size + 1, array.shape[1])
    if kind == "list":
        return pa.ListArray.from_arrays(offsets.astype(np.int32), flat)
    return pa.LargeListArray.from_arrays(offsets, flat)


def test_what_is_written_comes_back(tmp_path, planted, same_rows):
    assert write_embeddings(planted, tmp_path / "a.parquet") == ()
    found = open_embeddings(tmp_path / "a.parquet")
    same_rows(found, planted)
    assert found.items.equals(planted.items)
    assert (found.space, found.modality) == (planted.space, "audio")


def test_a_written_table_holds_a_fixed_size_list_behind_its_id(tmp_path, planted):
    write_embeddings(planted, tmp_path / "a.parquet")
    schema = pq.read_schema(tmp_path / "a.parquet")
    assert schema.names == ["id", "caption", "fold", "embedding"]
    assert schema.field("embedding").type.list_size == planted.dim
    table = pq.read_table(tmp_path / "a.parquet")
    np.testing.assert_array_equal(
        np.stack(table["embedding"].to_pylist()), planted.vectors.astype(np.float64)
    )


@pytest.mark.parametrize("kind", ["fixed", "list", "large"])
@pytest.mark.parametrize("rows_per_group", [7, 50])
def test_every_kind_of_list_is_read_in_every_grouping(tmp_path, kind, rows_per_group):
    table = pa.table({"id": np.arange(50), "vec": lists(X, kind), "label": ["x"] * 50})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=rows_per_group)
    embeddings = open_embeddings(tmp_path / "a.parquet")
    np.testing.assert_array_equal(embeddings.array(), X)
    np.testing.assert_array_equal(embeddings.take(np.array([49, 0, 8])), X[[49, 0, 8]])
    np.testing.assert_array_equal(embeddings.vectors[5:20], X[5:20])
    assert embeddings.items.column_names == ["label"]
    header = read_header(tmp_path / "a.parquet")
    assert (header.rows, header.dim, header.dtype, header.ids) == (50, 4, "float32", "id")


def test_without_an_id_column_the_row_number_is_the_id(tmp_path):
    pq.write_table(
        pa.table({"vec": lists(X), "file": [f"{row}.wav" for row in range(50)]}), tmp_path / "a.parquet"
    )
    assert not open_embeddings(tmp_path / "a.parquet").has_ids
    assert open_embeddings(tmp_path / "a.parquet", ids="file").id_at(7) == "7.wav"
    with pytest.raises(DataError, match="has no column 'path' for the ids; it has: vec, file"):
        open_embeddings(tmp_path / "a.parquet", ids="path")


def test_a_ragged_row_is_named_by_its_number_in_the_file(tmp_path):
    ragged = pa.array([[1.0, 2.0]] * 33 + [[1.0]] + [[1.0, 2.0]] * 3)
    pq.write_table(pa.table({"vec": ragged}), tmp_path / "a.parquet", row_group_size=10)
    with pytest.raises(DataError, match="row 33 has 1 numbers where row 0 has 2"):
        open_embeddings(tmp_path / "a.parquet").array()


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.list_(pa.float32(), 2)])
def test_nulls_are_refused_and_named(tmp_path, kind):
    rows = [[1.0, 2.0]] * 15
    pq.write_table(
        pa.table({"v": pa.array([*rows, None], kind)}), tmp_path / "row.parquet", row_group_size=10
    )
    with pytest.raises(DataError, match=r"row 15 has no vector \(null\)"):
        open_embeddings(tmp_path / "row.parquet").array()
    pq.write_table(
        pa.table({"v": pa.array([*rows, [1.0, None]], kind)}), tmp_path / "n.parquet", row_group_size=10
    )
    with pytest.raises(DataError, match="row 15 holds a null among its numbers"):
        open_embeddings(tmp_path / "n.parquet").array()
    pq.write_table(pa.table({"v": pa.array([None, *rows], kind)}), tmp_path / "first.parquet")
    with pytest.raises(DataError, match=r"row 0 has no vector \(null\)"):
        open_embeddings(tmp_path / "first.parquet").array()


def test_several_columns_of_vectors_are_listed(tmp_path):
    pq.write_table(
        pa.table({"img": lists(X), "txt": lists(X + 1), "tokens": lists(X.astype(np.int32))}),
        tmp_path / "a.parquet",
    )
    with pytest.raises(
        DataError, match=r"several columns of vectors \(img, txt\): choose one with .*a.parquet::img"
    ):
        open_embeddings(tmp_path / "a.parquet")
    np.testing.assert_array_equal(open_embeddings(f"{tmp_path}/a.parquet::txt").array(), X + 1)
    assert len(read_header(tmp_path / "a.parquet").arrays) == 3
    with pytest.raises(DataError, match="has no column of vectors 'video'; it has: img, txt, tokens"):
        open_embeddings(f"{tmp_path}/a.parquet::video")


def test_a_table_without_vectors_or_rows_is_refused(tmp_path):
    pq.write_table(pa.table({"a": [1.0], "b": ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="has no column of vectors, only a, b"):
        open_embeddings(tmp_path / "a.parquet")
    pq.write_table(pa.table({"vec": lists(X)}).slice(0, 0), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="is empty: it holds no row"):
        open_embeddings(tmp_path / "b.parquet")


def test_a_truncated_table_is_refused(tmp_path, planted):
    write_embeddings(planted, tmp_path / "a.parquet")
    file = tmp_path / "a.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"a.parquet cannot be read as a parquet file"):
        open_embeddings(file)


def test_metadata_called_like_the_vectors_is_refused_by_name(tmp_path):
    from alignkit.spaces import Embeddings

    clash = Embeddings(X, items=pa.table({"embedding": ["x"] * 50}), name="clash")
    with pytest.raises(DataError, match="clash has metadata called 'embedding': rename that column"):
        write_embeddings(clash, tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


def test_no_row_becomes_python_objects(tmp_path):
    many = np.random.default_rng(0).normal(size=(4000, 128)).astype(np.float32)
    pq.write_table(pa.table({"vec": lists(many, "list")}), tmp_path / "a.parquet")
    embeddings = open_embeddings(tmp_path / "a.parquet")
    tracemalloc.start()
    found = embeddings.array()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(found, many)
    assert peak < 1.5 * many.nbytes  # as floats of Python they would take eight times the room
