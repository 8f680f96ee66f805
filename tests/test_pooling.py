"""Frames become items: checked against a plain loop, in any order and any block size."""

import numpy as np
import pyarrow as pa
import pytest

from alignkit import spaces
from alignkit.errors import DataError, ParameterError
from alignkit.pooling import POOLINGS, pool
from alignkit.spaces import Embeddings, Space


@pytest.fixture
def frames() -> Embeddings:
    """Return 90 frames of 12 clips, shuffled, with times, rates and a caption per clip."""
    rng = np.random.default_rng(0)
    clip = rng.integers(0, 12, 90)
    items = pa.table(
        {
            "item": [f"clip{number}" for number in clip],
            "time": rng.permutation(90) / 4.0,
            "rate": [4.0] * 90,
            "caption": [f"caption of {number}" for number in clip],
        }
    )
    space = Space(5, "clip", "unit", "r1")
    rows = rng.normal(size=(90, 5)).astype(np.float32)
    return Embeddings(rows, ids=list(range(90)), items=items, space=space, modality="video", name="frames")


def by_hand(frames: Embeddings, how: str) -> dict[str, np.ndarray]:
    names, times = frames.items["item"].to_pylist(), frames.items["time"].to_numpy()
    found = {}
    for name in dict.fromkeys(names):
        rows = [row for row, item in enumerate(names) if item == name]
        rows.sort(key=lambda row: times[row])
        block = frames.vectors[rows].astype(np.float64)
        unit = block / np.linalg.norm(block, axis=1, keepdims=True)
        found[name] = {
            "mean_unit": unit.mean(axis=0),
            "mean": block.mean(axis=0),
            "max": block.max(axis=0),
            "first": block[0],
            "middle": block[(len(rows) - 1) // 2],
            "last": block[-1],
        }[how]
    return found


@pytest.mark.parametrize("how", POOLINGS)
@pytest.mark.parametrize("block", [7, 8192])
def test_every_pooling_is_what_a_loop_over_items_gives(frames, how, block, monkeypatch):
    monkeypatch.setattr(spaces.Embeddings.blocks, "__defaults__", (block, None))
    pooled, wanted = pool(frames, how), by_hand(frames, how)
    assert pooled.ids.to_pylist() == list(wanted)  # in the order of first appearance
    np.testing.assert_allclose(pooled.vectors, np.stack(list(wanted.values())), rtol=1e-6, atol=1e-7)


def test_metadata_of_the_item_stays_and_that_of_the_frame_goes(frames):
    pooled = pool(frames)
    assert pooled.items.column_names == ["rate", "caption"]
    for name, caption in zip(pooled.ids.to_pylist(), pooled.items["caption"].to_pylist(), strict=True):
        assert caption == f"caption of {name.removeprefix('clip')}"
    assert pooled.modality == "video"


def test_a_mean_of_unit_rows_is_not_called_unit_and_one_frame_is(frames):
    assert pool(frames, "mean_unit").space == Space(5, "clip", "raw", "r1")
    assert pool(frames, "middle").space == Space(5, "clip", "unit", "r1")


def test_by_default_a_loud_frame_weighs_no_more_than_a_quiet_one():
    items = pa.table({"item": ["a", "a"]})
    embeddings = Embeddings(np.array([[100.0, 0], [0, 1]]), items=items)
    np.testing.assert_allclose(pool(embeddings).vectors, [[0.5, 0.5]])
    np.testing.assert_allclose(pool(embeddings, "mean").vectors, [[50, 0.5]])


def test_without_times_the_order_of_the_rows_decides():
    items = pa.table({"video": [3, 5, 3, 3]})
    embeddings = Embeddings(np.arange(8.0).reshape(4, 2), items=items)
    assert pool(embeddings, "last", by="video").vectors.tolist() == [[6, 7], [2, 3]]
    assert pool(embeddings, "middle", by="video").vectors.tolist() == [[4, 5], [2, 3]]
    assert pool(embeddings, by="video").ids.to_pylist() == [3, 5]


def test_half_precision_stays_half_and_integers_become_floats():
    items = pa.table({"item": ["a", "a"]})
    assert pool(Embeddings(np.ones((2, 2), np.float16), items=items)).vectors.dtype == np.float16
    assert pool(Embeddings(np.ones((2, 2), np.int8), items=items), "mean").vectors.dtype == np.float32


def test_frames_without_item_time_or_direction_are_refused_by_row():
    X = np.ones((3, 2))
    with pytest.raises(DataError, match=r"f has no metadata column 'item' .* it has: clip"):
        pool(Embeddings(X, items=pa.table({"clip": [1, 1, 2]}), name="f"))
    with pytest.raises(DataError, match="f: row 1 names no item"):
        pool(Embeddings(X, items=pa.table({"item": ["a", None, "b"]}), name="f"))
    with pytest.raises(DataError, match="f: row 2 has no time"):
        pool(Embeddings(X, items=pa.table({"item": [1, 1, 1], "time": [0.0, 1.0, None]}), name="f"), "first")
    with pytest.raises(DataError, match="column time is no number of seconds"):
        pool(Embeddings(X, items=pa.table({"item": [1, 1, 1], "time": ["a", "b", "c"]}), name="f"))
    X[2] = 0
    silent = Embeddings(X, ids=["p", "q", "r"], items=pa.table({"item": [1, 1, 1]}), name="f")
    with pytest.raises(DataError, match=r"f: row 2 \(id 'r'\) is all zeros and has no direction"):
        pool(silent)
    np.testing.assert_allclose(pool(silent, "mean").vectors, [[2 / 3, 2 / 3]])


def test_an_unknown_pooling_is_refused_with_the_known_ones(frames):
    with pytest.raises(
        ParameterError, match="no pooling is named 'median': choose one of mean_unit, mean, max"
    ):
        pool(frames, "median")
