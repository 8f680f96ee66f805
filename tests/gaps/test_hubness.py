import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import skew

from alignkit.errors import DataError, ParameterError
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._replicas import split_clouds, without_blocks
from alignkit.gaps.hubness import Hubness, hubness
from alignkit.retrieval.hubness import measure_hubness


def test_each_direction_is_what_retrieval_finds_and_scipy_calls_skewness():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(90, 20)), rng.normal(size=(70, 20)) + 0.5
    parts = Hubness().measure_parts(x, y)
    there, back = measure_hubness(x, y), measure_hubness(y, x)
    assert_allclose(parts["source_to_target"], there.skewness, rtol=1e-10)
    assert_allclose(parts["target_to_source"], skew(back.occurrences), rtol=1e-10)
    assert_allclose(hubness(x, y, k=3), measure_hubness(x, y, k=3).skewness, rtol=1e-10)


@pytest.mark.parametrize("sizes", [(60, 60), (80, 40)])
def test_replicas_read_off_lists_are_those_of_the_rows_themselves(sizes):
    rng = np.random.default_rng(1)
    clouds = Clouds.unpaired(*(rng.normal(size=(size, 8)) for size in sizes))
    replicas = Hubness()._replicas(clouds, 3)
    for found, rows in (
        *zip(replicas.left_out, without_blocks(clouds, 3), strict=True),
        *zip(replicas.nulls, split_clouds(clouds, 3), strict=True),
    ):
        expected = Hubness().values_of(rows)
        for part, value in Hubness()._of(found).items():
            assert_allclose(value, expected[part], rtol=1e-9, atol=1e-9, err_msg=part)


def test_a_collapsed_side_has_no_hubs():
    scores = Hubness().scores(Clouds.unpaired(np.ones((40, 5)), np.ones((50, 5))))
    assert all(score.value == 0 for score in scores.values())


def test_too_few_rows_or_neighbours_are_refused(planted):
    with pytest.raises(DataError, match="80 rows to find 40, and there are 60"):
        hubness(*planted(0), k=40)
    with pytest.raises(ParameterError, match="got 0"):
        Hubness(k=0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_row_that_all_find_is_a_hub_of_its_direction(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 150, 8))
    before = Hubness().measure_parts(x, y)
    y[:4] = 0.3 * y[:4] + 3  # beyond the mean of those who ask, once they all lean that way
    after = Hubness().measure_parts(x + 0.5, y)
    assert after["source_to_target"] > before["source_to_target"] + 2


def test_the_interval_of_a_large_skewness_reaches_further_up_and_never_beyond_what_counts_can_have():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 150, 8))
    y[:4] = 0.3 * y[:4] + 3
    score = Hubness().score(Clouds.unpaired(x + 0.5, y))
    assert score.value > 2
    assert score.value - score.low < score.high - score.value
    assert score.high <= np.sqrt(150)
