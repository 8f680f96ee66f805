import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import subspace_angles

from alignkit.errors import DataError
from alignkit.gaps._clouds import Clouds, unit_rows
from alignkit.gaps._measure_all import gap_facts, measure_clouds
from alignkit.gaps.cca_similarity import CcaSimilarity, cca_similarity


def test_it_is_the_mean_cosine_of_the_angles_between_the_column_spaces(planted):
    x, y = planted(0)
    centred = [unit_rows(rows) - unit_rows(rows).mean(axis=0) for rows in (x, y)]
    cosines = np.cos(subspace_angles(*centred))
    parts = CcaSimilarity().measure_parts(x, y)
    assert_allclose(parts[""], cosines.mean(), rtol=1e-9)
    assert_allclose(parts["squared"], (cosines**2).mean(), rtol=1e-9)


def test_a_map_of_a_side_changes_nothing_where_lengths_stay():
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, size=(100, 1))
    x = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    turned = np.concatenate([np.cos(angle + 1), np.sin(angle + 1)], axis=1)
    assert_allclose(cca_similarity(x, turned), 1, rtol=1e-9)


def test_shared_directions_are_counted_over_all():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 4_000, 10))
    y[:, :4] = x[:, :4]  # four of ten are common
    score = CcaSimilarity().score(Clouds.paired(x, y))
    assert 0.35 < score.value < 0.45
    assert score.low > score.chance_high


def test_fewer_than_three_rows_a_dimension_are_refused_with_the_number(planted):
    x, y = planted(0, n=60, d=24)
    with pytest.raises(DataError, match="24 dimensions need 72 pairs, and there are 60"):
        cca_similarity(x, y)
    clouds = Clouds.paired(x, y)
    assert measure_clouds(clouds, ["cca_similarity"]) == {}
    assert "72 pairs" in gap_facts(clouds, ["cca_similarity"])["not_measured"]["cca_similarity"]
