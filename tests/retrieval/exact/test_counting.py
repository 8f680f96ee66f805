import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import Ranks, rank, rank_both, rank_scores
from alignkit.retrieval.exact.scores import ProductScores
from alignkit.retrieval.exact.vectors import SIMILARITIES, Similarity
from alignkit.shapes import Vectors


def same(one: Ranks, other: Ranks) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("score", "above", "tied")
    )


def gaussian(seed: int, n: int, d: int, dtype: type = np.float32) -> Vectors:
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("links", [700, 30_000])  # compared, and sorted
def test_an_error_of_the_product_within_the_margin_changes_no_count(
    brute: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, similarity: Similarity, links: int
):
    """Whatever a BLAS or a card does to the last digits of a product, and however dense the close calls."""
    x, y = gaussian(0, 400, 64), gaussian(1, 500, 64)
    y[250:] = y[:250]
    x[:200] = x[0] + 1e-6 * x[:200]
    positives = brute.random_positives(np.random.default_rng(2), 400, 500, links)
    wanted = rank_both(x, y, positives, similarity=similarity)
    honest = ProductScores.tile

    def erring(source: ProductScores, block: Vectors, panel: Vectors, columns: slice, out: Vectors) -> None:
        honest(source, block, panel, columns, out)
        least = min(float(side.min()) for side in source.margins(source.dtype))
        out += (0.8 * least * np.random.default_rng(3).choice([-1, 1], out.shape)).astype(out.dtype)

    monkeypatch.setattr(ProductScores, "tile", erring)
    found = rank_both(x, y, positives, similarity=similarity)
    assert same(found[0], wanted[0])
    assert same(found[1], wanted[1])


def test_without_verdicts_such_errors_would_have_changed_counts():
    """The trap of the test above is a real one: one unit in the last place unties copies."""
    x = gaussian(0, 200, 64)
    x[100:] = x[:100]
    scores = (x @ x.T).astype(np.float32)
    honest = rank_scores(scores, Positives.diagonal(200))
    np.fill_diagonal(scores, np.nextafter(scores.diagonal(), np.float32(99)))
    assert honest.tied.sum() > rank_scores(scores, Positives.diagonal(200)).tied.sum()


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
