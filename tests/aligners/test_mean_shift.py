import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.aligners.mean_shift import MeanShift
from alignkit.errors import DataError, ParameterError
from alignkit.testing import planted_map, planted_rotation


def test_a_planted_shift_is_undone_and_a_rotation_is_not():
    X, Y, _ = planted_rotation()
    assert_allclose(MeanShift(normalize="center").fit(X, X + 5).transform(X), X + 5)
    assert MeanShift(normalize="center").fit(X, X + 5).score(X, X + 5) > 0.99
    assert MeanShift().fit(X, Y).score(X, Y) < 0.5


def test_the_centroids_meet():
    X, Y, _ = planted_rotation()
    fitted = MeanShift().fit(X, Y)
    assert_allclose(fitted.transform(X).mean(axis=0), Y.mean(axis=0), atol=1e-12)


def test_what_it_cannot_do_is_refused():
    X, Y, _ = planted_rotation()
    with pytest.raises(ParameterError, match="normalize is 'unit': choose center"):
        MeanShift(normalize="unit").fit(X, Y)
    with pytest.raises(DataError, match="equal dimensions"):
        MeanShift().fit(*planted_map(8, 12))
    assert np.isfinite(MeanShift().fit(X, X).transform(X)).all()
