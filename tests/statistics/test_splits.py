import numpy as np

from alignkit.statistics.splits import first_of_two


def test_every_row_is_on_the_first_side_as_often_as_its_share_says():
    masks = np.array([first_of_two(3, 9, np.random.default_rng(seed)) for seed in range(400)])
    assert (masks.sum(axis=1) == 3).all()
    assert np.abs(masks.mean(axis=0) - 0.25).max() < 0.1
