"""Numpy's own file: mapped, checked against its size, never unpickled."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.formats import open_embeddings, read_header, write_embeddings
from alignkit.formats._npy import npy_preamble

X = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)


def save(path: Path, array: np.ndarray, **options) -> Path:
    np.save(path, array, **options)
    return path


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4", ">f8", "|i1", "<u2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_number_comes_back_in_any_byte_order_and_layout(tmp_path, dtype, order):
    array = np.asarray(np.abs(X) * 50, order=order).astype(dtype)
    embeddings = open_embeddings(save(tmp_path / "x.npy", array))
    np.testing.assert_array_equal(embeddings.array(np.float64), array.astype(np.float64))
    assert [len(block) for _, block in embeddings.blocks(7)] == [7, 7, 6]


def test_the_row_number_is_the_id_unless_a_file_of_ids_is_named(tmp_path):
    file = save(tmp_path / "x.npy", X)
    (tmp_path / "names.txt").write_text("".join(f"clip {row}\n" for row in range(20)))
    (tmp_path / "meta.csv").write_text("file,n\n" + "".join(f"f{row}.wav,{row}\n" for row in range(20)))
    assert not open_embeddings(file).has_ids
    assert open_embeddings(file).ids.to_pylist() == list(range(20))
    assert open_embeddings(file, ids="names.txt").id_at(3) == "clip 3"
    assert open_embeddings(file, ids="meta.csv::file").id_at(19) == "f19.wav"
    with pytest.raises(DataError, match=r"no column 'id' or 'ids' for the ids; it has: file, n"):
        open_embeddings(file, ids="meta.csv").id_at(0)
    with pytest.raises(DataError, match=r"no column 'label', and no file of that name"):
        open_embeddings(file, ids="label").id_at(0)


def test_a_file_of_too_few_ids_is_refused(tmp_path):
    (tmp_path / "ids.txt").write_text("a\nb\n")
    with pytest.raises(DataError, match=r"has 20 vectors but 2 ids"):
        open_embeddings(save(tmp_path / "x.npy", X), ids="ids.txt").id_at(0)


def test_a_slice_of_three_axes_is_chosen_by_number(tmp_path):
    file = save(tmp_path / "both.npy", np.stack([X, 2 * X]))
    np.testing.assert_array_equal(open_embeddings(f"{file}::1").array(), 2 * X)
    with pytest.raises(DataError, match=r"2 matrices in one file: choose one with .*both.npy::0 to ::1"):
        open_embeddings(file)
    for wrong in ("2", "-1", "text"):
        with pytest.raises(DataError, match="the number of one of its slices"):
            open_embeddings(f"{file}::{wrong}")


def test_the_image_side_of_stored_pairs_is_slice_zero(data):
    file = data / "modality_gap" / "features_clip.npy"
    image = open_embeddings(f"{file}::0", modality="image")
    np.testing.assert_array_equal(image.array(), np.load(file)[0])
    assert image.modality == "image"


@pytest.mark.parametrize("cut", [1, 100, 20 * 6 * 4 - 1])
def test_a_truncated_file_is_named_with_what_is_missing(tmp_path, cut):
    file = save(tmp_path / "x.npy", X)
    file.write_bytes(file.read_bytes()[:-cut])
    with pytest.raises(
        DataError, match=rf"x.npy is cut short: .*\(20, 6\) of float32 \(480 bytes\) but {480 - cut}"
    ):
        open_embeddings(file)


def test_a_file_cut_inside_its_header_is_refused(tmp_path):
    file = save(tmp_path / "x.npy", X)
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(DataError, match="cut short inside its header"):
        open_embeddings(file)


def test_a_header_that_promises_more_than_the_file_holds_allocates_nothing(tmp_path):
    file = tmp_path / "huge.npy"
    file.write_bytes(npy_preamble((10**12, 512), np.dtype("<f4")) + b"\0" * 64)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"its header promises shape \(1000000000000, 512\)"):
        open_embeddings(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_second_array_behind_the_first_is_not_ignored(tmp_path):
    with (tmp_path / "x.npy").open("wb") as handle:
        np.save(handle, X)
        np.save(handle, X)
    with pytest.raises(DataError, match="is longer than it says"):
        open_embeddings(tmp_path / "x.npy")


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.array([{"a": 1}], dtype=object), "holds pickled Python objects"),
        (np.zeros(5), r"has shape \(5,\); embeddings are a matrix"),
        (np.zeros((2, 3, 4, 5)), r"has shape \(2, 3, 4, 5\)"),
        (np.float32(1), r"has shape \(\)"),
        (np.zeros((0, 4)), r"is empty \(shape \(0, 4\)\)"),
        (np.zeros((4, 0)), r"is empty \(shape \(4, 0\)\)"),
        (np.zeros((3, 3), complex), "holds complex numbers"),
        (np.zeros((3, 3), np.int64), "whose large values no float holds exactly"),
        (np.zeros((3, 3), np.longdouble), "which is no embedding type"),
        (np.zeros((3, 3), "U4"), "which is no embedding type"),
        (np.zeros((3, 3), bool), "which is no embedding type"),
        (np.zeros((3, 3), [("a", "f4")]), "which is no embedding type"),
    ],
)
def test_what_is_no_real_matrix_gets_one_sentence(tmp_path, array, sentence):
    with pytest.raises(DataError, match=sentence):
        open_embeddings(save(tmp_path / "bad.npy", array, allow_pickle=True))


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4), }",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': [2, 4], }",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (True, 4), }",
        b"{'descr': '<q9', 'fortran_order': False, 'shape': (2, 4), }",
        b"{'descr': '<f4', 'shape': (2, 4)}",
        b"[1, 2]",
        b"__import__('os').system('true')",
        b"(" * 3000,
    ],
)
def test_a_header_that_makes_no_sense_is_neither_believed_nor_evaluated(tmp_path, header):
    file = tmp_path / "bad.npy"
    file.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 32)
    with pytest.raises(DataError, match=r"bad.npy cannot be read as an .npy array"):
        open_embeddings(file)


def test_our_header_is_the_one_that_numpy_writes(tmp_path):
    for shape in ((1, 1), (20, 6), (123456789, 512)):
        theirs = tmp_path / "theirs.npy"
        with theirs.open("wb") as handle:
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(handle, header)
        assert len(npy_preamble(shape, np.dtype("<f4"))) % 64 == 0
        with theirs.open("rb") as handle:
            np.lib.format.read_magic(handle)
            read = np.lib.format.read_array_header_1_0(handle)
        ours = tmp_path / "ours.npy"
        ours.write_bytes(npy_preamble(shape, np.dtype("<f4")))
        with ours.open("rb") as handle:
            np.lib.format.read_magic(handle)
            assert np.lib.format.read_array_header_1_0(handle) == read


def test_written_numbers_are_what_numpy_loads_and_what_is_lost_is_said(tmp_path, planted):
    notes = write_embeddings(planted, tmp_path / "x.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), planted.vectors)
    assert notes == ("a .npy file holds numbers only: ids and metadata are left out; .space keeps them",)
    assert write_embeddings(open_embeddings(tmp_path / "x.npy"), tmp_path / "again.npy") == ()


def test_a_fortran_ordered_big_endian_file_is_written_in_the_common_order(tmp_path):
    array = np.asfortranarray(X.astype(">f8"))
    write_embeddings(open_embeddings(save(tmp_path / "f.npy", array)), tmp_path / "c.npy")
    written = np.load(tmp_path / "c.npy")
    assert written.flags.c_contiguous
    assert written.dtype == np.dtype("<f8")
    np.testing.assert_array_equal(written, array)


def test_the_header_of_a_hundred_gigabytes_is_read_without_reading_them(tmp_path):
    file = tmp_path / "sparse.npy"
    rows = 100 * 2**30 // (512 * 2)
    with file.open("wb") as handle:
        handle.write(npy_preamble((rows, 512), np.dtype("<f2")))
        handle.truncate(handle.tell() + rows * 1024)
    header = read_header(file)
    assert (header.rows, header.dim, header.dtype) == (rows, 512, "float16")
    assert header.bytes > 100 * 2**30
    assert open_embeddings(file).vectors[rows - 1 :].sum() == 0


def test_an_empty_array_of_absurd_shape_is_refused(tmp_path):
    file = tmp_path / "x.npy"
    file.write_bytes(npy_preamble((10**23, 0), np.dtype("<f4")))
    with pytest.raises(DataError, match=r"x\.npy"):
        open_embeddings(file)
