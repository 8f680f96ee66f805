import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError
from alignkit.gaps._clouds import Clouds, unit_rows
from alignkit.gaps.mean_paired_cosine import MeanPairedCosine


@pytest.mark.parametrize(
    ("name", "expected"), [("clip", 0.310), ("convirt", 0.255), ("videoclip", 0.092), ("clip_random", 0.029)]
)
def test_stored_features_give_the_known_figures(stored, name, expected):
    assert_allclose(MeanPairedCosine().measure(*stored(name)), expected, atol=5e-4)


def test_the_closed_null_level_is_that_of_permuted_pairs(planted):
    x, y = planted(2, n=40)
    chance = MeanPairedCosine().score(Clouds.paired(x, y)).chance
    assert_allclose(chance, (unit_rows(x) @ unit_rows(y).T).mean(), rtol=1e-12)


def test_pairs_that_do_not_belong_together_score_at_the_null_level(coverage):
    assert coverage("mean_paired_cosine").of_null(paired=True, shift=0.7) >= 0.85


def test_the_interval_covers_the_mean_of_the_whole_population(coverage, planted):
    assert coverage("mean_paired_cosine").of_population(*planted(0, n=20_000)) >= 0.85


def test_the_interval_is_that_of_a_t_test_where_items_are_rows(planted):
    from scipy import stats

    x, y = planted(3, n=400)
    score = MeanPairedCosine().score(Clouds.paired(x, y))
    cosines = np.einsum("nd,nd->n", unit_rows(x), unit_rows(y))
    low, high = stats.t.interval(0.95, 399, cosines.mean(), stats.sem(cosines))
    assert_allclose([score.low, score.high], [low, high], atol=0.1 * (high - low))


def test_it_cannot_be_measured_without_pairs(planted):
    with pytest.raises(DataError, match="not paired"):
        MeanPairedCosine().score(Clouds.unpaired(*planted(0)))
