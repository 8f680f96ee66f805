"""One door for every format: what is behind it is found by name and content, and refused in one sentence."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alignkit.errors import AlignkitError, DataError, SpaceMismatchError
from alignkit.formats import FORMATS, open_embeddings, read_header, write_embeddings
from alignkit.spaces import Embeddings, Space

X = np.arange(12, dtype=np.float32).reshape(4, 3) + 1
SUFFIXES = [".npy", ".npz", ".parquet", ".arrow", ".safetensors", ".vec", ".vec.gz", ".pt", ".pkl", ""]


def write_every_kind(folder: Path) -> list[Path]:
    """Write the same rows in every format of one file; return the files."""
    import pickle

    import torch
    from pyarrow import ipc, parquet

    embeddings = Embeddings(X, ids=["a", "b", "c", "d"])
    for suffix in (".npy", ".parquet", ".safetensors", ".vec", ".vec.gz"):
        write_embeddings(embeddings, folder / f"x{suffix}")
    np.savez(folder / "x.npz", x=X, ids=np.array(list("abcd")))
    np.savez_compressed(folder / "packed.npz", x=X, ids=np.array(list("abcd")))
    table = parquet.read_table(folder / "x.parquet")
    with ipc.new_file(str(folder / "x.arrow"), table.schema) as writer:
        writer.write_table(table)
    with ipc.new_stream(str(folder / "stream.arrow"), table.schema) as writer:
        writer.write_table(table)
    torch.save({"x": torch.tensor(X), "ids": list("abcd")}, folder / "x.pt")
    (folder / "x.pkl").write_bytes(pickle.dumps({"x": X, "ids": list("abcd")}))
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def kinds(tmp_path_factory) -> list[Path]:
    """Return one small file of every kind."""
    pytest.importorskip("torch")
    return write_every_kind(tmp_path_factory.mktemp("kinds"))


def read(path: Path | str) -> Embeddings:
    """Open and use everything: header, rows, ids and metadata."""
    read_header(path, trust_pickle=True)
    embeddings = open_embeddings(path, trust_pickle=True)
    embeddings.array()
    assert len(embeddings.ids) == len(embeddings)
    assert embeddings.items.num_columns == 0 or embeddings.items.num_rows == len(embeddings)
    return embeddings


def test_every_format_gives_the_same_rows(kinds):
    assert len(kinds) == 11
    for path in kinds:
        found = read(path)
        np.testing.assert_array_equal(found.array(), X, err_msg=str(path))
        assert found.ids.to_pylist() == ([0, 1, 2, 3] if path.suffix == ".npy" else ["a", "b", "c", "d"])


def test_a_file_without_a_telling_name_is_known_by_its_content(kinds, tmp_path):
    for path in kinds:
        if path.suffix in (".pkl", ".gz"):
            continue
        (tmp_path / "unnamed").write_bytes(path.read_bytes())
        np.testing.assert_array_equal(read(tmp_path / "unnamed").array(), X, err_msg=str(path))


def test_a_file_that_is_not_what_its_name_says_gets_a_sentence(kinds, tmp_path):
    by_suffix = {path.suffix: path for path in kinds}
    (tmp_path / "a.npy").write_bytes(by_suffix[".npz"].read_bytes())
    with pytest.raises(
        DataError, match=r"a.npy is not a .npy array but a zip archive of arrays \(.npz\): rename it"
    ):
        open_embeddings(tmp_path / "a.npy")
    (tmp_path / "a.parquet").write_bytes(by_suffix[".npy"].read_bytes())
    with pytest.raises(DataError, match=r"a.parquet is not a parquet file but a .npy array"):
        open_embeddings(tmp_path / "a.parquet")
    (tmp_path / "b.npy").write_bytes(b"\x00\x01\x02 something else entirely")
    with pytest.raises(DataError, match=r"b.npy is not a .npy array \(it starts with"):
        open_embeddings(tmp_path / "b.npy")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"notes.csv is not any format that alignkit reads"):
        open_embeddings(tmp_path / "notes.csv")


def test_nothing_an_empty_file_and_a_strange_folder_get_a_sentence(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.npy does not exist: check the path"):
        open_embeddings(tmp_path / "nowhere.npy")
    for suffix in SUFFIXES:
        (tmp_path / f"empty{suffix}").touch()
        with pytest.raises(DataError, match=r"is empty \(0 bytes\)"):
            open_embeddings(tmp_path / f"empty{suffix}")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match=r"is a folder without embeddings \(it holds nothing\)"):
        open_embeddings(tmp_path / "folder")
    with pytest.raises(DataError, match="is neither a file nor a folder"):
        open_embeddings("/dev/null")


def test_a_name_that_holds_two_colons_is_a_name_if_it_exists(tmp_path):
    np.save(tmp_path / "a::b.npy", X)
    np.testing.assert_array_equal(open_embeddings(tmp_path / "a::b.npy").array(), X)


def test_modality_and_space_are_given_where_the_file_is_silent(tmp_path):
    np.save(tmp_path / "x.npy", X)
    named = open_embeddings(tmp_path / "x.npy", modality="text", space=Space(3, "clip"))
    assert (named.modality, named.space.name) == ("text", "clip")
    with pytest.raises(DataError, match="has 3 dimensions but says it comes from clip"):
        open_embeddings(tmp_path / "x.npy", space=Space(4, "clip"))
    write_embeddings(named, tmp_path / "x.parquet")
    with pytest.raises(SpaceMismatchError, match=r"needs clap .* got clip"):
        open_embeddings(tmp_path / "x.parquet", space=Space(3, "clap"))


def test_naming_the_formats_imports_none_of_them():
    program = (
        "import sys, alignkit.formats as f; assert 'parquet' in f.FORMATS.names();"
        "print([m for m in ('numpy', 'pyarrow', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_format_says_in_one_line_what_it_is():
    assert FORMATS.names() == [
        "arrow", "clip_retrieval", "npy", "npy_folder", "npz", "parquet", "pickle_file", "safetensors_file",
        "space", "torch_file", "word2vec",
    ]  # fmt: skip
    for name in FORMATS.names():
        assert FORMATS.summary(name).endswith("."), name
        assert FORMATS.get(name).__doc__, name


def test_the_package_offers_what_it_lists():
    import alignkit.formats

    assert all(hasattr(alignkit.formats, name) for name in alignkit.formats.__all__)
    with pytest.raises(AttributeError, match="has no 'read_all'; it offers"):
        getattr(alignkit.formats, "read_all")  # noqa: B009 - a name that does not exist


QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
STARTS = [
    b"", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"PAR1", b"ARROW1\x00\x00", b"\xff\xff\xff\xff",
    b"\x1f\x8b\x08",
    b"\x80\x04", b"\x08\x00\x00\x00\x00\x00\x00\x00{", b"2 2\n", b"a 1 2\n", b"(lp0\n",
]  # fmt: skip


def refused_or_read(path: Path) -> str | None:
    """Return the sentence of a refusal, or None after a correct read; let anything else through."""
    try:
        embeddings = read(path)
    except AlignkitError as error:
        return str(error)
    assert embeddings.array().shape == (len(embeddings), embeddings.dim)
    return None


@QUICK
@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=300), suffix=st.sampled_from(SUFFIXES))
def test_random_bytes_are_refused_or_read(tmp_path, start, rest, suffix):
    path = tmp_path / f"random{suffix}"
    path.write_bytes(start + rest)
    refusal = refused_or_read(path)
    assert refusal is None or "random" in refusal


@settings(QUICK, max_examples=300)
@given(data=st.data())
def test_a_valid_file_that_was_changed_or_cut_is_refused_or_read(kinds, tmp_path, data):
    path = data.draw(st.sampled_from(kinds))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    target = tmp_path / path.name
    target.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    refusal = refused_or_read(target)
    assert refusal is None or path.name in refusal
