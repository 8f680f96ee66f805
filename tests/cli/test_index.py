import json

import numpy as np
import pytest

from alignkit.storage import load_index


@pytest.fixture
def mapped(alignkit, rotated, tmp_path):
    """Fit a map on the rotated rows; write the first 80 sources as a bank."""
    assert alignkit("fit", *rotated, "--out", "a.alignment").code == 0
    np.save(tmp_path / "bank.npy", np.load(rotated[0])[:80])
    return rotated


def test_a_gallery_is_indexed_with_its_map_and_bank(alignkit, mapped, tmp_path):
    ran = alignkit("index", "y.npy", "--alignment", "a.alignment", "--bank", "bank.npy", "--out", "y.index")
    assert ran.code == 0, ran.err
    assert ran.out == "y.index: 120 rows of 16 dimensions, flat, CSLS by 10 neighbours among 80 sources\n"
    found = load_index(tmp_path / "y.index")
    assert found.alignment.method == "procrustes"
    assert found.index.vectors.shape == (120, 17)
    plain = alignkit("index", "y.npy", "--no-csls", "--out", "plain.index")
    assert plain.out == "plain.index: 120 rows of 16 dimensions, flat, plain cosine\n"


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_an_approximate_index_says_what_it_finds(alignkit, mapped, kind):
    pytest.importorskip("faiss")
    ran = alignkit(
        "index",
        "y.npy",
        "--bank",
        "bank.npy",
        "--out",
        "y.index",
        "--kind",
        kind,
        "--neighbours",
        "5",
        "--json",
    )
    assert ran.code == 0, ran.err
    assert ran.json["schema"] == "alignkit.index/1"
    assert (ran.json["kind"], ran.json["neighbours"], ran.json["rows"]) == (kind, 5, 120)
    assert ran.json["bank"] == {"name": "bank.npy", "rows": 80}
    assert ran.json["settings"]["recall"] >= 0.99
    assert "recall@10" in ran.err


def test_a_joint_map_serves_an_index_where_it_is_clear_between_which_spaces(alignkit, rotated, tmp_path):
    np.save(tmp_path / "z.npy", np.load(rotated[0])[:, ::-1])
    assert alignkit("fit", *rotated, "z.npy", "--out", "all.joint").code == 0
    words = ("index", "y.npy", "--bank", "z.npy", "--neighbours", 5, "--force", "--out", "y.index")
    for named in ("all.joint", "all.joint::2:1"):
        ran = alignkit(*words, "--alignment", named)
        assert ran.code == 0, ran.err
        hits = alignkit("search", "y.index", "z.npy", "-k", 1, "--json").json["hits"]
        assert sum(hit["gallery"] == [hit["query"]] for hit in hits) > 100
    bare = ("index", "y.npy", "--no-csls", "--out", "bare.index", "--alignment")
    alignkit(*bare, "all.joint").refused("joins several spaces: say which two, like all.joint::")
    assert alignkit(*bare, "all.joint::2:1").code == 0


def test_bad_input_is_one_sentence_and_writes_nothing(alignkit, mapped, tmp_path):
    alignkit("index", "y.npy", "--out", "y.index").refused("needs a bank", "--bank", "--no-csls")
    alignkit("index", "y.npy", "--bank", "bank.npy", "--neighbours", "99", "--out", "y.index").refused(
        "neighbours is 99 but the bank has 80 rows"
    )
    alignkit("index", "y.npy", "--bank", "bank.npy", "--neighbours", "0", "--out", "y.index").refused(
        "at least one"
    )
    alignkit("index", "none.npy", "--no-csls", "--out", "y.index").refused("none.npy does not exist")
    np.save(tmp_path / "wide.npy", np.ones((30, 20)))
    alignkit("index", "y.npy", "--bank", "wide.npy", "--out", "y.index").refused("16 dimensions", "20")
    alignkit(
        "index", "wide.npy", "--alignment", "a.alignment", "--bank", "bank.npy", "--out", "y.index"
    ).refused("16 dimensions", "20")
    assert not (tmp_path / "y.index").exists()


def test_an_existing_index_is_replaced_only_with_force(alignkit, mapped, tmp_path):
    words = ("index", "y.npy", "--bank", "bank.npy", "--out", "y.index")
    assert alignkit(*words).code == 0
    alignkit(*words, "--neighbours", "3").refused("y.index exists already", "--force")
    assert alignkit(*words, "--neighbours", "3", "--force").code == 0
    assert json.loads((tmp_path / "y.index" / "index.json").read_text())["neighbours"] == 3
    alignkit("index", "y.npy", "--no-csls", "--out", "a.alignment", "--force").refused("a.alignment holds")


def test_a_device_is_refused_where_faiss_has_no_cards(alignkit, mapped):
    faiss = pytest.importorskip("faiss")
    if hasattr(faiss, "StandardGpuResources"):
        pytest.skip("the faiss that is installed here can use graphics cards")
    words = ("index", "y.npy", "--no-csls", "--kind", "ivf", "--out", "y.index")
    ran = alignkit(*words, "--device", "cuda:0,1")
    assert ran.code == 5
    assert "pip install 'alignkit[faiss-gpu]'" in ran.err
    alignkit(*words, "--device", "gpu").refused("choose cpu, cuda, cuda:NUMBER")
    alignkit(*words, "--float16").refused("float16 is for rows on a graphics card")
    assert alignkit(*words).code == 0
    assert alignkit("search", "y.index", "y.npy", "--device", "cuda").code == 5
