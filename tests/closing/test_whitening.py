import numpy as np
from numpy.testing import assert_allclose

from alignkit.closing._base import directions
from alignkit.closing.whitening import Whitening


def widths(rows):
    return np.linalg.eigvalsh(np.cov(rows.T))


def test_training_rows_are_equally_wide_in_every_direction_but_for_what_is_added():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5000, 6)) @ rng.normal(size=(6, 6)) + 3
    fix = Whitening().fit(x, x)
    unit = directions(x, "source")
    before, after = widths(unit), widths(fix._moved(unit, "source", 1.0))
    assert before[-1] > 30 * before[0]
    added = 6 / 5000 * before.mean()
    assert_allclose(after, np.sort(before / (before + added)), rtol=1e-3)


def test_directions_that_no_training_row_spans_are_kept_and_not_blown_up():
    rng = np.random.default_rng(1)
    x, strange = rng.normal(size=(20, 50)), rng.normal(size=(5, 50))
    fix = Whitening().fit(x, x)
    moved = fix._moved(directions(strange, "source"), "source", 1.0)
    known = fix._moved(directions(x, "source"), "source", 1.0)
    assert np.isfinite(moved).all()
    shares = np.linalg.norm(moved, axis=1) / np.linalg.norm(known, axis=1).mean()
    assert 0.5 < shares.min() <= shares.max() < 3
