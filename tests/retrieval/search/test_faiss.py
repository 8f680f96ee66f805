import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.retrieval.search import _faiss

pytest.importorskip("faiss")


def rows(n, seed=0):
    V = np.random.default_rng(seed).normal(size=(n, 16)).astype(np.float32)
    return V / np.linalg.norm(V, axis=1, keepdims=True)


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_a_file_gives_back_what_was_built(kind):
    index = _faiss.build(kind, rows(600))
    content = bytes(_faiss.to_bytes(index))
    again = _faiss.from_bytes(content, kind, "x")
    for one, two in zip(
        _faiss.search(index, rows(50, 1), 5, 9), _faiss.search(again, rows(50, 1), 5, 9), strict=True
    ):
        assert np.array_equal(one, two)
    assert bytes(_faiss.to_bytes(_faiss.build(kind, rows(600)))) == content, "two builds differ"
    other = "hnsw" if kind == "ivf" else "ivf"
    with pytest.raises(DataError, match=f"another index than one of kind {other}"):
        _faiss.from_bytes(content, other, "x")
    with pytest.raises(DataError, match="x is no faiss index"):
        _faiss.from_bytes(content[:100], kind, "x")


def test_effort_buys_recall_and_tuning_takes_no_more_than_it_needs():
    gallery, queries = rows(3000), rows(400, 1)
    index = _faiss.build("ivf", gallery)
    effort, reached = _faiss.tune(index, gallery, queries, 0.9)
    assert reached >= 0.9
    assert effort < _faiss.most(index)
    exact = np.argsort(-(queries @ gallery.T), axis=1)[:, :10]

    def recall(effort):
        found, _ = _faiss.search(index, queries, 10, effort)
        return (found[:, :, None] == exact[:, None, :]).any(axis=1).mean()

    assert recall(effort) == pytest.approx(reached)
    assert recall(int(effort / 1.6)) < 0.9
    assert recall(_faiss.most(index)) == 1.0
    assert _faiss.tune(index, gallery, queries, 1.0)[0] > effort


def test_too_few_rows_in_the_probed_lists_are_marked():
    index = _faiss.build("ivf", rows(100))
    found, scores = _faiss.search(index, rows(30, 1), 10, 1)
    short = (found == -1).any(axis=1)
    assert short.any()
    assert (np.diff(scores[~short], axis=1) <= 0).all()
    assert (_faiss.search(index, rows(30, 1), 10, _faiss.most(index))[0] >= 0).all()
