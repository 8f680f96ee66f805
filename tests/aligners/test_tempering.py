import numpy as np
import pytest

from alignkit.aligners._tempering import FLOOR, Tempering
from alignkit.errors import DataError

ROWS = np.random.default_rng(0).normal(size=(500, 6)) * np.geomspace(5, 0.2, 6)


@pytest.mark.parametrize("exponent", [0.0, 0.25, 0.5])
def test_variances_are_raised_to_one_less_twice_the_exponent(exponent):
    found = Tempering.of(ROWS, exponent)
    values = np.linalg.eigvalsh(ROWS.T @ ROWS / 500)
    values /= values.mean()
    tempered = np.linalg.eigvalsh((ROWS @ found.matrix).T @ (ROWS @ found.matrix) / 500)
    expected = values * (values + FLOOR * (exponent > 0)) ** (-2 * exponent)
    assert np.allclose(np.sort(tempered), np.sort(expected * np.trace(ROWS.T @ ROWS) / 3000))


@pytest.mark.parametrize("rows", [ROWS, ROWS[:3], np.zeros((5, 6))])
def test_the_inverse_inverts_even_where_directions_hold_no_row(rows):
    found = Tempering.of(rows, 0.5)
    assert np.allclose(found.matrix @ found.inverse, np.eye(6))


def test_turned_rows_are_tempered_in_their_own_directions():
    Q = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    straight, turned = Tempering.of(ROWS, 0.25), Tempering.of(ROWS @ Q, 0.25)
    assert np.allclose(ROWS @ straight.matrix @ Q, ROWS @ Q @ turned.matrix)


def test_rows_too_long_are_refused():
    with pytest.raises(DataError, match="scale the rows down"):
        Tempering.of(ROWS * 1e200, 0.25)
