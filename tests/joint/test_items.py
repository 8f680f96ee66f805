import numpy as np
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal

from alignkit.errors import PairingError
from alignkit.joint._items import Items, labels_of
from alignkit.spaces import Embeddings, Space


def named(ids, seed=0, **options):
    rows = np.random.default_rng(seed).normal(size=(len(ids), 3))
    return Embeddings(rows, ids=ids, **options)


def ids_of(items):
    """Return the id of every item, seen from each set, to compare joins whatever their order."""
    found = []
    for line in items.rows:
        own = {side.id_at(int(row)) for side, row in zip(items.sides, line, strict=True) if row >= 0}
        assert len(own) == 1
        found.append((own.pop(), *(line >= 0)))
    return sorted(found)


def test_items_are_joined_by_id_and_may_be_missing_somewhere():
    items = Items.by_id([named(list("abcd")), named(list("dxb")), named(list("yad"))])
    expected = [("a", True, False, True), ("b", True, True, False), ("d", True, True, True)]
    assert ids_of(items) == expected
    assert_array_equal(items.pairs(1, 2).links, [[0, 2]])
    again = Items.by_id([named(list("dcba")), named(list("bdx")), named(list("day"))])
    assert ids_of(again) == expected


def test_numbers_and_texts_meet_as_they_do_in_pairs():
    whole, text = named(pa.array([3, 1, 7], pa.int32())), named(["7", "03", "1"])
    assert_array_equal(
        Items.by_id([whole, text]).rows, Items.by_id([text, whole]).rows[:, ::-1][[0, 1]][::-1]
    )
    bare = Embeddings(np.eye(3))
    assert_array_equal(Items.by_id([bare, bare, bare]).rows, [[0] * 3, [1] * 3, [2] * 3])
    with pytest.raises(PairingError, match="no id is shared by any two: embeddings starts with 'a'"):
        Items.by_id([named(list("ab")), named(list("cd"))])
    with pytest.raises(PairingError, match="give two or more"):
        Items.by_id([bare])


def test_no_item_group_or_copy_stands_on_both_sides_of_a_split():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(90, 3))
    rows[1] = rows[0]  # copies in the first set only
    second = named(
        range(90), 1, items=pa.table({"speaker": [f"s{i // 3}" if i > 30 else "" for i in range(90)]})
    )
    items = Items.by_id([Embeddings(rows, ids=range(90)), second, named(range(40, 90), 2)])
    train, test = items.split(0.3, 4, group="speaker")
    assert len(train) + len(test) == 90
    assert 20 <= len(test) <= 34
    heard = [
        {part.sides[1].items["speaker"][int(row)].as_py() for row in part.rows[:, 1]}
        for part in (train, test)
    ]
    assert not (heard[0] & heard[1]) - {""}
    alone = Items.by_id([Embeddings(rows, ids=range(90)), second])
    for seed in range(20):
        held = set(alone.split(0.3, seed)[1].rows[:, 0])
        assert (0 in held) == (1 in held)


def test_the_training_sets_hold_no_row_of_a_held_out_item_and_keep_their_ids():
    sides = [named(range(60), 0), named(range(20, 80), 1), named(range(0, 80, 2), 2)]
    items = Items.by_id(sides)
    train, test = items.split(0.25, 0)
    for i, side in enumerate(sides):
        held = {side.id_at(int(row)) for row in test.rows[test.rows[:, i] >= 0, i]}
        left = set(train.sides[i].ids.to_pylist())
        assert not held & left
        assert len(held) + len(left) == len(side)
        own = train.rows[:, i] >= 0
        for line in train.rows[own][:5]:
            name = train.sides[i].id_at(int(line[i]))
            assert_array_equal(
                train.sides[i].take(line[[i]])[0], side.take(np.array([side.ids.index(name).as_py()]))[0]
            )
    assert ids_of(train) == sorted(set(ids_of(items)) - set(ids_of(test)))


def test_copies_of_held_out_rows_leave_the_training_sets_as_well():
    ids = [f"i{row}" for row in range(20)]
    rows = np.random.default_rng(0).normal(size=(20, 3))
    lonely = Embeddings(np.concatenate([rows, rows]), ids=[*ids, *(f"copy {row}" for row in range(20))])
    train, held_out = Items.by_id([lonely, named(ids, seed=1)]).split(0.5, seed=0)
    assert len(train.sides[0]) == 40 - 2 * len(held_out)
    shown = {row.tobytes() for row in train.sides[0].array()}
    assert not shown & {row.tobytes() for row in rows[held_out.rows[:, 0]]}
    own = [ids.index(train.sides[0].id_at(int(row))) for row in train.rows[:, 0]]
    assert_array_equal(train.sides[0].array()[train.rows[:, 0]], rows[own])


def test_a_share_among_two_sets_holds_out_items_of_both():
    sides = [named(range(1000), 0), named(range(1000), 1), named(range(40), 2)]
    train, test = Items.by_id(sides).split(0.5, 0, among=(0, 2))
    assert len(test) == 20
    assert test.held_by(0, 2).all()
    assert len(train) == 980


@pytest.mark.parametrize(("share", "words"), [(0, "must lie between"), (0.01, "to test"), (0.97, "to fit")])
def test_a_split_that_leaves_too_little_is_refused(share, words):
    items = Items.by_id([named(range(20)), named(range(20), 1)])
    with pytest.raises(PairingError, match=words):
        items.split(share, 0)
    with pytest.raises(PairingError, match="no side has a metadata column 'speaker'"):
        items.split(0.5, 0, group="speaker")


def test_labels_are_short_and_no_two_alike():
    def one(name, space=""):
        return Embeddings(np.eye(2), name=name, space=Space(2, space))

    assert labels_of([one("x/text.space"), one("y/image.npy")]) == ["text", "image"]
    assert labels_of([one("x/rows.npy", "clip"), one("y/rows.npy", "clap")]) == ["clip", "clap"]
    assert labels_of([one("rows.npz::a", "clip"), one("rows.npz::b", "clip")]) == ["a", "b"]
    assert labels_of([one("x/rows.npy", "clip"), one("y/rows.npy", "clip")]) == ["rows-0", "rows-1"]
