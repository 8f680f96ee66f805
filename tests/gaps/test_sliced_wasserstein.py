import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import wasserstein_distance

from alignkit.gaps._clouds import Clouds, unit_rows
from alignkit.gaps._replicas import split_clouds, without_blocks
from alignkit.gaps.sliced_wasserstein import SlicedWasserstein, _squared_distances, lines, sliced_wasserstein


def quantile_distance(first, second):
    """Return the squared 2-Wasserstein distance of two samples from their quantiles on a fine common grid."""
    count = np.lcm(len(first), len(second))
    spread = [np.repeat(np.sort(one), count // len(one)) for one in (first, second)]
    return ((spread[0] - spread[1]) ** 2).mean()


@pytest.mark.parametrize("sizes", [(24, 24), (24, 18), (7, 30)])
def test_it_is_the_root_mean_square_of_distances_between_quantiles(sizes):
    rng = np.random.default_rng(0)
    x, y = (unit_rows(rng.normal(size=(size, 5)) + shift) for size, shift in zip(sizes, (0, 1), strict=True))
    expected = [quantile_distance(x @ line, y @ line) for line in lines(5).T]
    assert_allclose(sliced_wasserstein(x, y), np.sqrt(np.mean(expected)), rtol=1e-10)


def test_one_shadow_beyond_another_is_as_far_as_scipy_says():
    rng = np.random.default_rng(1)
    first, second = rng.uniform(size=40), rng.uniform(size=30) + 5
    found = _squared_distances(np.sort(first)[None], np.sort(second)[None])[0]
    assert wasserstein_distance(first, second) ** 2 <= found  # Jensen
    assert_allclose(found, quantile_distance(first, second), rtol=1e-10)


@pytest.mark.parametrize("dims", [1, 3, 128, 200, 600])
def test_lines_see_a_shift_in_full_as_far_as_a_whole_rotation_fits(dims):
    made = lines(dims)
    assert_allclose(np.linalg.norm(made, axis=0), 1)
    assert 128 <= made.shape[1] <= 512
    if dims <= 512:
        assert_allclose(made @ made.T, np.eye(dims) * made.shape[1] / dims, atol=1e-10)


def test_a_rotation_of_both_sides_moves_it_by_little(planted):
    x, y = planted(2, n=200)
    rng = np.random.default_rng(0)
    turns = [np.linalg.qr(rng.normal(size=(8, 8)))[0] for _ in range(5)]
    assert_allclose([sliced_wasserstein(x @ t, y @ t) for t in turns], sliced_wasserstein(x, y), rtol=0.03)


@pytest.mark.parametrize("sizes", [(60, 60), (60, 40)])
def test_replicas_read_off_shadows_are_those_of_the_rows_themselves(sizes):
    rng = np.random.default_rng(3)
    clouds = Clouds.unpaired(*(rng.normal(size=(size, 4)) for size in sizes))
    measure = SlicedWasserstein()
    replicas = measure._replicas(clouds, 3)
    for found, rows in (
        *zip(replicas.left_out, without_blocks(clouds, 3), strict=True),
        *zip(replicas.nulls, split_clouds(clouds, 3), strict=True),
    ):
        expected = measure.values_of(rows)
        for part, value in measure._of(found).items():
            assert_allclose(value, expected[part], rtol=1e-9, err_msg=part)


def test_it_sees_what_means_and_covariances_do_not():
    rng = np.random.default_rng(4)
    round_ = rng.uniform(0, 2 * np.pi, size=1_200)
    square = np.repeat(np.arange(4), 300) * np.pi / 2  # moments of both orders agree
    x, y = (np.stack([np.cos(one), np.sin(one)], axis=1) for one in (round_, square))
    score = SlicedWasserstein().score(Clouds.unpaired(x, y))
    assert score.low > score.chance_high
