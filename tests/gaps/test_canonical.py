"""What canonical measures share: replicas that no row is gone back to for, and sides without spread."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.gaps._canonical import OnCanonical, leading_whitener, orthonormal, triangular_whitener
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._replicas import permuted_clouds, without_blocks
from alignkit.gaps.cca_similarity import CcaSimilarity
from alignkit.gaps.svcca import Svcca


@pytest.mark.parametrize("measure", [CcaSimilarity(), Svcca()])
def test_replicas_read_off_moments_are_those_of_the_rows_themselves(planted, measure: OnCanonical):
    clouds = Clouds.paired(*planted(0, n=53))
    replicas = measure._replicas(clouds, 3)
    for found, rows in (
        *zip(replicas.left_out, without_blocks(clouds, 3), strict=True),
        *zip(replicas.nulls, permuted_clouds(clouds, 3), strict=True),
    ):
        expected = measure.values_of(rows)
        for part, value in measure._of(found).items():
            assert_allclose(value, expected[part], rtol=1e-9, err_msg=part)


@pytest.mark.parametrize("measure", [CcaSimilarity(), Svcca()])
def test_a_side_without_spread_has_nothing_to_correlate(measure):
    x = np.random.default_rng(0).normal(size=(40, 4))
    assert measure.measure(x, np.ones((40, 4))) == 0
    scores = measure.scores(Clouds.paired(x, np.ones((40, 4))))
    assert scores[""].low == scores[""].high == 0


@pytest.mark.parametrize("measure", [CcaSimilarity(), Svcca()])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_unrelated_rows_correlate_and_the_null_band_says_so(measure, seed):
    x, y = np.random.default_rng(seed).normal(size=(2, 60, 12))
    for part, score in measure.scores(Clouds.paired(x, y), seed=seed).items():
        assert score.value > (0.05 if part else 0.2)
        assert score.chance_low <= score.value <= score.chance_high


def test_directions_that_no_row_uses_do_not_count():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 60, 6))
    padded = np.pad(x, ((0, 0), (0, 4))), np.pad(y, ((0, 0), (0, 4)))
    for measure in (CcaSimilarity(), Svcca()):
        assert_allclose(measure.measure(*padded), measure.measure(x, y), rtol=1e-9)


def test_whiteners_whiten_also_where_rank_lacks():
    rows = np.random.default_rng(1).normal(size=(30, 5))
    rows[:, 4] = rows[:, 3]
    made = orthonormal(rows)
    assert made.shape == (30, 4)
    assert_allclose(np.cov(made.T), np.eye(4), atol=1e-12)
    covariance = np.cov(rows.T)
    for whitener in (triangular_whitener(covariance), leading_whitener(covariance)):
        assert_allclose(whitener.T @ covariance @ whitener, np.eye(4), atol=1e-10)
    assert leading_whitener(covariance, most=2).shape == (5, 2)
