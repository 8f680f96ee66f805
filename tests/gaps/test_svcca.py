import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from alignkit.gaps._clouds import Clouds, unit_rows
from alignkit.gaps.svcca import Svcca, svcca


@pytest.mark.parametrize(("n", "d", "kept"), [(200, 12, None), (60, 12, 6)])
def test_it_is_the_mean_cosine_between_the_spaces_of_leading_components(planted, n, d, kept):
    x, y = planted(0, n=n, d=d)
    scores = [PCA(kept or 0.99, svd_solver="full").fit_transform(unit_rows(rows)) for rows in (x, y)]
    assert_allclose(svcca(x, y), np.cos(subspace_angles(*scores)).mean(), rtol=1e-9)


def test_directions_of_little_variance_are_left_out():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 400, 10))
    y[:, :4] = x[:, :4]
    loud = np.array([1.0] * 4 + [0.01] * 6)
    quiet = np.array([0.01] * 4 + [1.0] * 6)
    assert svcca(x * loud, y * loud) > 0.99
    assert svcca(x * quiet, y * quiet) < 0.2


def test_more_dimensions_than_rows_are_no_obstacle_and_repeat_to_the_bit():
    rng = np.random.default_rng(1)
    latent = rng.normal(size=(50, 3))
    x, y = (latent @ rng.normal(size=(3, 80)) + 0.1 * rng.normal(size=(50, 80)) for _ in range(2))
    score = Svcca().score(Clouds.paired(x, y))
    assert score.low > score.chance_high
    assert svcca(x, y) == svcca(x, y)
