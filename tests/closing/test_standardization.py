import numpy as np
from numpy.testing import assert_allclose

from alignkit.closing.centring import Centring
from alignkit.closing.standardization import Standardization


def full(fix, x, y):
    return fix.apply_source(x, 1.0), fix.apply_target(y, 1.0)


def test_dimensions_of_unequal_width_weigh_alike_where_centring_leaves_them(judge):
    rng = np.random.default_rng(0)
    meaning = rng.normal(size=(400, 8))
    widths = np.geomspace(1, 40, 8)
    x = np.hstack([meaning + 0.3 * rng.normal(size=(400, 8)), np.full((400, 1), 60)])
    y = np.hstack([meaning * widths[::-1] + 0.3 * rng.normal(size=(400, 8)), np.full((400, 1), 60)])
    train, held = slice(0, 300), slice(300, None)
    centred, standard = (f().fit(x[train], y[train]) for f in (Centring, Standardization))
    assert judge(*full(standard, x[held], y[held]))[1] > judge(*full(centred, x[held], y[held]))[1] + 0.2


def test_a_dimension_that_never_varies_keeps_its_scale():
    rng = np.random.default_rng(1)
    x = np.hstack([rng.normal(size=(50, 3)), np.zeros((50, 1))])
    fix = Standardization().fit(x, x)
    assert fix.spreads_["source"][3] == 1.0
    assert_allclose(fix.apply_source(x, 1.0)[:, 3], 0)
