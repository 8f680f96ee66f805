"""A folder of `.npy`: shards in natural order, or one vector per file."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignkit.errors import DataError
from alignkit.formats import open_embeddings, read_header

X = np.random.default_rng(0).normal(size=(24, 5)).astype(np.float32)


@pytest.fixture
def shards(tmp_path):
    """Write 12 shards of two rows, part1 to part12; return their folder."""
    for part in range(12):
        np.save(tmp_path / f"part{part + 1}.npy", X[2 * part : 2 * part + 2])
    return tmp_path


def test_part_two_comes_before_part_ten(shards):
    embeddings = open_embeddings(shards)
    np.testing.assert_array_equal(embeddings.array(), X)
    assert not embeddings.has_ids
    assert read_header(shards).rows == 24


def test_one_vector_per_file_is_named_by_its_file(tmp_path):
    for row, name in enumerate(["dog", "clip10", "clip9"]):
        np.save(tmp_path / f"{name}.npy", X[row])
    embeddings = open_embeddings(tmp_path)
    assert embeddings.ids.to_pylist() == ["clip9", "clip10", "dog"]
    np.testing.assert_array_equal(embeddings.array(), X[[2, 1, 0]])


def test_a_file_of_another_width_is_named(shards):
    np.save(shards / "part7.npy", np.zeros((2, 4), np.float32))
    with pytest.raises(
        DataError, match=r"part7.npy is a matrix of 4 dimensions .* where part1.npy is .* of 5"
    ):
        open_embeddings(shards)


def test_a_file_of_another_dtype_and_a_vector_among_matrices_are_named(shards):
    np.save(shards / "part7.npy", np.zeros((2, 5)))
    with pytest.raises(DataError, match=r"part7.npy .*\(float64\)"):
        open_embeddings(shards)
    np.save(shards / "part7.npy", np.zeros(5, np.float32))
    with pytest.raises(DataError, match=r"part7.npy is one vector"):
        open_embeddings(shards)


def test_a_truncated_shard_is_named(shards):
    file = shards / "part3.npy"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"part3.npy is cut short"):
        open_embeddings(shards)


def test_a_shard_without_rows_changes_nothing(shards):
    np.save(shards / "part0.npy", X[:0])
    np.testing.assert_array_equal(open_embeddings(shards).array(), X)


def test_a_folder_of_empty_shards_is_refused(tmp_path):
    np.save(tmp_path / "part0.npy", X[:0])
    with pytest.raises(DataError, match="none of its 1 files holds a row"):
        open_embeddings(tmp_path)


def test_ids_and_metadata_stand_beside_the_shards(shards):
    (shards / "metadata.csv").write_text("id,label\n" + "".join(f"c{row},l{row % 3}\n" for row in range(24)))
    embeddings = open_embeddings(shards)
    assert embeddings.id_at(23) == "c23"
    assert embeddings.items["label"].to_pylist()[:4] == ["l0", "l1", "l2", "l0"]
    assert read_header(shards).ids == "metadata.csv::id"
    assert open_embeddings(shards, ids="label").items.column_names == ["id"]

    pq.write_table(pa.table({"ids": np.arange(24) + 100}), shards / "items.parquet")
    assert open_embeddings(shards).id_at(0) == 100  # items.parquet before metadata.csv
    (shards / "ids.txt").write_text("\n".join(f"t{row}" for row in range(24)))
    assert open_embeddings(shards).id_at(1) == "t1"  # ids.txt before both
    assert open_embeddings(shards, ids="metadata.csv").id_at(2) == "c2"  # unless one is named


def test_an_id_column_that_is_nowhere_is_refused(shards):
    with pytest.raises(DataError, match=r"has no column 'file': it holds none of ids.txt"):
        open_embeddings(shards, ids="file")
