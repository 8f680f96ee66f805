"""`alignkit convert`: from any format to any other, with everything said that is left behind."""

import json

import numpy as np
import pyarrow as pa
import pytest

from alignkit.formats import open_embeddings, write_embeddings
from alignkit.spaces import Embeddings

X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)


@pytest.fixture
def words(tmp_path):
    """Write 40 rows with words and labels as an archive; return its path."""
    np.savez(
        tmp_path / "w.npz",
        emb=X,
        other=X[:, :2],
        word=np.array([f"w {r}" for r in range(40)]),
        fold=np.arange(40) % 5,
    )
    return tmp_path / "w.npz"


def test_a_chain_of_formats_changes_no_number_and_no_id(alignkit, words, tmp_path):
    first = alignkit(
        "convert", "w.npz::emb", "a.space", "--ids", "word", "--modality", "text", "--space-name", "ft"
    )
    assert first.code == 0
    assert first.out == "a.space: 40 x 6 float32\n"
    for before, after in (
        ("a.space", "b.parquet"),
        ("b.parquet", "c.safetensors"),
        ("c.safetensors", "d.vec.gz"),
    ):
        assert alignkit("convert", before, after).code == 0
    assert alignkit("convert", "c.safetensors", "e", "--format", "clip-retrieval").code == 0
    for name in ("a.space", "b.parquet", "c.safetensors", "d.vec.gz", "e"):
        found = open_embeddings(tmp_path / name)
        np.testing.assert_array_equal(found.array(), X)
        assert found.ids.to_pylist() == [f"w {row}" for row in range(40)]
        if name != "d.vec.gz":
            assert found.items["fold"].to_pylist() == [row % 5 for row in range(40)]
            assert (found.space.name, found.modality) == ("ft", "text")


def test_what_is_left_out_is_said_on_stderr_and_in_json(alignkit, words):
    ran = alignkit("convert", "w.npz::emb", "a.npy", "--ids", "word", "--json")
    assert ran.json["written"] == "a.npy"
    assert ran.json["left_out"] == [
        "a .npy file holds numbers only: ids and metadata are left out; .space keeps them"
    ]
    assert ran.err.startswith("note: a .npy file holds numbers only")


def test_the_recipe_says_where_the_rows_came_from(alignkit, words, tmp_path):
    assert alignkit("convert", "w.npz::emb", "a.space").code == 0
    assert json.loads((tmp_path / "a.space" / "space.json").read_text())["recipe"] == {
        "converted_from": "w.npz::emb"
    }


def test_half_precision_is_kept_or_asked_for(alignkit, tmp_path):
    np.save(tmp_path / "half.npy", X.astype(np.float16))
    assert alignkit("convert", "half.npy", "a.space").out == "a.space: 40 x 6 float16\n"
    np.save(tmp_path / "x.npy", X)
    assert alignkit("convert", "x.npy", "b.space", "--dtype", "float16").code == 0
    np.testing.assert_array_equal(
        open_embeddings(tmp_path / "a.space").vectors[:], open_embeddings(tmp_path / "b.space").vectors[:]
    )


def test_frames_are_pooled_into_items(alignkit, tmp_path):
    items = pa.table(
        {"item": [f"v{row // 4}" for row in range(40)], "time": [row % 4 / 2 for row in range(40)]}
    )
    write_embeddings(Embeddings(X, items=items), tmp_path / "frames.space")
    assert (
        alignkit("convert", "frames.space", "videos.space", "--pool", "mean").out
        == "videos.space: 10 x 6 float32\n"
    )
    pooled = open_embeddings(tmp_path / "videos.space")
    assert pooled.ids.to_pylist() == [f"v{video}" for video in range(10)]
    np.testing.assert_allclose(pooled.array(), X.reshape(10, 4, 6).mean(axis=1), rtol=1e-6)
    alignkit("convert", "frames.space", "v.space", "--pool", "mean", "--pool-by", "clip").refused(
        "'clip'", "item, time"
    )
    alignkit("convert", "frames.space", "v.space", "--pool", "median").refused("median", "mean_unit")


def test_refusals_write_nothing(alignkit, words, tmp_path):
    before = sorted(path.name for path in tmp_path.iterdir())
    bad = X.copy()
    bad[11] = np.nan
    np.save(tmp_path / "bad.npy", bad)
    alignkit("convert", "bad.npy", "a.space").refused("bad.npy: row 11 holds NaN", "remove")
    (tmp_path / "bad.npy").unlink()
    alignkit("convert", "w.npz", "a.space").refused("several matrices", "w.npz::emb")
    alignkit("convert", "w.npz::emb", "a.xyz").refused("a.xyz names no format", "safetensors")
    alignkit("convert", "w.npz::emb", "a.space", "--format", "spce").refused("'spce'", "Did you mean 'space'")
    alignkit("convert", "w.npz::emb", "a.space", "--dtype", "int8").refused("int8", "float16")
    alignkit("convert", "none.npy", "a.space").refused("none.npy does not exist")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_an_existing_output_is_replaced_only_with_force(alignkit, words, tmp_path):
    assert alignkit("convert", "w.npz::emb", "a.space").code == 0
    alignkit("convert", "w.npz::other", "a.space").refused("a.space exists already", "--force")
    assert open_embeddings(tmp_path / "a.space").dim == 6
    assert alignkit("convert", "w.npz::other", "a.space", "--force").code == 0
    assert open_embeddings(tmp_path / "a.space").dim == 2


def test_a_file_can_be_converted_onto_itself(alignkit, words, tmp_path):
    assert alignkit("convert", "w.npz::emb", "a.space").code == 0
    assert alignkit("convert", "a.space", "a.space", "--force", "--dtype", "float64").code == 0
    np.testing.assert_array_equal(open_embeddings(tmp_path / "a.space").array(), X)


def test_a_trusted_pickle_becomes_a_space(alignkit, tmp_path):
    import pickle

    (tmp_path / "a.pkl").write_bytes(pickle.dumps({f"clip{row}": X[row] for row in range(40)}))
    alignkit("convert", "a.pkl", "a.space").refused("a.pkl is a Python pickle", "--trust-pickle")
    assert alignkit("convert", "a.pkl", "a.space", "--trust-pickle").code == 0
    assert open_embeddings(tmp_path / "a.space").id_at(39) == "clip39"


def test_force_keeps_the_other_modality_of_a_clip_retrieval_folder(alignkit, rotated, tmp_path):
    how = ("--format", "clip-retrieval", "--force", "--modality")
    assert alignkit("convert", rotated[0], "laion", *how, "image").code == 0
    assert alignkit("convert", rotated[0], "laion", *how, "image").code == 0
    alignkit("convert", rotated[1], "laion", *how, "text").refused("laion holds img_emb")
    assert (tmp_path / "laion" / "img_emb").is_dir()
    alignkit("convert", rotated[1], "a.parquet", "--format", "npy").refused("a.parquet would hold npy")


def test_a_card_says_which_model_made_rows_from_elsewhere(alignkit, words, tmp_path):
    card = {"name": "clap/htsat", "dim": 6, "revision": "630k", "licence": "CC0", "recipe": {"window": 10}}
    (tmp_path / "card.json").write_text(json.dumps(card | {"modality": "audio"}))
    assert alignkit("convert", "w.npz::emb", "a.space", "--space", "card.json").code == 0
    found = open_embeddings(tmp_path / "a.space")
    assert (found.space.name, found.space.revision, found.modality) == ("clap/htsat", "630k", "audio")
    recipe = json.loads((tmp_path / "a.space" / "space.json").read_text())["recipe"]
    assert (recipe["window"], recipe["licence"], recipe["converted_from"]) == (10, "CC0", "w.npz::emb")
    assert alignkit("convert", "w.npz::emb", "b.space", "--space", "a.space").code == 0
    assert open_embeddings(tmp_path / "b.space").space.name == "clap/htsat"


def test_a_card_that_does_not_fit_is_refused_with_its_field(alignkit, words, tmp_path):
    for card, *wanted in (
        ({"name": "x", "dim": 7}, "7 dimensions", "6"),
        ({"dim": 6}, "name"),
        ({"name": "x", "norm": "long"}, "norm"),
        ({"name": "x", "rate": 48000}, "rate"),
    ):
        (tmp_path / "card.json").write_text(json.dumps(card))
        alignkit("convert", "w.npz::emb", "a.space", "--space", "card.json").refused("card.json", *wanted)
    (tmp_path / "card.json").write_text("{")
    alignkit("convert", "w.npz::emb", "a.space", "--space", "card.json").refused("no JSON")
    alignkit("convert", "w.npz::emb", "a.space", "--space", "card.json", "--space-name", "x").refused(
        "--space says more"
    )
    assert not (tmp_path / "a.space").exists()
