import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.demo.audition import audition
from alignkit.demo.world import CAMERA_A, CAMERA_B
from alignkit.errors import SpaceMismatchError
from alignkit.workflows import fit


def test_every_variant_keeps_what_camera_a_saw_and_fills_the_rest(tour):
    truth = tour.audition.images["truth"]
    assert np.array_equal(truth, tour.world.images[tour.world.test.links[:, 0]])
    for images in tour.audition.images.values():
        assert np.array_equal(CAMERA_A.pixels(images), CAMERA_A.pixels(truth))
        assert images.min() >= 0
        assert images.max() <= 1


def test_the_mapped_rows_draw_better_than_the_mean_and_than_another_digits_row(tour):
    errors = tour.audition.report.sections["pixel_error"]
    assert errors["ceiling"].high < errors["mapped"].low
    assert errors["mapped"].high < errors["mapped, nearest"].low
    assert errors["mapped"].high < errors["mean"].low < errors["another digit"].low
    named = tour.audition.report.sections["recognised"]
    assert named["mapped"].low > named["another digit"].high
    assert named["truth"].value > named["mean"].value


def test_scores_are_those_of_the_pictures(tour):
    images, sections = tour.audition.images, tour.audition.report.sections
    assert "truth" not in sections["pixel_error"]
    for name, score in sections["pixel_error"].items():
        off = 16 * (CAMERA_B.pixels(images[name]) - CAMERA_B.pixels(images["truth"]))
        assert_allclose(score.value, np.sqrt(np.mean(off**2)))
        assert score.low < score.value < score.high


def test_a_map_the_wrong_way_round_is_refused(tour):
    world = tour.world
    backwards = fit(world.target, world.source, method="procrustes", test=0).alignment
    with pytest.raises(SpaceMismatchError, match="camera-a"):
        audition(world, backwards)
