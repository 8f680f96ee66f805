import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.demo.factors import build_factors, heard_in, picture_of, seen_in, sound_of


def test_every_factor_can_be_read_back_from_the_picture_and_from_the_sound():
    factors = np.random.default_rng(5).random((25, 3))
    assert_allclose([seen_in(picture_of(each)) for each in factors], factors, atol=0.01)
    assert_allclose([heard_in(sound_of(each)) for each in factors], factors, atol=0.01)


@pytest.mark.parametrize("corner", [(0, 0, 0), (1, 1, 1), (0, 1, 0.5), (1, 0, 0.5)])
def test_so_can_those_at_the_ends_of_their_ranges(corner):
    assert_allclose(heard_in(sound_of(np.array(corner, float))), corner, atol=0.03)
    assert_allclose(seen_in(picture_of(np.array(corner, float))), corner, atol=0.03)


def test_the_two_spaces_lie_apart_and_share_neither_width_nor_centre():
    world = build_factors(40, 10)
    seen, heard = world.seen.array(), world.heard.array()
    assert_allclose(np.linalg.norm(seen, axis=1), 1)
    assert np.linalg.norm(seen.mean(axis=0)) > 0.8  # a cone, as encoders make
    assert np.linalg.norm(seen.mean(axis=0) - heard[:, :48].mean(axis=0)) > 0.8
    again = build_factors(40, 10)
    assert np.array_equal(again.heard.array(), heard)
