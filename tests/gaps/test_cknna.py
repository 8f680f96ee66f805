import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError, ParameterError
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._replicas import permuted_clouds, without_blocks
from alignkit.gaps.cknna import Cknna, _dependence, cknna

FLOOR = 1e-6  # the peer adds it to the denominator, which for so few rows is 1e-3


def test_it_is_what_the_peer_answers(peers):
    for x, y, outputs in peers:
        measure = Cknna(k=5)
        parts = measure.measure_parts(x, y)
        read = measure._read(Clouds.paired(x, y))
        own = [_dependence(side, side, 5, biased=False) for side in (read.x, read.y)]
        scale = np.sqrt(own[0] * own[1])
        assert_allclose(parts[""] * scale / (scale + FLOOR), outputs["platonic_cknna{'topk': 5}"], atol=1e-6)
        assert_allclose(parts["biased"], outputs["platonic_cknna{'topk': 5, 'unbiased': False}"], atol=1e-6)


def test_replicas_read_off_lists_are_those_of_the_rows_themselves(planted):
    clouds, measure = Clouds.paired(*planted(0, n=53)), Cknna()
    replicas = measure._replicas(clouds, 3)
    for found, rows in (
        *zip(replicas.left_out, without_blocks(clouds, 3), strict=True),
        *zip(replicas.nulls, permuted_clouds(clouds, 3), strict=True),
    ):
        expected = measure.values_of(rows)
        for part, value in measure._of(found).items():
            assert_allclose(value, expected[part], rtol=1e-9, atol=1e-12, err_msg=part)


def test_common_neighbours_stand_out_and_the_biased_part_rewards_unrelated_rows(planted):
    x, y = planted(1, n=100)
    score = Cknna().score(Clouds.paired(x, y))
    assert score.low > score.chance_high
    unrelated = Cknna().scores(Clouds.paired(x, np.random.default_rng(0).permutation(y)))
    assert abs(unrelated[""].value) < 0.1
    assert unrelated["biased"].value > 0.25


def test_exchanging_the_sides_moves_it_by_little(planted):
    x, y = planted(2, n=200)
    assert_allclose(cknna(y, x), cknna(x, y), rtol=0.01)
    assert_allclose(Cknna().measure_parts(y, x)["biased"], Cknna().measure_parts(x, y)["biased"], rtol=1e-9)


def test_too_few_rows_or_neighbours_are_refused(planted):
    with pytest.raises(DataError, match="80 rows for 40 neighbours"):
        cknna(*planted(0), k=40)
    with pytest.raises(ParameterError, match="got 1"):
        Cknna(k=1)
