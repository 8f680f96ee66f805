import numpy as np
import pytest

from alignkit.retrieval.rescoring.inverted_softmax import InvertedSoftmax


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("beta", [1.0, 30.0])
def test_scores_are_the_logarithm_of_the_papers_probability(worlds, seed, beta):
    queries, gallery, bank = worlds.hubs(seed, n=120, bank=300)
    share = np.exp(beta * worlds.dense(queries, gallery)) / np.exp(beta * worlds.dense(bank, gallery)).sum(0)
    probability = share / share.sum(axis=1, keepdims=True)  # the division is by its alpha
    scores = InvertedSoftmax(beta=beta).fit(bank, gallery).scores(queries)
    np.testing.assert_allclose(scores, np.log(300 * share) / beta, atol=1e-6)
    gaps = np.log(probability) / beta - scores
    np.testing.assert_allclose(gaps, np.broadcast_to(gaps[:, :1], gaps.shape), atol=1e-6)


def test_a_temperature_at_which_exponentials_overflow_is_no_trouble(worlds):
    queries, gallery, bank = worlds.hubs(4, n=50, bank=100)
    cold = InvertedSoftmax(beta=1e6).fit(bank, gallery)
    np.testing.assert_allclose(cold.bias_, worlds.dense(bank, gallery).max(axis=0), atol=1e-5)
    hot = InvertedSoftmax(beta=1e-6).fit(bank, gallery)
    np.testing.assert_allclose(hot.bias_, worlds.dense(bank, gallery).mean(axis=0), atol=1e-6)
    assert np.isfinite(cold.scores(queries)).all()
