import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import pdist, squareform
from scipy.stats import pearsonr

from alignkit.gaps._clouds import Clouds, unit_rows
from alignkit.gaps.distance_correlation import DistanceCorrelation, distance_correlation


def centred(distances, *, unbiased):
    """Centre a matrix of distances twice, as the two papers define it."""
    n = len(distances)
    rows = distances.sum(axis=1)
    if not unbiased:
        return distances - rows[:, None] / n - rows / n + rows.sum() / n**2
    out = distances - rows[:, None] / (n - 2) - rows / (n - 2) + rows.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(out, 0)
    return out


@pytest.mark.parametrize(("part", "unbiased"), [("", True), ("biased", False)])
def test_it_is_the_cosine_of_the_centred_distances(planted, part, unbiased):
    x, y = planted(0)
    sides = [centred(squareform(pdist(unit_rows(rows))), unbiased=unbiased) for rows in (x, y)]
    products = [(a * b).sum() for a, b in ((sides[0], sides[1]), (sides[0],) * 2, (sides[1],) * 2)]
    expected = products[0] / np.sqrt(products[1] * products[2])
    assert_allclose(DistanceCorrelation().measure_parts(x, y)[part], expected, rtol=1e-10)


def test_the_mantel_part_is_the_correlation_of_all_distances(planted):
    x, y = planted(1)
    expected = pearsonr(pdist(unit_rows(x)), pdist(unit_rows(y))).statistic
    assert_allclose(DistanceCorrelation().measure_parts(x, y)["mantel"], expected, rtol=1e-10)


def test_a_dependence_without_correlation_is_found_and_none_is_where_there_is_none():
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, size=400)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    y = np.stack([np.cos(2 * angle), np.sin(2 * angle)], axis=1)  # uncorrelated with x, and told by it
    found = DistanceCorrelation().score(Clouds.paired(x, y))
    assert found.low > found.chance_high
    mixed = DistanceCorrelation().score(Clouds.paired(x, rng.permutation(y)))
    assert mixed.chance_low <= mixed.value <= mixed.chance_high


@pytest.mark.parametrize("dims", [4, 64])
def test_the_bias_grows_with_dimensions_and_the_corrected_value_does_not(dims):
    values = [
        DistanceCorrelation().measure_parts(*np.random.default_rng(seed).normal(size=(2, 40, dims)))
        for seed in range(10)
    ]
    assert abs(np.mean([one[""] for one in values])) < 0.03
    assert np.mean([one["biased"] for one in values]) > (0.6 if dims == 64 else 0.1)


def test_a_turned_and_mirrored_copy_is_the_same_space(planted):
    x, _ = planted(3)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0]
    assert_allclose(distance_correlation(x, -x @ turn), 1, rtol=1e-10)
