import numpy as np
import pytest
from scipy.special import softmax

from alignkit.retrieval.rescoring.dual_softmax import DualSoftmax


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("beta", [1.0, 100.0])
def test_without_a_bank_scores_are_those_of_the_paper(worlds, seed, beta):
    queries, gallery, _ = worlds.hubs(seed, n=120)
    cosine = worlds.dense(queries, gallery)
    expected = cosine * softmax(beta * cosine, axis=0) * len(cosine)
    scores = DualSoftmax(beta=beta).fit(None, gallery).scores(queries)
    np.testing.assert_allclose(scores, expected, rtol=1e-7 * beta + 1e-6, atol=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_a_bank_takes_the_place_of_the_queries(worlds, seed):
    queries, gallery, bank = worlds.hubs(seed, n=120, bank=300)
    cosine = worlds.dense(queries, gallery)
    expected = cosine * np.exp(30 * cosine) / np.exp(30 * worlds.dense(bank, gallery)).mean(axis=0)
    np.testing.assert_allclose(
        DualSoftmax(beta=30).fit(bank, gallery).scores(queries), expected, rtol=1e-5, atol=1e-7
    )


def test_the_largest_temperature_does_not_overflow():
    gallery = np.array([[1.0, 0.0], [-1.0, 0.0]])
    rescorer = DualSoftmax(beta=300).fit(-gallery[:1], gallery)
    assert np.isfinite(rescorer.scores(gallery)).all()
