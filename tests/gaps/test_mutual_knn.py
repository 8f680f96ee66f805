import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError, ParameterError
from alignkit.gaps._clouds import Clouds
from alignkit.gaps.mutual_knn import MutualKnn, mutual_knn


@pytest.mark.parametrize("k", [5, 10])
def test_it_is_what_the_peer_answers(peers, k):
    for x, y, outputs in peers:
        assert_allclose(mutual_knn(x, y, k=k), outputs[f"platonic_mutual_knn{{'topk': {k}}}"], atol=1e-6)


def test_two_collapsed_sides_have_neighbours_in_common_by_chance_only():
    score = MutualKnn().score(Clouds.paired(np.ones((40, 5)), np.ones((40, 5))))
    assert_allclose(score.value, score.chance, rtol=1e-12)
    assert_allclose(score.chance, 10 / 39)


def test_the_closed_null_level_is_that_of_permuted_pairs(planted):
    x, y = planted(0)
    rng = np.random.default_rng(0)
    drawn = [mutual_knn(x, rng.permutation(y)) for _ in range(100)]
    score = MutualKnn().score(Clouds.paired(x, y))
    assert_allclose(np.mean(drawn), score.chance, atol=4 * np.std(drawn) / 10)
    assert np.mean((score.chance_low <= np.array(drawn)) & (np.array(drawn) <= score.chance_high)) > 0.85


def test_the_interval_is_as_wide_as_samples_of_one_population_differ():
    rng = np.random.default_rng(1)
    values, widths = [], []
    for seed in range(40):
        x = rng.normal(size=(150, 6))
        score = MutualKnn().score(Clouds.paired(x, x + 0.5 * rng.normal(size=(150, 6))), seed=seed)
        values.append(score.value)
        widths.append(score.high - score.low)
    assert 0.7 < np.mean(widths) / (2 * 1.96 * np.std(values)) < 1.6


def test_too_few_rows_for_the_neighbours_asked_for_are_refused(planted):
    with pytest.raises(DataError, match="80 rows for 40 neighbours, and there are 60"):
        mutual_knn(*planted(0), k=40)
    with pytest.raises(ParameterError, match="got 0"):
        MutualKnn(k=0)
