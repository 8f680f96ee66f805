"""The sums that kernel measures read, against matrices centred in the open."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.gaps import MEASURES
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._dependence import OnDependence, cosine_of
from alignkit.gaps._replicas import permuted_clouds, without_blocks
from alignkit.gaps.distance_correlation import DistanceCorrelation
from alignkit.gaps.rbf_cka import RbfCka


@pytest.mark.parametrize("measure", [RbfCka(), DistanceCorrelation()])
def test_replicas_read_off_sums_are_those_of_the_rows_themselves(planted, monkeypatch, measure: OnDependence):
    monkeypatch.setattr("alignkit.gaps._dependence.TILE", 16)  # does not divide the rows
    clouds = Clouds.paired(*planted(0, n=53))
    replicas = measure._replicas(clouds, 3)
    for found, rows in (
        *zip(replicas.left_out, without_blocks(clouds, 3), strict=True),
        *zip(replicas.nulls, permuted_clouds(clouds, 3), strict=True),
    ):
        expected = measure.values_of(rows)
        for part, value in measure._of(found).items():
            assert_allclose(value, expected[part], rtol=1e-9, atol=1e-12, err_msg=part)


def test_the_biased_trace_is_that_of_centred_matrices():
    rows = np.random.default_rng(1).normal(size=(2, 12, 3))
    x, y = rows / np.linalg.norm(rows, axis=2, keepdims=True)
    kernels = [np.exp(side @ side.T - 1) for side in (x, y)]
    centred = [k - k.mean(0) - k.mean(1)[:, None] + k.mean() for k in kernels]
    read = RbfCka()._read(Clouds.paired(x, y))
    pairs = ((0, 1), (0, 0), (1, 1))
    assert_allclose(read.biased(), [np.trace(centred[i] @ centred[j]) for i, j in pairs], rtol=1e-10)


def test_a_side_without_spread_shares_nothing():
    assert cosine_of(np.array([1e-3, 0.0, 1.0])) == 0
    x = np.random.default_rng(0).normal(size=(30, 4))
    assert DistanceCorrelation().measure(x, np.ones((30, 4))) == 0


def test_captions_of_one_picture_count_once(planted):
    x, y = planted(2, n=40)
    links = np.stack([np.repeat(np.arange(40), 3), np.arange(120)], axis=1)
    many = Clouds.paired(x, np.repeat(y, 3, axis=0), links)
    single, repeated = (RbfCka().scores(one, seed=5) for one in (Clouds.paired(x, y), many))
    assert repeated[""].n == 40
    assert_allclose(repeated[""].value, single[""].value, rtol=1e-9)


@pytest.mark.parametrize("name", ["rbf_cka", "distance_correlation"])
def test_intervals_hold_what_other_samples_of_the_population_show(name):
    measure, rng, scores = MEASURES.get(name)(), np.random.default_rng(0), []
    for seed in range(60):
        x = rng.normal(size=(120, 8))
        y = x + 0.7 * rng.normal(size=(120, 8))
        scores.append(measure.score(Clouds.paired(x, y), seed=seed))
    mean = np.mean([score.value for score in scores])
    assert np.mean([score.low <= mean <= score.high for score in scores]) >= 0.88
