"""Spaces meet where nothing contradicts; embeddings read late and refuse by row."""

import json

import numpy as np
import pyarrow as pa
import pytest

from alignkit.errors import DataError, SpaceMismatchError
from alignkit.fingerprints import Fingerprint
from alignkit.rows import ShardedRows
from alignkit.spaces import Embeddings, Space

X = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)


def refuse_to_read():
    raise AssertionError("read too early")


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (Space(3, "clip"), Space(3, "clip"), True),
        (Space(3, "clip"), Space(3), True),  # who is silent does not contradict
        (Space(3, "clip"), Space(4, "clip"), False),
        (Space(3, "clip"), Space(3, "clap"), False),
        (Space(3, "clip", revision="a"), Space(3, "clip", revision="b"), False),
        (Space(3, "clip", revision="a"), Space(3, "clip"), True),
        (Space(3, norm="unit"), Space(3, norm="raw"), True),  # the norm is no part of the identity
    ],
)
def test_spaces_meet_unless_both_state_something_different(one, other, meet):
    assert one.meets(other) is meet
    assert other.meets(one) is meet
    if meet:
        one.check_meets(other, "the map")
    else:
        with pytest.raises(SpaceMismatchError, match=r"the map needs .* got .*: use embeddings of the space"):
            one.check_meets(other, "the map")


def test_nothing_is_read_before_it_is_used():
    late = Embeddings(X, ids=refuse_to_read, items=refuse_to_read)
    assert (len(late), late.dim, late.has_ids) == (10, 3, True)
    assert "10 x 3 float32" in repr(late)
    with pytest.raises(AssertionError, match="read too early"):
        late.id_at(0)
    with pytest.raises(AssertionError, match="read too early"):
        late.items.num_rows  # noqa: B018 - reading the property is the point


def test_ids_and_metadata_are_read_once():
    calls = []

    def read(values):
        calls.append(1)
        return values

    late = Embeddings(
        X, ids=lambda: read(pa.array(range(10))), items=lambda: read(pa.table({"a": range(10)}))
    )
    for _ in range(3):
        assert late.id_at(4) == 4
        assert late.items.num_rows == 10
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        (["a"] * 10, "id 'a' stands in row 0 and again in row 1"),
        ([*"abcdefghi", "c"], "id 'c' stands in row 2 and again in row 9"),
        (list(range(9)), "has 10 vectors but 9 ids"),
        ([*"abcdefghi", None], "row 9 has no id"),
        ([0.5] * 10, "ids of type double: ids are strings or integers"),
    ],
)
def test_ids_that_are_no_ids_are_refused_by_row(ids, sentence):
    with pytest.raises(DataError, match=rf"mine.*{sentence}"):
        Embeddings(X, ids=ids, name="mine").id_at(0)


def test_ids_in_chunks_and_dictionaries_are_ids():
    chunked = pa.chunked_array([["a", "b"], list("cdefghij")])
    assert Embeddings(X, ids=chunked).ids.to_pylist() == list("abcdefghij")
    assert Embeddings(X, ids=lambda: chunked.combine_chunks().dictionary_encode()).id_at(9) == "j"


def test_metadata_of_another_length_is_refused():
    with pytest.raises(DataError, match="has 10 vectors but 9 rows of metadata"):
        Embeddings(X, items=pa.table({"a": range(9)})).items.num_rows  # noqa: B018


@pytest.mark.parametrize(
    ("vectors", "sentence"),
    [
        (np.zeros((2, 2), object), "holds Python objects"),
        (np.zeros((2, 2), complex), "holds complex numbers"),
        (np.zeros((2, 2), np.int64), "no float holds exactly"),
        (np.zeros((2, 2), np.uint64), "no float holds exactly"),
        (np.zeros((2, 2), bool), "no embedding type"),
        (np.zeros((2, 2), np.longdouble), "no embedding type"),
        (np.zeros(4), r"has shape \(4,\)"),
        (np.zeros((2, 2, 2)), r"has shape \(2, 2, 2\)"),
        (np.zeros((0, 2)), "is empty"),
        (np.zeros((2, 0)), "is empty"),
    ],
)
def test_what_is_no_real_matrix_is_refused(vectors, sentence):
    with pytest.raises(DataError, match=rf"mine.*{sentence}"):
        Embeddings(vectors, name="mine")


def test_a_space_of_other_dimensions_is_refused():
    with pytest.raises(DataError, match="has 3 dimensions but says it comes from clip"):
        Embeddings(X, space=Space(4, "clip"))


@pytest.mark.parametrize("stored", ["f2", "f4", "f8", ">f4", "i1"])
def test_blocks_take_and_array_agree(stored):
    numbers = (X * 10).astype(stored)
    for vectors in (numbers, ShardedRows([numbers[:4], numbers[4:]])):
        embeddings = Embeddings(vectors)
        blocks = list(embeddings.blocks(3))
        assert [start for start, _ in blocks] == [0, 3, 6, 9]
        np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), embeddings.array())
        np.testing.assert_array_equal(embeddings.take(np.array([9, 0, 0])), embeddings.array()[[9, 0, 0]])
        assert embeddings.array().dtype == embeddings.dtype == (np.float64 if stored == "f8" else np.float32)


def test_selected_rows_keep_their_ids_and_metadata():
    embeddings = Embeddings(X, ids=list("abcdefghij"), items=pa.table({"n": range(10)}), modality="text")
    chosen = embeddings.select(np.array([7, 2]))
    assert chosen.ids.to_pylist() == ["h", "c"]
    assert chosen.items["n"].to_pylist() == [7, 2]
    assert chosen.modality == "text"
    np.testing.assert_array_equal(chosen.vectors, X[[7, 2]])
    assert Embeddings(X).select(np.array([7, 2])).ids.to_pylist() == [7, 2]  # row numbers stay what they were


def test_naming_the_space_keeps_everything_and_refuses_another_name():
    embeddings = Embeddings(X, ids=list("abcdefghij"), items=pa.table({"n": range(10)}))
    named = embeddings.named("clip")
    assert (named.space.name, named.id_at(1), named.items["n"][1].as_py()) == ("clip", "b", 1)
    assert embeddings.space.name == ""
    with pytest.raises(SpaceMismatchError, match=r"needs clip .* got clap"):
        named.named("clap")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [([np.nan, 0, np.inf], "holds NaN"), ([0, -np.inf, 1], "holds an infinite value")],
)
def test_a_row_that_is_not_finite_is_named(row, sentence):
    bad = X.copy()
    bad[6] = row
    with pytest.raises(DataError, match=rf"mine: row 6 \(id 'g'\) {sentence}: remove or re-encode that item"):
        Embeddings(bad, ids=list("abcdefghij"), name="mine").check()
    with pytest.raises(DataError, match=rf"mine: row 6 {sentence}"):
        Embeddings(bad, name="mine").check()


def test_a_row_of_zeros_is_bad_only_where_a_direction_is_needed():
    bad = X.copy()
    bad[3] = 0
    Embeddings(bad).check()
    with pytest.raises(DataError, match="row 3 is all zeros and has no direction"):
        Embeddings(bad).check(direction=True)


def test_tiny_and_huge_finite_rows_are_good():
    extreme = np.array([[1e-300, 0], [1e300, -1e300]])
    assert Embeddings(extreme).check(direction=True) is None
    half = np.array([[6e-8, 0]], np.float16)
    assert Embeddings(half).check(direction=True) is None


def marked(rows: np.ndarray, name: str = "clip") -> Space:
    probes = [f"text:{i}" for i in range(len(rows))]
    return Space(rows.shape[1], name, fingerprint=Fingerprint.of(probes, rows))


def test_two_models_of_one_name_are_told_apart_by_their_answers():
    rows = np.random.default_rng(0).normal(size=(4, 8))
    one, same, other = marked(rows), marked(rows + 1e-3), marked(rows[::-1])
    assert one.meets(same)
    assert not one.meets(other)
    assert one.meets(Space(8, "clip"))
    with pytest.raises(SpaceMismatchError, match=r"the map needs clip \(8 dim.*got clip.*cosine.*0\.99"):
        one.check_meets(other, "the map")


def test_a_space_returns_from_json_with_its_fingerprint():
    space = marked(np.eye(3))
    again = Space.from_json(json.loads(json.dumps(space.to_json())))
    assert again == space
    assert again.fingerprint == space.fingerprint
    assert "fingerprint" not in Space(3).to_json()


def test_a_fingerprint_of_another_width_is_refused():
    with pytest.raises(DataError, match="fingerprint of 3 dimensions"):
        Space(4, fingerprint=marked(np.eye(3)).fingerprint)
