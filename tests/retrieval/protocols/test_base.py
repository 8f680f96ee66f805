import numpy as np
import pyarrow as pa
import pytest

from alignkit.errors import DataError
from alignkit.retrieval.protocols import PROTOCOLS
from alignkit.spaces import Embeddings


def sides(n: int, split: list[str] | None = None) -> tuple[Embeddings, Embeddings]:
    """Return five captions for each of ``n`` pictures, with ids p0, p1 ...; all rows random."""
    rng = np.random.default_rng(n)
    names = [f"p{i}" for i in range(n)]
    items = {"image": np.repeat(names, 5)}
    if split is not None:
        items["split"] = np.repeat(split, 5)
    captions = Embeddings(rng.normal(size=(5 * n, 4)), items=pa.table(items), name="captions.space")
    table = None if split is None else pa.table({"split": split})
    return captions, Embeddings(rng.normal(size=(n, 4)), ids=names, items=table, name="pictures.space")


def test_the_whole_gallery_is_accepted_and_another_size_refused():
    protocol = PROTOCOLS.get("flickr8k")()
    assert protocol.plan(*sides(1000)).differs == ()
    for n in (999, 1001, 100):
        with pytest.raises(DataError, match=rf"has {n:,} pictures where it has 1,000.*column split: test"):
            protocol.plan(*sides(n))


def test_any_size_is_planned_when_asked_for_and_the_plan_says_what_differs():
    plan = PROTOCOLS.get("flickr8k")().plan(*sides(20), any_size=True)
    assert plan.differs == (
        "captions.space has 100 captions where it has 5,000",
        "pictures.space has 20 pictures where it has 1,000",
    )
    assert plan.whole.links.tolist() == [[i, i // 5] for i in range(100)]


def test_queries_and_gallery_the_wrong_way_round_are_told_what_is_missing():
    captions, pictures = sides(1000)
    with pytest.raises(
        DataError, match=r"pictures\.space has no metadata column 'image' that names.*'split'"
    ):
        PROTOCOLS.get("flickr8k")().plan(pictures, captions)


@pytest.mark.parametrize("seed", range(3))
def test_only_rows_of_the_split_are_ranked_wherever_they_stand(seed: int):
    rng = np.random.default_rng(seed)
    split = rng.permutation(["test"] * 1000 + ["train"] * 300 + ["val"] * 100).tolist()
    captions, pictures = sides(1400, split)
    plan = PROTOCOLS.get("flickr8k")().plan(captions, pictures)
    chosen = {f"p{i}" for i, word in enumerate(split) if word == "test"}
    assert set(plan.whole.target.ids.to_pylist()) == chosen
    named = plan.whole.source.items["image"].to_numpy()[plan.whole.links[:, 0]]
    assert named.tolist() == plan.whole.target.ids.take(pa.array(plan.whole.links[:, 1])).to_pylist()


def test_a_split_column_without_the_protocols_word_is_refused():
    with pytest.raises(DataError, match=r"takes the split 'test', but column split of .* holds dev, train"):
        PROTOCOLS.get("flickr8k")().plan(*sides(10, ["dev"] * 5 + ["train"] * 5))


def test_an_empty_cell_is_refused_with_its_row():
    captions, pictures = sides(2)
    items = pa.table({"image": ["p0"] * 5 + [None] + ["p1"] * 4})
    with pytest.raises(DataError, match="row 5 is empty"):
        PROTOCOLS.get("flickr8k")().plan(Embeddings(captions.vectors, items=items), pictures)


def test_columns_may_be_dictionaries_or_numbers_and_nothing_else():
    _, pictures = sides(2)
    rows, numbered = np.ones((10, 4)), Embeddings(np.ones((2, 4)), ids=[7, 8])
    coded = pa.table({"image": pa.array(["p0", "p1"] * 5).dictionary_encode()})
    protocol = PROTOCOLS.get("flickr8k")()
    plan = protocol.plan(Embeddings(rows, items=coded), pictures, any_size=True)
    assert plan.whole.links[:, 1].tolist() == [0, 1] * 5
    plan = protocol.plan(Embeddings(rows, items=pa.table({"image": [8, 7] * 5})), numbered, any_size=True)
    assert plan.whole.links[:, 1].tolist() == [1, 0] * 5
    with pytest.raises(DataError, match="reads texts or whole numbers"):
        protocol.plan(Embeddings(rows, items=pa.table({"image": [["p0"]] * 10})), pictures, any_size=True)


@pytest.mark.parametrize("name", ["desed-events", "muse-dictionary"])
def test_what_ranks_no_gallery_of_rows_says_what_it_needs(name: str):
    with pytest.raises(DataError, match=f"{name} (compares events in time|needs two vocabularies)"):
        PROTOCOLS.get(name)().plan(*sides(3), any_size=True)


def test_clips_are_joined_by_id_and_never_by_position():
    named, bare = Embeddings(np.eye(3), ids=list("abc")), Embeddings(np.eye(3), name="bare.npy")
    protocol = PROTOCOLS.get("vggsound-instance")()
    turned = Embeddings(np.eye(3), ids=list("cab"))
    links = protocol.plan(named, turned, any_size=True).whole.links
    assert links.tolist() == [[0, 1], [1, 2], [2, 0]]
    for sides_ in ((named, bare), (bare, named), (bare, bare)):
        with pytest.raises(DataError, match=r"by the clip's id, and bare\.npy has no ids"):
            protocol.plan(*sides_, any_size=True)
