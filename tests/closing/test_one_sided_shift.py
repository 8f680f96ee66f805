import numpy as np
from numpy.testing import assert_allclose

from alignkit.closing._base import directions
from alignkit.closing.one_sided_shift import OneSidedShift
from alignkit.closing.shift import from_delta


def test_only_the_source_moves_and_as_far_as_the_notebook_moves_it(planted):
    """Its formula, written out: images less delta times the unit gap vector, then unit again."""
    x, y = (directions(rows, "source") for rows in planted)
    gap = x.mean(axis=0) - y.mean(axis=0)
    length = np.linalg.norm(gap)
    moved = x - 0.4 * gap / length
    fix = OneSidedShift().fit(*planted)
    strength = from_delta(0.4, float(length))
    assert_allclose(
        fix.apply_source(planted[0], strength), moved / np.linalg.norm(moved, axis=1, keepdims=True)
    )
    assert_allclose(fix.apply_target(planted[1], strength), y)
    assert_allclose(fix.published(strength)["delta"], 0.4)
