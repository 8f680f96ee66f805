import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import sqrtm

from alignkit.judges._frechet import frechet


def with_moments(rng, n, mean, covariance):
    """Return n rows whose sample mean and covariance are exactly these."""
    rows = rng.normal(size=(n, len(mean)))
    rows -= rows.mean(axis=0)
    rows = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows.T))).T
    return rows @ np.linalg.cholesky(covariance).T + mean


def test_two_gaussians_with_diagonal_covariances_are_where_the_closed_form_says(rng):
    a, b = np.array([1.0, 4.0, 9.0]), np.array([4.0, 1.0, 16.0])
    x = with_moments(rng, 50, np.zeros(3), np.diag(a))
    y = with_moments(rng, 40, np.array([1.0, 2.0, 3.0]), np.diag(b))
    assert_allclose(frechet(x, y), 14 + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum(), rtol=1e-10)


@pytest.mark.parametrize(("n", "m", "d"), [(60, 50, 6), (8, 9, 20), (8, 40, 20), (40, 8, 20), (20, 21, 20)])
def test_every_route_gives_what_the_matrix_root_gives(rng, n, m, d):
    x, y = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)), rng.normal(size=(m, d)) + 0.5
    lift = 1e-9 * np.eye(d)  # the root of a singular product is ill-defined for the oracle, not for us
    covariances = np.cov(x.T), np.cov(y.T)
    root = np.real(sqrtm((covariances[0] + lift) @ (covariances[1] + lift)))
    apart = x.mean(axis=0) - y.mean(axis=0)
    expected = apart @ apart + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert_allclose(frechet(x, y), expected, rtol=1e-3)


@pytest.mark.slow  # importing torchmetrics takes long
def test_it_agrees_with_torchmetrics(rng):
    torch = pytest.importorskip("torch")
    fid = pytest.importorskip("torchmetrics.image.fid")
    x, y = rng.normal(size=(80, 8)) @ rng.normal(size=(8, 8)), 2 * rng.normal(size=(60, 8)) + 1
    moments = [torch.from_numpy(part) for side in (x, y) for part in (side.mean(axis=0), np.cov(side.T))]
    assert_allclose(frechet(x, y), float(fid._compute_fid(*moments)), rtol=1e-8)


@pytest.mark.parametrize("shape", [(30, 5), (6, 30)])
def test_laws_zero_on_itself_symmetry_shift_scale_and_rotation(rng, shape):
    x, y = rng.normal(size=shape), 1.5 * rng.normal(size=shape) + 0.3
    value = frechet(x, y)
    assert frechet(x, x) < 1e-10
    assert_allclose(frechet(y, x), value, rtol=1e-9)
    assert_allclose(frechet(x + 7, y + 7), value, rtol=1e-8)
    assert_allclose(frechet(3 * x, 3 * y), 9 * value, rtol=1e-9)
    turn = np.linalg.qr(rng.normal(size=(shape[1], shape[1])))[0]
    assert_allclose(frechet(x @ turn, y @ turn), value, rtol=1e-9)
    assert_allclose(frechet(x, x + np.eye(shape[1])[0]), 1.0, rtol=1e-9)
