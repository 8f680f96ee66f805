"""LAION's folder: shards matched by number, counts checked one by one."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignkit.errors import DataError, ParameterError
from alignkit.formats import clip_retrieval, open_embeddings, read_header, write_embeddings
from alignkit.spaces import Embeddings

X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float16)


@pytest.fixture
def laion(tmp_path):
    """Write 12 shards of five rows for images and texts, with captions; return their folder."""
    for name in ("img_emb", "text_emb", "metadata"):
        (tmp_path / name).mkdir()
    for shard in range(12):
        rows = slice(5 * shard, 5 * shard + 5)
        np.save(tmp_path / "img_emb" / f"img_emb_{shard}.npy", X[rows])
        np.save(tmp_path / "text_emb" / f"text_emb_{shard}.npy", -X[rows])
        table = pa.table({"image_path": [f"{r}.jpg" for r in range(60)][rows], "caption": ["a"] * 5})
        pq.write_table(table, tmp_path / "metadata" / f"metadata_{shard}.parquet")
    return tmp_path


def test_shards_are_joined_by_the_number_in_their_names(laion):
    image = open_embeddings(f"{laion}::image", ids="image_path")
    np.testing.assert_array_equal(
        image.vectors[:], X
    )  # img_emb_10 stands after img_emb_9, not after img_emb_1
    assert image.ids.to_pylist() == [f"{row}.jpg" for row in range(60)]
    assert image.modality == "image"
    assert image.items.column_names == ["caption"]
    np.testing.assert_array_equal(open_embeddings(f"{laion}::text").vectors[:], -X)
    np.testing.assert_array_equal(open_embeddings(laion, modality="text").vectors[:], -X)
    np.testing.assert_array_equal(open_embeddings(f"{laion}::img").vectors[:], X)


def test_several_modalities_are_listed(laion):
    with pytest.raises(DataError, match=r"holds image, text embeddings: choose one with .*::image"):
        open_embeddings(laion)
    listed = read_header(laion).arrays
    assert [(a.name, a.shape, a.dtype) for a in listed] == [
        ("image", (60, 4), "float16"),
        ("text", (60, 4), "float16"),
    ]
    with pytest.raises(DataError, match="has no audio embeddings; it has: image, text"):
        open_embeddings(f"{laion}::audio")


def test_a_shard_with_other_rows_than_its_metadata_is_named(laion):
    np.save(laion / "img_emb" / "img_emb_7.npy", X[:4])
    with pytest.raises(DataError, match=r"img_emb_7.npy has 4 rows but metadata_7.parquet has 5"):
        open_embeddings(f"{laion}::image")
    assert len(open_embeddings(f"{laion}::text")) == 60


def test_a_missing_shard_is_named_on_either_side(laion):
    (laion / "metadata" / "metadata_11.parquet").unlink()
    with pytest.raises(
        DataError, match=r"metadata has no shard 11: vectors and metadata were not copied together"
    ):
        open_embeddings(f"{laion}::image")
    (laion / "img_emb" / "img_emb_3.npy").unlink()
    with pytest.raises(DataError, match=r"img_emb has 11 shards up to 11 but no shard 3"):
        open_embeddings(f"{laion}::image")


def test_shards_of_other_widths_and_without_numbers_are_named(laion):
    np.save(laion / "img_emb" / "img_emb_4.npy", X[:5, :3])
    with pytest.raises(DataError, match=r"img_emb_4.npy is 3 x float16 where the first shard is 4 x float16"):
        open_embeddings(f"{laion}::image")
    np.save(laion / "text_emb" / "extra.npy", X)
    with pytest.raises(DataError, match=r"extra.npy has no number in its name"):
        open_embeddings(f"{laion}::text")


def test_without_metadata_rows_have_numbers(laion):
    for file in (laion / "metadata").iterdir():
        file.unlink()
    (laion / "metadata").rmdir()
    assert not open_embeddings(f"{laion}::text").has_ids
    with pytest.raises(DataError, match="has no metadata/, so no column 'image_path'"):
        open_embeddings(f"{laion}::text", ids="image_path")


def test_what_is_written_comes_back(tmp_path, planted, same_rows):
    assert write_embeddings(planted, tmp_path / "out", format="clip-retrieval") == ()
    found = open_embeddings(tmp_path / "out")
    same_rows(found, planted)
    assert found.items.equals(planted.items)
    assert (found.space, found.modality) == (planted.space, "audio")
    assert sorted(p.relative_to(tmp_path).as_posix() for p in (tmp_path / "out").rglob("*.*")) == [
        "out/audio_emb/audio_emb_0.npy",
        "out/metadata/metadata_0.parquet",
    ]


def test_partitions_are_numbered_with_zeros_and_stay_in_order(tmp_path, monkeypatch, same_rows):
    monkeypatch.setattr(clip_retrieval, "_PARTITION", 5)
    whole = Embeddings(X, ids=list(range(60)), modality="image")
    write_embeddings(whole, tmp_path / "out", format="clip-retrieval")
    names = sorted(path.name for path in (tmp_path / "out" / "img_emb").iterdir())
    assert names[0] == "img_emb_00.npy"
    assert names[-1] == "img_emb_11.npy"
    same_rows(open_embeddings(tmp_path / "out"), whole)


def test_a_modality_that_the_layout_does_not_know_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="holds image, text, audio, not an unnamed modality: say which"):
        write_embeddings(Embeddings(X), tmp_path / "out", format="clip-retrieval")
    assert list(tmp_path.iterdir()) == []
