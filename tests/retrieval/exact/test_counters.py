from types import SimpleNamespace

import numpy as np
import pytest

from alignkit.retrieval.exact.counters import FEW
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank_both, rank_scores, rank_scores_both
from alignkit.retrieval.exact.scores import ProductScores
from alignkit.retrieval.exact.vectors import prepare
from alignkit.shapes import Vectors


def gaussian(seed: int, n: int, d: int, dtype: type = np.float32) -> Vectors:
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


@pytest.mark.parametrize("levels", [2, 30, 100_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_counts_of_a_given_matrix_match_the_definition_in_both_directions(
    brute: SimpleNamespace, levels: int, dtype: type
):
    rng = np.random.default_rng(levels)
    for links in (40, 900, 9000):  # a few, several, and so many that lines are sorted
        scores = rng.integers(-levels, levels, (90, 270)).astype(dtype)
        positives = brute.random_positives(rng, 90, 270, links)
        forward, backward = rank_scores_both(scores, positives)
        for ranks, wanted in (
            (forward, brute.intervals(scores, positives)),
            (backward, brute.intervals(scores.T, positives.transpose())),
            (rank_scores(scores, positives), brute.intervals(scores, positives)),
        ):
            assert np.array_equal(ranks.above, wanted[0])
            assert np.array_equal(ranks.tied, wanted[1])


def test_many_positives_a_query_agree_with_few_at_a_time(brute: SimpleNamespace):
    """Lines with many positives are sorted, the others compared: two routes to one answer."""
    x, y = gaussian(0, 260, 64), gaussian(1, 400, 64)
    y[200:] = y[:200]
    labels = np.arange(400) % 3
    links = np.argwhere(np.arange(260)[:, None] % 3 == labels)
    positives = Positives.from_links(links, 260, 400)
    forward, backward = rank_both(x, y, positives)
    assert positives.counts.min() > FEW
    source = ProductScores(*prepare(x, y, "cosine"))
    scores = source.of(*np.divmod(np.arange(260 * 400), 400)).reshape(260, 400)
    for ranks, wanted in (
        (forward, brute.intervals(scores, positives)),
        (backward, brute.intervals(scores.T, positives.transpose())),
    ):
        assert np.array_equal(ranks.above, wanted[0])
        assert np.array_equal(ranks.tied, wanted[1])
