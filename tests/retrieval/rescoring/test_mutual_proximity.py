import numpy as np
import pytest
from scipy.stats import norm

from alignkit.retrieval.rescoring.mutual_proximity import MutualProximity


@pytest.mark.parametrize("seed", range(3))
def test_gaussian_scores_are_the_logarithm_of_the_papers_probability(worlds, seed):
    queries, gallery, bank = worlds.hubs(seed, n=120, bank=300)
    cosine, of_bank = worlds.dense(queries, gallery), worlds.dense(bank, gallery)
    distance = 1 - cosine  # the paper speaks of distances: P(X > d) P(Y > d)
    rows = norm.sf(distance, (1 - cosine).mean(1, keepdims=True), cosine.std(1, keepdims=True))
    columns = norm.sf(distance, (1 - of_bank).mean(0), of_bank.std(0))
    scores = MutualProximity().fit(bank, gallery).scores(queries)
    np.testing.assert_allclose(np.exp(scores), rows * columns, atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_empirical_scores_count_what_lies_strictly_below(worlds, seed):
    queries, gallery, bank = worlds.hubs(seed, n=60, bank=150)
    cosine, of_bank = worlds.dense(queries, gallery), worlds.dense(bank, gallery)
    rows = (cosine[:, None, :] < cosine[:, :, None]).mean(axis=2)
    columns = (of_bank[None] < cosine[:, None, :]).mean(axis=1)
    scores = MutualProximity(distribution="empirical").fit(bank, gallery).scores(queries)
    np.testing.assert_allclose(np.exp(scores), rows * columns, atol=1e-12)


def test_what_a_probability_rounds_to_one_is_still_told_apart():
    rng = np.random.default_rng(0)
    gallery, bank = rng.normal(size=(2, 300, 200))
    query = rng.normal(size=(1, 200))
    gallery[:2] = query + np.array([[0.1], [0.2]]) * rng.normal(size=(2, 200))
    scores = MutualProximity().fit(bank, gallery).scores(query)[0]
    assert np.exp(scores[:2]).tolist() == [1.0, 1.0]
    assert scores[1] < scores[0] < 0


def test_constant_cosines_give_no_trouble():
    rescorer = MutualProximity().fit(np.ones((5, 3)), np.ones((4, 3)))
    np.testing.assert_allclose(rescorer.scores(np.ones((2, 3))), 2 * np.log(0.5))


def test_empirical_scores_tie_as_the_docstring_warns(worlds):
    queries, gallery, bank = worlds.hubs(1, n=100, bank=20)
    scores = MutualProximity(distribution="empirical").fit(bank, gallery).scores(queries)
    assert np.isneginf(scores).mean() > 0.01
    assert not np.isneginf(MutualProximity().fit(bank, gallery).scores(queries)).any()
