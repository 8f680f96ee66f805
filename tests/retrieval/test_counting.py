import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from alignkit.errors import DataError
from alignkit.retrieval import counting
from alignkit.retrieval.positives import Positives
from alignkit.retrieval.ranks import Ranks, rank, rank_both, rank_scores
from alignkit.retrieval.scores import ProductScores
from alignkit.shapes import Vectors


def same(one: Ranks, other: Ranks) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("score", "above", "tied")
    )


def gaussian(seed: int, n: int, d: int, dtype: type = np.float32) -> Vectors:
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


def test_scores_of_another_product_are_found_and_repaired(
    brute: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    """Whatever a BLAS does with small products: one unit in the last place off must not change a count."""
    x, y = gaussian(0, 400, 64), gaussian(1, 500, 64)
    y[250:] = y[:250]
    positives = brute.random_positives(np.random.default_rng(2), 400, 500, 700)
    wanted = rank_both(x, y, positives)
    honest = ProductScores.of

    def skewed(source: ProductScores, owners: Positives) -> np.ndarray:
        scores = honest(source, owners)
        up = np.random.default_rng(3).integers(-1, 2, len(scores))
        return np.where(
            up > 0, np.nextafter(scores, 9), np.where(up, np.nextafter(scores, -9), scores)
        ).astype(scores.dtype)

    monkeypatch.setattr(ProductScores, "of", skewed)
    found = rank_both(x, y, positives)
    assert same(found[0], wanted[0])
    assert same(found[1], wanted[1])


def test_without_the_repair_the_skewed_scores_would_have_changed_counts():
    """The trap of the test above is a real one: positives one unit too high lose their ties."""
    x = gaussian(0, 200, 64)
    x[100:] = x[:100]
    scores = (x @ x.T).astype(np.float32)
    honest = rank_scores(scores, Positives.diagonal(200))
    np.fill_diagonal(scores, np.nextafter(scores.diagonal(), np.float32(99)))
    assert honest.tied.sum() > rank_scores(scores, Positives.diagonal(200)).tied.sum()


def test_a_product_that_changes_on_every_run_is_refused(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(
        ProductScores, "tile", lambda self, block, panel, columns, out: rng.random(out=out, dtype=out.dtype)
    )
    with pytest.raises(DataError, match="other numbers on every run"):
        rank(gaussian(0, 30, 5), gaussian(1, 30, 5), Positives.diagonal(30))
    assert counting.REPEATS > 1


def test_the_answer_is_the_same_for_any_number_of_threads():
    x, y = gaussian(0, 900, 64), gaussian(1, 900, 64)
    y[450:] = y[:450]
    with threadpool_limits(1):
        wanted = rank_both(x, y, Positives.diagonal(900))
    for threads in (2, 5):
        with threadpool_limits(threads):
            found = rank_both(x, y, Positives.diagonal(900))
        assert same(found[0], wanted[0])
        assert same(found[1], wanted[1])


def test_the_threads_of_the_blas_are_given_back():
    before = [library["num_threads"] for library in threadpool_info()]
    rank(gaussian(0, 50, 5), gaussian(1, 50, 5), Positives.diagonal(50))
    assert [library["num_threads"] for library in threadpool_info()] == before


def test_the_buffer_size_of_the_caller_is_left_alone():
    before = np.getbufsize()
    rank(gaussian(0, 50, 5), gaussian(1, 50, 5), Positives.diagonal(50))
    assert np.getbufsize() == before


def test_memory_stays_far_below_the_score_matrix():
    x = gaussian(0, 6000, 16)
    tracemalloc.start()
    try:
        rank_both(x, x, Positives.diagonal(6000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6 < 6000 * 6000 * 4
