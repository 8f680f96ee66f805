import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.aligners.identity import Identity
from alignkit.errors import DataError
from alignkit.testing import planted_map, planted_rotation


def test_the_joint_frame_gives_the_raw_cosine():
    X, Y, _ = planted_rotation(noise=0.5)
    X, Y = 3 * X, 5 * Y
    fitted = Identity().fit(X, Y)
    cosines = np.einsum("nd,nd->n", fitted.project_source(X), fitted.project_target(Y))
    expected = np.einsum("nd,nd->n", X, Y) / np.linalg.norm(X, axis=1) / np.linalg.norm(Y, axis=1)
    assert_allclose(cosines, expected)


def test_unequal_dimensions_are_refused_with_another_method():
    with pytest.raises(DataError, match="equal dimensions, got 8 and 12: fit procrustes"):
        Identity().fit(*planted_map(8, 12))
