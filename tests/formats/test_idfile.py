"""Ids in a file of their own stay what they are written as."""

import numpy as np
import pyarrow as pa
import pytest

from alignkit.errors import DataError
from alignkit.formats import open_embeddings, read_table

X = np.random.default_rng(0).normal(size=(3, 4))


@pytest.mark.parametrize(
    ("name", "content", "ids"),
    [
        ("ids.csv", "id\n007\n7\n1e5\n", ["007", "7", "1e5"]),
        ("ids.csv", "\ufeffid,fold\n007,1\n008,2\n009,3\n", ["007", "008", "009"]),
        ("ids.csv::clip", "id,clip\n1,001\n2,002\n3,003\n", ["001", "002", "003"]),
        ("ids.txt", "\ufeff007\r\n008\r\n009\r\n", ["007", "008", "009"]),
    ],
)
def test_leading_zeros_and_marks_of_encoding(tmp_path, name, content, ids):
    np.save(tmp_path / "x.npy", X)
    (tmp_path / name.partition("::")[0]).write_bytes(content.encode())
    assert open_embeddings(tmp_path / "x.npy", ids=name).ids.to_pylist() == ids


def test_ids_beside_the_shards_of_a_folder_keep_their_zeros(tmp_path):
    np.save(tmp_path / "part0.npy", X)
    (tmp_path / "metadata.csv").write_text("id,fold\n01,1\n02,2\n03,3\n")
    rows = open_embeddings(tmp_path)
    assert rows.ids.to_pylist() == ["01", "02", "03"]
    assert rows.items["fold"].to_pylist() == [1, 2, 3]


def test_columns_of_one_name_and_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("id,id\n1,2\n")
    with pytest.raises(DataError, match="2 columns called 'id'"):
        read_table(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_bytes(b"id\nd\xe9j\xe0\n")
    with pytest.raises(DataError, match=r"b\.csv cannot be read as a table"):
        read_table(tmp_path / "b.csv", text=["id"])
    (tmp_path / "c.tsv").write_text("id\tgroup\n01\t\n")
    assert read_table(tmp_path / "c.tsv", text=["id", "group"]).schema.types == [pa.string()] * 2
