import numpy as np
import pytest

from alignkit.retrieval.search import _faiss
from alignkit.retrieval.search._building import build
from alignkit.retrieval.search._tuning import SAMPLE, measure, sample, shares, tune

pytest.importorskip("faiss")


def rows(n, seed=0):
    V = np.random.default_rng(seed).normal(size=(n, 16)).astype(np.float32)
    return V / np.linalg.norm(V, axis=1, keepdims=True)


def recall(index, queries, gallery, effort):
    exact = np.argsort(-(queries @ gallery.T), axis=1)[:, :10]
    found, _, _ = _faiss.search(index, queries, gallery, 10, effort)
    return (found[:, :, None] == exact[:, None, :]).any(axis=1).mean()


def test_effort_buys_recall_and_tuning_takes_no_more_than_it_needs():
    gallery, queries = rows(3000), rows(800, 1)
    index = build("ivf", gallery)
    found = tune(index, gallery, queries, 0.9)
    assert found["n"] == 400
    effort = found["effort"]
    assert effort < _faiss.most(index)
    assert recall(index, queries, gallery, effort) > 0.9
    assert recall(index, queries, gallery, int(effort / 1.6)) < 0.9
    assert recall(index, queries, gallery, _faiss.most(index)) == 1.0
    assert tune(index, gallery, queries, 1.0)["effort"] > effort


@pytest.mark.parametrize("seed", range(3))
def test_the_recall_that_is_stated_is_that_of_queries_never_seen(seed: int):
    gallery = rows(3000)
    index = build("ivf", gallery)
    chosen = sample(2500, seed)
    assert np.array_equal(chosen, sample(2500, seed))
    assert not np.array_equal(chosen, sample(2500, seed + 1))
    assert len(np.unique(chosen)) == 2 * SAMPLE
    found = tune(index, gallery, rows(2500, 1)[chosen], 0.9)
    assert found["n"] == SAMPLE
    assert found["low"] < recall(index, rows(2000, 2), gallery, found["effort"]) < found["high"]


def test_where_every_neighbour_was_found_the_low_end_says_for_how_many_queries():
    gallery = rows(300)
    index = build("ivf", gallery)
    found = measure(index, gallery, rows(50, 1), _faiss.most(index))
    assert (found["recall"], found["high"], found["n"]) == (1.0, 1.0, 50)
    assert found["low"] == pytest.approx(0.025 ** (1 / 50))
    assert tune(index, gallery, rows(1, 1), 0.9)["n"] == 1


def test_rows_that_tie_stand_for_one_another():
    gallery = rows(40).repeat(20, axis=0)  # twenty copies of each: any ten of them are the first ten
    index = build("ivf", gallery)
    assert measure(index, gallery, gallery[::20], _faiss.most(index))["recall"] == 1.0
    assert recall(index, gallery[::20], gallery, _faiss.most(index)) < 0.9, "by their numbers they do not"


@pytest.mark.parametrize(
    ("found", "exact", "share"),
    [
        ([5, 4, 4], [5, 4, 4], 1),
        ([4, 4, 4], [5, 4, 4], 2 / 3),  # two places for a third copy: the first row is missing
        ([5, 4, 3], [5, 4, 4], 2 / 3),
        ([5, 5, -np.inf], [5, 5, 5], 2 / 3),
        ([3, 2, 1], [5, 4, 4], 0),
    ],
)
def test_hits_are_counted_by_score(found, exact, share):
    assert shares(np.array([found]), np.array([exact])).tolist() == [pytest.approx(share)]
