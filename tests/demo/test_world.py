import numpy as np
from numpy.testing import assert_allclose

from alignkit.demo.world import CAMERA_A, CAMERA_B, build_world
from alignkit.duplicates import duplicate_labels


def test_the_cameras_share_no_pixel_and_miss_none():
    assert CAMERA_A.sees.sum() == CAMERA_B.sees.sum() == 32
    assert np.array_equal(CAMERA_A.sees, ~CAMERA_B.sees)


def test_what_one_camera_sees_never_reaches_the_other_encoder(world):
    images, train = world.images.copy(), world.images[~world.held_out]
    images[:, CAMERA_B.sees] = 0.5
    trained_on = train.copy()
    trained_on[:, CAMERA_B.sees] = 0.1
    assert np.array_equal(CAMERA_A.encode(images, trained_on), world.source.array())


def test_held_out_digits_do_not_shape_the_encoders(world):
    images = world.images.copy()
    images[world.held_out] = np.random.default_rng(0).uniform(size=images[world.held_out].shape)
    rows = CAMERA_B.encode(images, images[~world.held_out])
    assert np.array_equal(rows[~world.held_out], world.target.array()[~world.held_out])


def test_the_spaces_are_two_of_unlike_width_with_unit_rows_in_a_cone_each(world):
    assert not world.source.space.meets(world.target.space)
    assert (world.source.dim, world.target.dim) == (48, 64)
    for side in (world.source, world.target):
        assert_allclose(np.linalg.norm(side.array(), axis=1), 1, atol=1e-6)
        assert np.linalg.norm(side.array().mean(axis=0)) > 0.7


def test_equal_images_never_stand_on_both_sides_of_the_split(world):
    labels = duplicate_labels(world.images.reshape(len(world.images), -1))
    assert not set(labels[world.held_out]) & set(labels[~world.held_out])
    assert len(world.train) + len(world.test) == len(world.images) == 1797
    assert len(world.test) == 539


def test_another_seed_draws_another_split_and_the_same_one_the_same():
    first, again, other = build_world(seed=1), build_world(seed=1), build_world(seed=2)
    assert np.array_equal(first.source.array(), again.source.array())
    assert not np.array_equal(first.held_out, other.held_out)
