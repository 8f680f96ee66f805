import numpy as np
from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge

from alignkit.testing import planted_rotation
from alignkit.translators.mlp import MLP, PENALTY


def test_a_solved_start_is_the_ridge_regression_on_what_enters_the_last_layer():
    X, Y, _ = planted_rotation(100, 6, noise=0.1)
    fitted = MLP(hidden=20, epochs=0, validation=0.0, normalize="none").fit(X, Y)
    H = fitted.network_.hidden(fitted.arrays_, X)
    alpha = PENALTY * np.sum((H - H.mean(axis=0)) ** 2) / 20
    expected = Ridge(alpha=alpha).fit(H, Y).predict(H)
    assert_allclose(fitted.transform(X), expected, atol=1e-5)
    drawn = MLP(hidden=20, epochs=0, validation=0.0, normalize="none", start="drawn").fit(X, Y)
    assert np.abs(drawn.transform(X) - expected).mean() > 0.1


def test_the_default_width_is_set_and_none_is_the_targets():
    X, Y, _ = planted_rotation(30, 4)
    fitted = MLP(hidden=None, layers=4, epochs=0).fit(X, Y)
    assert fitted.network_.widths == (4, 4, 4, 4, 4)
    assert MLP(layers=1, epochs=0).fit(X, Y).network_.widths == (4, 4)


def test_answers_are_cut_at_the_clamp():
    X, Y, _ = planted_rotation(60, 4)
    fitted = MLP(hidden=8, epochs=1, clamp=0.25, normalize="none").fit(X, Y)
    assert np.abs(fitted.transform(X)).max() == 0.25
