"""Tensors with a JSON header, against the reference implementation in both directions."""

import json
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
import safetensors.numpy as reference
from safetensors import safe_open

from alignkit.errors import DataError
from alignkit.formats import open_embeddings, read_header, write_embeddings
from alignkit.spaces import Embeddings

X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)


def raw(path, header: dict | bytes, data: bytes = b"") -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def test_what_is_written_comes_back(tmp_path, planted, same_rows):
    assert write_embeddings(planted, tmp_path / "a.safetensors") == ()
    found = open_embeddings(tmp_path / "a.safetensors")
    same_rows(found, planted)
    assert found.items.select(["fold"]).equals(planted.items.select(["fold"]))
    assert found.items["caption"].to_pylist() == planted.items["caption"].to_pylist()
    assert (found.space, found.modality) == (planted.space, "audio")


def test_the_reference_implementation_reads_what_is_written(tmp_path, planted):
    write_embeddings(planted, tmp_path / "a.safetensors")
    theirs = reference.load_file(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(theirs["embedding"], planted.vectors)
    np.testing.assert_array_equal(theirs["fold"], planted.items["fold"].to_numpy())
    text = bytes(theirs["id.utf8"])
    starts = [0, *theirs["id.ends"].tolist()]
    assert [text[a:b].decode() for a, b in pairwise(starts)] == planted.ids.to_pylist()
    with safe_open(tmp_path / "a.safetensors", "np") as file:
        assert json.loads(file.metadata()["alignkit"])["modality"] == "audio"


def test_what_the_reference_implementation_writes_is_read(tmp_path):
    reference.save_file({"emb": X, "ids": np.arange(30), "bias": X[0]}, tmp_path / "a.safetensors")
    embeddings = open_embeddings(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(embeddings.array(), X)
    assert isinstance(embeddings.vectors, np.memmap)
    assert embeddings.id_at(4) == 4
    assert read_header(tmp_path / "a.safetensors").columns == ()
    reference.save_file({"a": X, "b": X}, tmp_path / "two.safetensors")
    with pytest.raises(DataError, match=r"several matrices .*two.safetensors::a"):
        open_embeddings(tmp_path / "two.safetensors")
    np.testing.assert_array_equal(open_embeddings(f"{tmp_path}/two.safetensors::b").array(), X)


def test_bfloat16_is_read_as_the_float32_it_stands_for(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    half = torch.tensor(X).bfloat16()
    save_file({"emb": half}, tmp_path / "a.safetensors")
    embeddings = open_embeddings(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(embeddings.array(), half.float().numpy())
    assert read_header(tmp_path / "a.safetensors").dtype == "float32"


def test_columns_that_tensors_cannot_hold_are_named(tmp_path):
    items = pa.table({"gap": pa.array([1, None, 3]), "ok": [True, False, True], "nested": [[1], [2], [3]]})
    embeddings = Embeddings(X[:3], items=items)
    notes = write_embeddings(embeddings, tmp_path / "a.safetensors")
    assert notes == ("safetensors holds no nulls and no such types: gap, nested left out",)
    assert open_embeddings(tmp_path / "a.safetensors").items["ok"].to_pylist() == [True, False, True]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}, "is cut short"),
        ({"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 40]}, "is cut short"),
        (
            {"dtype": "F8_E4M3", "shape": [4, 4], "data_offsets": [0, 16]},
            "holds F8_E4M3, which is no embedding",
        ),
        ({"dtype": "F32", "shape": [-2, -4], "data_offsets": [0, 32]}, "cannot be read"),
        ({"dtype": "F32", "shape": [2, 4], "data_offsets": [-8, 24]}, "cannot be read"),
        ({"dtype": "F32", "shape": [2, 4]}, "cannot be read"),
        ({"dtype": "F32", "shape": [2, 4], "data_offsets": "xy"}, "cannot be read"),
        ([1, 2], "cannot be read"),
        ({"dtype": "F32", "shape": [8], "data_offsets": [0, 32]}, "holds no matrix of numbers, only x"),
        ({"dtype": "I64", "shape": [2, 2], "data_offsets": [0, 32]}, "no float holds exactly"),
    ],
)
def test_a_header_that_does_not_fit_its_file_is_refused(tmp_path, entry, sentence):
    raw(tmp_path / "a.safetensors", {"x": entry}, bytes(32))
    with pytest.raises(DataError, match=sentence):
        open_embeddings(tmp_path / "a.safetensors")


def test_a_header_longer_than_the_file_or_without_tensors_is_refused(tmp_path):
    file = tmp_path / "a.safetensors"
    file.write_bytes((10**6).to_bytes(8, "little") + b"{}" + bytes(100))
    with pytest.raises(DataError, match="is not a safetensors file"):
        open_embeddings(file)
    raw(file, b"{}")
    with pytest.raises(DataError, match="holds no matrix of numbers, only nothing"):
        open_embeddings(file)
    raw(file, b"{" + b'"a":' * 4000, bytes(8))
    with pytest.raises(DataError, match="cannot be read as a safetensors file"):
        open_embeddings(file)


def test_strings_that_do_not_fit_their_text_are_refused(tmp_path):
    reference.save_file(
        {"emb": X[:2], "id.ends": np.array([3, 9]), "id.utf8": np.frombuffer(b"abcdef", np.uint8)},
        tmp_path / "a.safetensors",
    )
    with pytest.raises(DataError, match="does not fit its text"):
        open_embeddings(tmp_path / "a.safetensors").id_at(0)
