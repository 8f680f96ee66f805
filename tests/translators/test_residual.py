import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.aligners._frame import NORMALIZE
from alignkit.aligners.procrustes import Procrustes
from alignkit.testing import planted_map, planted_rotation
from alignkit.translators.residual import Residual

SHORT = {"hidden": 16, "epochs": 6, "batch": 16, "refit": False}  # the shortest that shows something


@pytest.mark.parametrize("normalize", NORMALIZE)
def test_before_the_first_step_it_is_procrustes(normalize):
    X, Y, _ = planted_rotation(100, 6, noise=0.2)
    start = Residual(epochs=0, normalize=normalize).fit(X, Y)
    rotation = Procrustes(normalize=normalize).fit(X, Y)
    assert_allclose(start.transform(X), rotation.transform(X), atol=2e-6)
    assert_allclose(start.project_source(X), rotation.project_source(X), atol=2e-6)


def test_it_starts_as_procrustes_between_unequal_dimensions_too():
    for dims in ((5, 8), (8, 5)):
        X, Y = planted_map(*dims)
        expected = Procrustes().fit(X, Y).transform(X)
        assert_allclose(Residual(epochs=0).fit(X, Y).transform(X), expected, atol=2e-6)


def test_where_the_correction_ranks_no_pair_better_the_map_stays_the_rotation():
    """A clean rotation ranks every held-out pair first: nothing can be gained, and nothing is lost."""
    X, Y, _ = planted_rotation(200, 8, noise=0.01)
    fitted = Residual(**SHORT | {"epochs": 20, "rate": 0.05, "refit": True, "patience": 3}).fit(X, Y)
    assert fitted.epochs_ == 0
    assert len(fitted.history_) == 3
    assert_allclose(fitted.transform(X), Procrustes().fit(X, Y).transform(X), atol=2e-6)


def test_the_rotation_itself_is_not_trained(bent):
    start, end = (Residual(**SHORT | {"epochs": epochs, "validation": 0.0}).fit(*bent) for epochs in (0, 6))
    assert np.array_equal(start.arrays()["net.skip"], end.arrays()["net.skip"])
    assert np.abs(end.arrays()["net.weight1"]).max() > 1e-3
