import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.closing import FIXES
from alignkit.closing._base import directions
from alignkit.errors import DataError, ParameterError

NAMES = FIXES.names()


def both(fix, x, y, strength):
    return fix.apply_source(x, strength), fix.apply_target(y, strength)


def test_the_registry_holds_what_was_published():
    assert {
        "shift",
        "one_sided_shift",
        "centring",
        "standardization",
        "noise",
        "whitening",
        "procrustes",
    } <= {*NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_every_fix_closes_a_planted_gap_of_rows_it_never_saw(name, planted, judge):
    x, y = planted
    fix = FIXES.get(name)().fit(x[:200], y[:200])
    before, _ = judge(directions(x[200:], "source"), directions(y[200:], "target"))
    after, _ = judge(*both(fix, x[200:], y[200:], fix.full))
    assert after < 0.35 * before


@pytest.mark.parametrize("name", NAMES)
def test_lengths_of_rows_do_not_matter_and_nothing_is_learnt_from_what_it_is_applied_to(name, planted):
    x, y = planted
    fix, scaled = (FIXES.get(name)().fit(times * x[:200], y[:200]) for times in (1, 7))
    whole = both(fix, x[200:], y[200:], fix.full)
    for side, again in zip(whole, both(scaled, 3 * x[200:], y[200:], fix.full), strict=True):
        assert_allclose(side, again, atol=1e-12)
        assert_allclose(np.linalg.norm(side, axis=1), 1, atol=1e-12)
    for side, first in zip(whole, both(fix, x[200:220], y[200:220], fix.full), strict=True):
        assert_allclose(side[:20], first, atol=1e-12)


@pytest.mark.parametrize("name", sorted({*NAMES} - {"noise"}))
def test_a_strength_of_nothing_leaves_rows_as_they_are(name, planted):
    fix = FIXES.get(name)().fit(*planted)
    for side, rows in zip(both(fix, *planted, 0.0), planted, strict=True):
        assert_allclose(side, directions(rows, "source"), atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_strengths_of_a_sweep_lie_in_the_limits_and_hold_the_full_one(name):
    fix = FIXES.get(name)
    assert fix.full in fix.grid
    assert fix.limits[0] <= min(fix.grid) <= max(fix.grid) <= fix.limits[1]


def test_what_cannot_be_moved_is_refused_with_its_row(planted):
    x, y = planted
    centring = FIXES.get("centring")().fit(x, y)
    with pytest.raises(ParameterError, match=r"strength of Centring is 1\.5: it lies between 0 and 1"):
        centring.apply_source(x, 1.5)
    with pytest.raises(DataError, match="row 1 of the target has no direction"):
        centring.apply_target(np.array([[1.0] * 12, [0.0] * 12]), 1.0)
    with pytest.raises(DataError, match="12 dimensions and the target 5"):
        FIXES.get("shift")().fit(x, y[:, :5])
    with pytest.raises(DataError, match="as many partners on both sides"):
        FIXES.get("procrustes")().fit(x, y[:50])
    collapsed = np.ones((10, 12))
    with pytest.raises(DataError, match="row 0 of the source is left without a direction"):
        FIXES.get("centring")().fit(collapsed, y).apply_source(collapsed, 1.0)
