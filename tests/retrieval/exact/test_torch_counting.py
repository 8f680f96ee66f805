from types import SimpleNamespace

import numpy as np
import pytest

from alignkit.devices import on_device
from alignkit.errors import DataError
from alignkit.retrieval.exact import _torch_counting
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import Ranks, rank, rank_both, rank_scores
from alignkit.retrieval.exact.vectors import SIMILARITIES, Similarity

torch = pytest.importorskip("torch", reason="the torch extra is not installed")


def same(one: Ranks, other: Ranks) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("score", "above", "tied")
    )


def world(seed: int, n: int, g: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, y = (rng.standard_normal((rows, d)).astype(np.float32) for rows in (n, g))
    y[g // 2 :] = y[: g - g // 2]  # every item twice
    x[: n // 3] = x[0] + 1e-6 * x[: n // 3]  # and queries that float32 hardly tells apart
    return x, y


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("links", [500, 20_000])  # compared, and sorted
@pytest.mark.parametrize("tile", [(64, 128), (2048, 8192)])
def test_its_counts_are_those_of_numpy(
    brute: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    similarity: Similarity,
    links: int,
    tile: tuple[int, int],
):
    monkeypatch.setattr(_torch_counting, "TILE", tile)
    x, y = world(links, 250, 420, 33)
    positives = brute.random_positives(np.random.default_rng(0), 250, 420, links)
    wanted = rank_both(x, y, positives, similarity=similarity)
    assert wanted[0].tied.any()
    with on_device("torch-cpu"):
        found = rank_both(x, y, positives, similarity=similarity)
        alone = rank(x, y, positives, similarity=similarity)
    assert same(found[0], wanted[0])
    assert same(found[1], wanted[1])
    assert same(alone, wanted[0])


def test_a_gallery_larger_than_the_panel_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    x, y = world(0, 100, 700, 16)
    positives = Positives.from_links(np.stack([np.arange(100)] * 2, axis=1), 100, 700)
    wanted = rank_both(x, y, positives)
    monkeypatch.setattr(_torch_counting, "TILE", (32, 48))
    monkeypatch.setattr(_torch_counting, "PANEL_BYTES", 1)
    with on_device("torch-cpu"):
        found = rank_both(x, y, positives)
    assert same(found[0], wanted[0])
    assert same(found[1], wanted[1])


def test_a_collapsed_space_ties_there_too():
    x = np.ones((130, 20), np.float32) * np.float32(0.1)
    with on_device("torch-cpu"):
        ranks = rank(x, x, Positives.diagonal(130))
    assert not ranks.above.any()
    assert (ranks.tied == 129).all()


def test_a_matrix_of_scores_needs_no_device():
    scores = np.random.default_rng(0).standard_normal((20, 30))
    positives = Positives.from_links(np.array([[3, 4]]), 20, 30)
    with on_device("torch-cpu"):
        assert same(rank_scores(scores, positives), rank_scores(scores, positives))


def test_too_little_memory_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(_torch_counting, "_there", full)
    with (
        on_device("torch-cpu"),
        pytest.raises(DataError, match="too little memory for 5 queries and 5 items: free some"),
    ):
        rank(np.eye(5), np.eye(5), Positives.diagonal(5))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")
def test_a_card_counts_like_numpy():
    x, y = world(0, 3000, 9000, 64)
    positives = Positives.from_links(np.stack([np.arange(3000)] * 2, axis=1), 3000, 9000)
    wanted = rank_both(x, y, positives)
    with on_device("cuda"):
        found = rank_both(x, y, positives)
    assert same(found[0], wanted[0])
    assert same(found[1], wanted[1])
