import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from alignkit.retrieval.search import _flat
from alignkit.retrieval.search._flat import best


def brute(queries, gallery, k):
    """Return rows and float64 scores from the whole matrix; the lower row wins a tie."""
    scores = queries.astype(np.float64) @ gallery.T.astype(np.float64)
    rows = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return rows, np.take_along_axis(scores, rows, axis=1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("q", "g", "d", "k"), [(50, 3000, 20, 10), (7, 5, 3, 10), (1, 9000, 1, 3), (30, 40, 200, 1)]
)
def test_the_best_are_those_of_the_whole_matrix(seed, q, g, d, k):
    rng = np.random.default_rng(seed)
    queries, gallery = (rng.normal(size=(n, d)).astype(np.float32) for n in (q, g))
    rows, scores = best(queries, gallery, k)
    expected, values = brute(queries, gallery, k)
    assert rows.shape == (q, min(k, g))
    assert np.array_equal(rows, expected)
    assert np.array_equal(scores, values.astype(np.float32))


@pytest.mark.parametrize("strip", [16, 1024])
def test_whole_numbers_tie_and_the_lower_row_wins(monkeypatch, strip):
    monkeypatch.setattr(_flat, "STRIP", strip)
    monkeypatch.setattr(_flat, "PANEL", 4096)
    rng = np.random.default_rng(0)
    # products of small whole numbers are exact: every order is decided by the rule
    queries, gallery = (rng.integers(-1, 2, (n, 16)).astype(np.float32) for n in (70, 20_000))
    rows, scores = best(queries, gallery, 25)
    expected, values = brute(queries, gallery, 25)
    assert np.array_equal(rows, expected)
    assert np.array_equal(scores, values)


def test_items_that_get_better_and_better_are_all_looked_at(monkeypatch):
    monkeypatch.setattr(_flat, "PANEL", 256)
    gallery = np.arange(70_000, dtype=np.float32)[:, None] @ np.ones((1, 16), np.float32)
    rows, _ = best(np.ones((3, 16), np.float32), gallery, 4)
    assert rows.tolist() == [[69_999, 69_998, 69_997, 69_996]] * 3
    worse, _ = best(np.ones((1, 16), np.float32), gallery[::-1], 2)
    assert worse.tolist() == [[0, 1]]


@pytest.mark.parametrize("d", [3, 65, 301])
def test_neither_the_batch_nor_the_threads_change_a_bit(d):
    rng = np.random.default_rng(d)
    queries, gallery = (rng.normal(size=(n, d)).astype(np.float32) for n in (1100, 2500))
    with threadpool_limits(1):
        rows, scores = best(queries, gallery, 10)
    with threadpool_limits(2):
        again = best(queries, gallery, 10)
    assert np.array_equal(again[0], rows)
    assert np.array_equal(again[1], scores)
    for part in (slice(0, 1), slice(900, 937), slice(1, 1100)):
        alone = best(queries[part], gallery, 10)
        assert np.array_equal(alone[0], rows[part])
        assert np.array_equal(alone[1], scores[part])


def test_copies_of_a_row_score_alike_wherever_they_stand():
    rng = np.random.default_rng(1)
    gallery = rng.normal(size=(9000, 33)).astype(np.float32)
    gallery[[5, 4100, 8999]] = query = gallery[0] * 9
    rows, scores = best(query[None], gallery, 3)
    assert rows.tolist() == [[5, 4100, 8999]]
    assert len(set(scores[0].tolist())) == 1


def test_a_memory_map_is_searched_as_it_lies(tmp_path):
    rng = np.random.default_rng(2)
    gallery = rng.normal(size=(500, 8)).astype(np.float32)
    np.save(tmp_path / "g.npy", gallery)
    mapped = np.load(tmp_path / "g.npy", mmap_mode="r")
    assert np.array_equal(best(gallery[:9], mapped, 5)[0], best(gallery[:9], gallery, 5)[0])


def test_what_float32_cannot_tell_apart_is_told_apart():
    rng = np.random.default_rng(3)
    queries, base = rng.normal(size=(60, 6)), rng.normal(size=(40, 6))
    gallery = (np.repeat(base, 50, axis=0) * (1 + 1e-7 * rng.integers(-4, 5, (2000, 1)))).astype(np.float32)
    queries = queries.astype(np.float32)
    expected, _ = brute(queries, gallery, 10)
    plain = np.argsort(-(queries @ gallery.T), axis=1, kind="stable")[:, :10]
    assert (plain != expected).any(axis=1).mean() > 0.1
    assert np.array_equal(best(queries, gallery, 10)[0], expected)
