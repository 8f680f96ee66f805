import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import pdist, squareform

from alignkit.errors import DataError
from alignkit.gaps._clouds import Clouds, unit_rows
from alignkit.gaps._measure_all import gap_facts
from alignkit.gaps._replicas import split_clouds, without_blocks
from alignkit.gaps.intrinsic_dimension import IntrinsicDimension, first_of_copies, intrinsic_dimension


def ratios(rows):
    distances = squareform(pdist(unit_rows(rows)))
    np.fill_diagonal(distances, np.inf)
    nearest = np.sort(distances, axis=1)
    return nearest[:, 1] / nearest[:, 0]


def test_both_estimates_are_those_of_the_papers(planted):
    x, y = planted(0, n=80)
    parts = IntrinsicDimension().measure_parts(x, y)
    for side, rows in (("source", x), ("target", y)):
        found = np.sort(ratios(rows))
        kept = np.log(found[:72])
        line = np.linalg.lstsq(kept[:, None], -np.log(1 - np.arange(1, 73) / 80), rcond=None)[0][0]
        assert_allclose(parts[side], line, rtol=1e-9)
        assert_allclose(parts[f"{side}_likelihood"], 79 / np.log(found).sum(), rtol=1e-9)


@pytest.mark.parametrize("dims", [1, 2, 5])
def test_a_sphere_of_known_dimension_in_a_wide_space_is_recovered(dims):
    rng = np.random.default_rng(dims)
    turn = np.linalg.qr(rng.normal(size=(40, 40)))[0][: dims + 1]
    sides = rng.normal(size=(2, 600, dims + 1)) @ turn
    for score in IntrinsicDimension().scores(Clouds.unpaired(*sides)).values():
        assert abs(score.value - dims) < 0.2 * dims
        assert score.low < 1.05 * dims
        assert score.high > 0.95 * dims


def test_one_side_may_be_wider_than_the_other():
    rng = np.random.default_rng(3)
    narrow, wide = rng.normal(size=(200, 3)), rng.normal(size=(200, 9))
    scores = IntrinsicDimension().scores(Clouds.unpaired(np.pad(narrow, ((0, 0), (0, 6))), wide))
    assert scores["source"].high < scores["target"].low


@pytest.mark.parametrize("sizes", [(60, 60), (80, 40)])
def test_replicas_read_off_lists_are_those_of_the_rows_themselves(sizes):
    rng = np.random.default_rng(4)
    clouds = Clouds.unpaired(*(rng.normal(size=(size, 8)) for size in sizes))
    measure = IntrinsicDimension()
    replicas = measure._replicas(clouds, 3)
    for found, rows in (
        *zip(replicas.left_out, without_blocks(clouds, 3), strict=True),
        *zip(replicas.nulls, split_clouds(clouds, 3), strict=True),
    ):
        expected = measure.values_of(rows)
        for part, value in measure._of(found).items():
            assert_allclose(value, expected[part], rtol=1e-9, err_msg=part)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_copies_count_once_and_too_few_different_rows_are_refused(dtype):
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(50, 6)).astype(dtype)
    repeated = np.repeat(rows, 4, axis=0) * rng.uniform(0.5, 2, size=(200, 1)).astype(dtype)
    copies = np.repeat(rows, 4, axis=0)
    assert_allclose(intrinsic_dimension(copies), intrinsic_dimension(rows), rtol=1e-6)
    if dtype is np.float64:  # in single precision a longer copy points a little elsewhere
        assert first_of_copies(unit_rows(repeated)).sum() == 50
    clouds = Clouds.unpaired(copies[:36], copies)
    with pytest.raises(DataError, match="10 rows a side that differ, and there are 9"):
        IntrinsicDimension().scores(clouds)
    left_out = gap_facts(clouds, ["intrinsic_dimension"])["not_measured"]
    assert "there are 9" in left_out["intrinsic_dimension"]
    with pytest.raises(DataError, match="got 9"):
        intrinsic_dimension(copies[:36])


def test_rows_that_are_all_equally_far_apart_fill_their_space():
    assert set(IntrinsicDimension().measure_parts(np.eye(12), np.eye(12)).values()) == {12.0}
