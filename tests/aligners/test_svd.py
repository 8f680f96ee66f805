import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.aligners import METHODS
from alignkit.aligners._svd import thin_svd
from alignkit.errors import DataError
from alignkit.testing import planted_rotation


def gives_up(*args, **kwargs):
    raise np.linalg.LinAlgError("SVD did not converge")


@pytest.mark.parametrize("name", ["cca", "procrustes", "whitened_rotation"])
def test_where_divide_and_conquer_does_not_converge_another_algorithm_takes_over(name, monkeypatch):
    """Seen on 202 CLAP pairs of 512 dimensions: the fast algorithm fails on a sound matrix of low rank."""
    X, Y, _ = planted_rotation(noise=0.1)
    expected = METHODS.get(name)().fit(X, Y).transform(X)
    monkeypatch.setattr(np.linalg, "svd", gives_up)
    fitted = METHODS.get(name)().fit(X, Y)
    assert_allclose(fitted.transform(X), expected, atol=1e-8)
    assert_allclose(fitted.inverse_transform(fitted.transform(X)), X, atol=1e-6)


def test_products_out_of_range_are_refused():
    with pytest.raises(DataError, match="scale the rows down"):
        thin_svd(np.array([[np.inf, 0.0]]))
