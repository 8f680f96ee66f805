"""Whole or not at all: refusals write nothing, and what stood there before survives every failure."""

import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from alignkit.errors import DataError, OutputError, ParameterError
from alignkit.formats import FORMATS, open_embeddings, write_embeddings
from alignkit.formats._write import format_names
from alignkit.spaces import Embeddings

X = np.random.default_rng(0).normal(size=(500, 16)).astype(np.float32)
OUTPUTS = ["a.space", "a.npy", "a.parquet", "a.safetensors", "a.vec", "a.vec.gz"]


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_suffix_names_the_format_and_an_option_overrules_it(tmp_path):
    embeddings = Embeddings(X, modality="text")
    for name in OUTPUTS:
        write_embeddings(embeddings, tmp_path / name)
        np.testing.assert_array_equal(open_embeddings(tmp_path / name).array(), X)
    for form in ("space", "clip-retrieval", "clip_retrieval"):
        write_embeddings(embeddings, tmp_path / f"as-{form}", format=form)
        np.testing.assert_array_equal(open_embeddings(tmp_path / f"as-{form}").array(), X)
    write_embeddings(embeddings, tmp_path / "odd.bin", format="safetensors")
    np.testing.assert_array_equal(open_embeddings(tmp_path / "odd.bin").array(), X)


def test_formats_that_cannot_be_written_or_are_unknown_are_refused(tmp_path):
    embeddings = Embeddings(X)
    known = "clip-retrieval, npy, parquet, safetensors, space, word2vec"
    assert ", ".join(format_names(writable=True)) == known
    with pytest.raises(
        ParameterError, match=rf"out names no format: end it in one of \.space, .* one of {known}"
    ):
        write_embeddings(embeddings, tmp_path / "out")
    with pytest.raises(ParameterError, match="reads npz but does not write it"):
        write_embeddings(embeddings, tmp_path / "a.npz")
    with pytest.raises(ParameterError, match=r"no format named 'parquett'. Did you mean 'parquet'"):
        write_embeddings(embeddings, tmp_path / "a", format="parquett")
    with pytest.raises(ParameterError, match=r"a.parquet would hold npy, which its name denies"):
        write_embeddings(embeddings, tmp_path / "a.parquet", format="npy")
    assert names(tmp_path) == []
    assert {name for name in FORMATS.names() if FORMATS.get(name).writable} == {
        "clip_retrieval", "npy", "parquet", "safetensors_file", "space", "word2vec",
    }  # fmt: skip


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_existing_output_is_kept_without_force_and_replaced_with_it(tmp_path, name):
    write_embeddings(Embeddings(X), tmp_path / name)
    with pytest.raises(OutputError, match=rf"{name} exists already: pass --force"):
        write_embeddings(Embeddings(-X), tmp_path / name)
    np.testing.assert_array_equal(open_embeddings(tmp_path / name).array(), X)
    write_embeddings(Embeddings(-X), tmp_path / name, force=True)
    np.testing.assert_array_equal(open_embeddings(tmp_path / name).array(), -X)
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_is_named_and_nothing_is_written(tmp_path, name, value):
    bad = X.copy()
    bad[437, 3] = value
    embeddings = Embeddings(bad, ids=[f"clip{row}" for row in range(500)], name="bad.npy")
    with pytest.raises(
        DataError, match=r"bad.npy: row 437 \(id 'clip437'\) holds NaN or an infinite value: remove"
    ):
        write_embeddings(embeddings, tmp_path / name)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_failure_leaves_the_old_output_as_it_was(tmp_path, name):
    write_embeddings(Embeddings(X), tmp_path / name)
    bad = X.copy()
    bad[499] = np.nan
    with pytest.raises(DataError, match="row 499"):
        write_embeddings(Embeddings(bad), tmp_path / name, force=True)
    np.testing.assert_array_equal(open_embeddings(tmp_path / name).array(), X)
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_full_disk_is_one_sentence_and_the_old_output_survives(tmp_path, name):
    write_embeddings(Embeddings(X), tmp_path / name)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    big = Embeddings(np.random.default_rng(1).normal(size=(3000, 64)).astype(np.float32))
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, limit[1]))
        with pytest.raises(
            OutputError, match=rf"{name} could not be written: .*What stood there before is untouched"
        ):
            write_embeddings(big, tmp_path / name, force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    np.testing.assert_array_equal(open_embeddings(tmp_path / name).array(), X)
    assert names(tmp_path) == [name]


PROGRAM = """
import sys, time
import numpy as np
from alignkit.formats import write_embeddings
from alignkit.spaces import Embeddings

class Slow:
    shape, dtype = (10**7, 16), np.dtype(np.float32)
    def __len__(self):
        return 10**7
    def __getitem__(self, key):
        print("writing", flush=True)
        time.sleep(0.2)
        return np.zeros((key.stop - key.start, 16), np.float32)

write_embeddings(Embeddings(Slow()), sys.argv[1], force=True)
"""


@pytest.mark.parametrize("name", ["a.space", "a.npy", "a.parquet"])
def test_a_killed_process_leaves_the_old_output_and_the_next_write_clears_its_remains(tmp_path, name):
    write_embeddings(Embeddings(X), tmp_path / name)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / name)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(2):
            assert process.stdout.readline() == "writing\n"
        os.kill(process.pid, signal.SIGKILL)
    left = [path for path in names(tmp_path) if path != name]
    assert len(left) == 1
    assert left[0].endswith(".partial")
    np.testing.assert_array_equal(open_embeddings(tmp_path / name).array(), X)
    write_embeddings(Embeddings(-X), tmp_path / name, force=True)
    assert names(tmp_path) == [name]


def test_another_dtype_is_written_where_every_number_fits(tmp_path):
    write_embeddings(Embeddings(X), tmp_path / "a.space", dtype="float16")
    np.testing.assert_array_equal(open_embeddings(tmp_path / "a.space").vectors[:], X.astype(np.float16))
    large = X.copy()
    large[3, 0] = 70_000
    with pytest.raises(DataError, match="holds 70000, which is too large for float16: choose float32"):
        write_embeddings(Embeddings(large), tmp_path / "b.space", dtype="float16")
    for wrong in ("int8", "complex64", "float128", "nonsense"):
        with pytest.raises(ParameterError, match=rf"cannot be written as {wrong}: choose float16"):
            write_embeddings(Embeddings(X), tmp_path / "b.space", dtype=wrong)
    assert names(tmp_path) == ["a.space"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"nowhere is not a folder: create it first, then write a.npy"):
        write_embeddings(Embeddings(X), tmp_path / "nowhere" / "a.npy")


def test_writing_streams(tmp_path):
    """Two gigabytes of rows pass through while memory grows by a few blocks."""

    class Made:
        shape, dtype = (100_000, 512), np.dtype(np.float32)
        widest = 0

        def __len__(self) -> int:
            return self.shape[0]

        def __getitem__(self, key: slice) -> np.ndarray:
            Made.widest = max(Made.widest, key.stop - key.start)
            return np.ones((key.stop - key.start, 512), np.float32)

    start = time.process_time()
    write_embeddings(Embeddings(Made()), tmp_path / "a.npy")
    assert Made.widest * 512 * 4 <= 16 << 20
    assert np.load(tmp_path / "a.npy", mmap_mode="r").shape == (100_000, 512)
    assert time.process_time() - start < 30
