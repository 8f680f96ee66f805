"""Pairs are built by id, many-to-many, and split so that nothing of one item stands on both sides."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignkit.errors import DataError, PairingError
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings


def rows(ids, dim: int = 4, seed: int = 0, name: str = "e", **options) -> Embeddings:
    vectors = np.random.default_rng(seed).normal(size=(len(ids), dim))
    return Embeddings(vectors, ids=ids, name=name, **options)


def numbered(count: int, seed: int = 0) -> Embeddings:
    return rows([f"i{row}" for row in range(count)], seed=seed)


def linked(source_rows: int, target_rows: int, links: list[tuple[int, int]], groups=None) -> Pairs:
    source, target = numbered(source_rows), numbered(target_rows, seed=1)
    return Pairs(source, target, np.array(links), None if groups is None else np.array(groups))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.permutations(range(8)), st.permutations(range(8)))
def test_the_order_of_the_files_changes_no_pair(first, second):
    source, target = rows(list("abcdefgh")), rows(list("cdefghij"), seed=1)
    pairs = Pairs.by_id(source.select(np.array(first)), target.select(np.array(second)))
    joined = {
        pairs.source.id_at(int(s)): (pairs.source.vectors[s].tolist(), pairs.target.vectors[t].tolist())
        for s, t in pairs.links
    }
    straight = Pairs.by_id(source, target)
    assert joined == {
        source.id_at(int(s)): (source.vectors[s].tolist(), target.vectors[t].tolist())
        for s, t in straight.links
    }
    assert sorted(joined) == list("cdefgh")


def test_the_join_is_counted():
    pairs = Pairs.by_id(rows(list("abcde")), rows(list("xcb")))
    assert pairs.join() == {
        "pairs": 2,
        "source_rows": 5,
        "target_rows": 3,
        "source_unmatched": 3,
        "target_unmatched": 1,
    }
    source, target = pairs.vectors()
    np.testing.assert_array_equal(source, pairs.source.vectors[[1, 2]])
    np.testing.assert_array_equal(target, pairs.target.vectors[[2, 1]])


def test_without_ids_the_row_numbers_are_paired():
    pairs = Pairs.by_id(Embeddings(np.eye(5)), Embeddings(np.eye(3)))
    assert pairs.links.tolist() == [[0, 0], [1, 1], [2, 2]]
    mixed = Pairs.by_id(Embeddings(np.eye(3)), rows([2, 0, 7], dim=3))
    assert mixed.links.tolist() == [[0, 1], [2, 0]]


def test_ids_of_other_integer_and_string_types_are_the_same_ids():
    small = rows(pa.array([1, 2], pa.int16()))
    assert len(Pairs.by_id(small, rows(pa.array([2, 1], pa.uint32())))) == 2
    assert len(Pairs.by_id(small, rows(["2", "1"]))) == 2
    assert len(Pairs.by_id(rows(pa.array(["a", "b"], pa.large_string())), rows(["b", "c"]))) == 1


def test_no_shared_id_shows_one_of_each_side():
    with pytest.raises(
        PairingError, match=r"no id is shared: s.npy starts with 'a', t.npy with 'x'. Pass --pairs"
    ):
        Pairs.by_id(rows(["a", "b"], name="s.npy"), rows(["x", "y"], name="t.npy"))


def test_a_table_links_many_to_many():
    table = pa.table(
        {"source": ["a", "a", "b"], "target": [1, 2, 2], "group": ["g", "g", "h"], "weight": [1, 2, 0.5]}
    )
    pairs = Pairs.from_table(rows(["a", "b"]), rows([1, 2, 3]), table)
    assert pairs.links.tolist() == [[0, 0], [0, 1], [1, 1]]
    assert pairs.groups is not None
    assert pairs.weights is not None
    assert pairs.groups.tolist() == [0, 0, 1]
    assert pairs.weights.tolist() == [1, 2, 0.5]
    half = pairs.subset(np.array([2, 0]))
    assert (half.links.tolist(), half.groups.tolist(), half.weights.tolist()) == (
        [[1, 1], [0, 0]],
        [1, 0],
        [0.5, 1],
    )


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"source": ["a"]}, r"p.csv has no column 'target' \(it has source\)"),
        (
            {"source": ["a", "z"], "target": [1, 1]},
            r"p.csv, column source, row 1: e has no id 'z' \(its first is 'a'\)",
        ),
        ({"source": ["a", "a"], "target": [1, 9]}, r"column target, row 1: e has no id 9"),
        ({"source": ["a", None], "target": [1, 1]}, r"column source, row 1: e has no id None"),
        ({"source": ["b", "a", "a"], "target": [1, 1, 1]}, r"the pair in row 1 stands there 2 times"),
        ({"source": ["a"], "target": [1], "weight": [0.0]}, r"row 0: weight 0.0 must be a positive number"),
        (
            {"source": ["a"], "target": [1], "weight": [float("nan")]},
            "row 0: weight nan must be a positive number",
        ),
        ({"source": ["a"], "target": [1], "weight": ["much"]}, "column weight is no number"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_by_row(columns, sentence):
    with pytest.raises(PairingError, match=sentence):
        Pairs.from_table(rows(["a", "b"]), rows([1, 2]), pa.table(columns), name="p.csv")


def test_links_that_touch_share_a_component():
    #  0-0, 1-0 share a target; 1-1 shares a source with them; 2-2 stands alone; 3-3 and 4-4 share a group
    pairs = linked(5, 5, [(0, 0), (1, 0), (1, 1), (2, 2), (3, 3), (4, 4)], groups=[0, 1, 2, 3, 4, 4])
    assert pairs.components().tolist() == [0, 0, 0, 1, 2, 2]


def test_rows_that_are_copies_are_one_item():
    vectors = np.random.default_rng(0).normal(size=(4, 3))
    vectors[3] = vectors[0]
    pairs = Pairs.by_id(Embeddings(vectors), Embeddings(np.eye(4)))
    assert pairs.components().tolist() == [0, 1, 2, 0]
    assert pairs.components(duplicates=False).tolist() == [0, 1, 2, 3]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    links=st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), min_size=12, max_size=40, unique=True),
    share=st.floats(0.2, 0.8),
    seed=st.integers(0, 5),
)
def test_no_row_stands_on_both_sides_of_a_split(links, share, seed):
    pairs = linked(15, 15, links)
    try:
        train, test = pairs.split(share, seed)
    except PairingError as error:
        assert "each side needs 2" in str(error)  # noqa: PT017 - a split may be impossible
        return
    assert len(train) + len(test) == len(pairs)
    for side in (0, 1):
        assert not set(train.links[:, side]) & set(test.links[:, side])


def test_captions_of_one_picture_never_straddle():
    links = [(picture, 5 * picture + caption) for picture in range(40) for caption in range(5)]
    pairs = linked(40, 200, links)
    for seed in range(5):
        train, test = pairs.split(0.3, seed)
        assert len(test) == 60
        assert not set(train.links[:, 0]) & set(test.links[:, 0])


def test_a_split_repeats_with_its_seed_and_changes_with_another():
    pairs = Pairs.by_id(numbered(100), numbered(100, seed=1))
    first, again, other = (pairs.split(0.3, seed)[1].links[:, 0].tolist() for seed in (0, 0, 1))
    assert first == again != other
    assert len(first) == 30


def test_groups_of_a_metadata_column_stay_together():
    speaker = pa.table({"speaker": [row % 6 for row in range(60)]})
    source = rows(list(range(60)), items=speaker, name="s")
    pairs = Pairs.by_id(source, rows(list(range(60)), seed=1)).grouped_by("speaker")
    train, test = pairs.split(0.5, 3)
    assert not {row % 6 for row in train.links[:, 0]} & {row % 6 for row in test.links[:, 0]}
    with pytest.raises(DataError, match="s has no metadata column 'singer' to group by; it has: speaker"):
        pairs.grouped_by("singer")


@pytest.mark.parametrize("share", [0, 1, -0.1, 2])
def test_a_share_outside_of_zero_to_one_is_refused(share):
    with pytest.raises(PairingError, match=r"it must lie between 0 and 1, like 0.2"):
        Pairs.by_id(numbered(9), numbered(9)).split(share)


def test_too_few_pairs_on_a_side_are_refused_with_their_numbers():
    pairs = Pairs.by_id(numbered(5), numbered(5))
    with pytest.raises(
        PairingError, match=r"leaves 4 pairs to fit and 1 to test .*each side needs 2; change --test"
    ):
        pairs.split(0.2)
    one_group = linked(6, 6, [(i, i) for i in range(6)], groups=[0] * 6)
    with pytest.raises(PairingError, match=r"6 pairs in 1 groups that stay together"):
        one_group.split(0.5)
    with pytest.raises(PairingError, match=r"share 1 pair\(s\); at least 2 are needed"):
        pairs.subset(np.array([0])).check_enough()


def test_real_copies_of_clips_never_straddle(data):
    from alignkit.formats import open_embeddings

    folder = data / "clap_audiocaps497"
    pairs = Pairs.by_id(*(open_embeddings(folder / f"{side}_embeddings.npy") for side in ("audio", "text")))
    for seed in range(3):
        train, test = pairs.split(0.3, seed)
        clips = [{row.tobytes() for row in side.vectors()[0]} for side in (train, test)]
        assert not clips[0] & clips[1]
    assert len(set(pairs.components())) == 423 - 1  # 423 clips; two of them carry one caption


def declared(source_parts=None, target_parts=None, pair_parts=None, count: int = 6) -> Pairs:
    """Return pairs whose split is declared by the metadata of a side or by the table of pairs."""
    ids = [f"i{row}" for row in range(count)]
    sides = [
        rows(ids, seed=seed, name=name, items=None if parts is None else pa.table({"split": parts}))
        for seed, (name, parts) in enumerate((("s", source_parts), ("t", target_parts)))
    ]
    columns = {"source": ids, "target": ids} | ({} if pair_parts is None else {"split": pair_parts})
    return Pairs.from_table(*sides, pa.table(columns))


PARTS = ["train", "train", "test", "test", "val", " Train "]


@pytest.mark.parametrize("place", ["source_parts", "target_parts", "pair_parts"])
def test_a_declared_split_is_taken_from_wherever_it_stands(place):
    pairs = declared(**{place: PARTS})
    assert {name: part.links[:, 0].tolist() for name, part in pairs.split_by().items()} == {
        "train": [0, 1, 5],
        "test": [2, 3],
        "val": [4],
    }
    train, test = pairs.declared_split()
    assert (train.links[:, 0].tolist(), test.links[:, 0].tolist()) == ([0, 1, 5], [2, 3])
    again = train.subset(np.array([2, 0])).split_by()
    assert {name: part.links[:, 0].tolist() for name, part in again.items()} == {"train": [5, 0]}


def test_sides_that_agree_where_they_speak_make_one_split():
    pairs = declared(source_parts=[*PARTS[:3], None, "", "train"], pair_parts=[None, "", *PARTS[2:]])
    assert [len(part) for part in pairs.declared_split()] == [3, 2]


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({}, "neither the pairs nor either side have a column 'split'"),
        ({"source_parts": ["train", "train", "test", "test", None, "test"]},
         "s, column split: link 4 has no value"),
        ({"source_parts": PARTS, "target_parts": ["train"] * 6},
         "link 2 is declared 'test', but t says 'train'"),
        ({"pair_parts": ["train"] * 4 + ["val"] * 2},
         r"declares 0 links as 'test', where 2 are needed; it has: train \(4\), val \(2\)"),
        ({"pair_parts": ["train"] * 5 + ["test"]}, "declares 1 links as 'test'"),
        ({"pair_parts": [b"\xff"] * 6}, "column split holds binary"),
    ],
)  # fmt: skip
def test_a_declaration_that_makes_no_split_is_refused(parts, sentence):
    pairs = declared(**parts)
    with pytest.raises(PairingError, match=sentence):
        pairs.declared_split()


def test_near_duplicates_of_either_side_stay_together_on_demand():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(2, 60, 32))
    source[30] = source[0] + 0.05 * rng.normal(size=32)
    target[31] = 2 * target[30] + 0.05 * rng.normal(size=32)
    pairs = Pairs(Embeddings(source), Embeddings(target), np.stack([np.arange(60)] * 2, axis=1))
    assert len(set(pairs.components())) == 60
    joined = pairs.with_duplicates_grouped().components()
    assert joined[0] == joined[30] == joined[31]
    assert len(set(joined)) == 58
    grouped = Pairs(pairs.source, pairs.target, pairs.links, np.arange(60) // 2)
    labels = grouped.with_duplicates_grouped().components()
    assert labels[1] == labels[0] == labels[31]
    assert len(set(labels)) == 29
