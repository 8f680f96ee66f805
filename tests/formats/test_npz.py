"""Archives of named arrays: which is the matrix, what is mapped, what is refused."""

import zipfile

import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.formats import open_embeddings, read_header
from alignkit.formats._rows import DeferredRows

X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
WORDS = np.array([f"w{row}" for row in range(30)])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_only_matrix_is_taken_with_ids_and_metadata(tmp_path, save, order):
    save(
        tmp_path / "a.npz",
        emb=np.asarray(X, order=order),
        ids=WORDS,
        fold=np.arange(30) % 3,
        note=np.array("hi"),
    )
    embeddings = open_embeddings(tmp_path / "a.npz")
    np.testing.assert_array_equal(embeddings.array(), X)
    assert embeddings.ids.to_pylist() == WORDS.tolist()
    assert embeddings.items["fold"].to_pylist() == [row % 3 for row in range(30)]
    assert read_header(tmp_path / "a.npz").columns == ("fold",)


def test_an_uncompressed_member_is_mapped_and_a_compressed_one_read_when_used(tmp_path):
    np.savez(tmp_path / "stored.npz", emb=X)
    np.savez_compressed(tmp_path / "packed.npz", emb=X)
    assert isinstance(open_embeddings(tmp_path / "stored.npz").vectors, np.memmap)
    assert isinstance(open_embeddings(tmp_path / "packed.npz").vectors, DeferredRows)


def test_several_matrices_are_listed_with_the_way_to_choose(tmp_path):
    np.savez(tmp_path / "two.npz", audio=X, text=X[:, :2], name=WORDS)
    with pytest.raises(DataError, match=r"several matrices \(audio \(30, 4\) float32, text .*two.npz::audio"):
        open_embeddings(tmp_path / "two.npz")
    assert open_embeddings(f"{tmp_path}/two.npz::text", ids="name").id_at(2) == "w2"
    listed = read_header(tmp_path / "two.npz")
    assert [array.name for array in listed.arrays] == ["audio", "text", "name"]
    assert listed.rows is None
    with pytest.raises(DataError, match="has no array 'video'; it has: audio"):
        open_embeddings(f"{tmp_path}/two.npz::video")


def test_ids_must_be_one_per_row(tmp_path):
    np.savez(tmp_path / "a.npz", emb=X, short=WORDS[:5])
    with pytest.raises(DataError, match=r"short \(5,\) .*cannot hold the ids of 30 rows"):
        open_embeddings(tmp_path / "a.npz", ids="short")
    with pytest.raises(DataError, match=r"has no array 'word' for the ids"):
        open_embeddings(tmp_path / "a.npz", ids="word")
    np.savez(tmp_path / "b.npz", emb=X, id=np.array(["same"] * 30))
    with pytest.raises(DataError, match="id 'same' stands in row 0 and again in row 1"):
        open_embeddings(tmp_path / "b.npz").id_at(0)


def test_pickled_members_are_never_read(tmp_path):
    np.savez(tmp_path / "o.npz", emb=np.array([[{}]], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="holds Python objects"):
        open_embeddings(tmp_path / "o.npz")
    np.savez(tmp_path / "mixed.npz", emb=X, ids=np.array([{}] * 30, dtype=object), allow_pickle=True)
    np.testing.assert_array_equal(open_embeddings(tmp_path / "mixed.npz").array(), X)
    assert not open_embeddings(tmp_path / "mixed.npz").has_ids


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    file = tmp_path / "bomb.npz"
    rows = (300 << 20) // 2048
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("emb.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "<f4", "fortran_order": False, "shape": (rows, 512)}
        )
        for _ in range(300):
            member.write(bytes(1 << 20))
    assert file.stat().st_size < 1 << 20
    with pytest.raises(DataError, match="looks like a zip bomb"):
        open_embeddings(file)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_changed_byte_among_the_numbers_or_a_cut_archive_is_refused_or_seen(tmp_path, save):
    save(tmp_path / "a.npz", emb=X)
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut.npz cannot be read as a zip archive"):
        open_embeddings(tmp_path / "cut.npz")


def test_a_member_that_promises_more_than_it_holds_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, archive.open("emb.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "<f4", "fortran_order": False, "shape": (9, 9)}
        )
    with pytest.raises(DataError, match=r"a.npz::emb is cut short"):
        open_embeddings(tmp_path / "a.npz")


def test_an_archive_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    with pytest.raises(DataError, match=r"holds no .npy member"):
        open_embeddings(tmp_path / "a.npz")


def test_real_word_vectors_open_with_their_words(data):
    file = data / "bilingual" / "m30k_vecs_en_de.npz"
    english = open_embeddings(f"{file}::en_vecs", ids="en_words")
    assert (len(english), english.dim, english.vectors.dtype) == (5150, 300, np.float16)
    assert english.ids.to_pylist() == np.load(file)["en_words"].tolist()
