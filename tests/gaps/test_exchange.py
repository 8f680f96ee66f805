import numpy as np

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._exchange import exchanged, first_side, first_sides
from alignkit.gaps._replicas import split_clouds
from alignkit.gaps.intrinsic_dimension import IntrinsicDimension


def test_partners_stay_on_different_sides_and_captions_of_one_picture_together():
    links = np.stack([np.repeat(np.arange(30), 3), np.arange(90)], axis=1)
    rng = np.random.default_rng(0)
    clouds = Clouds.paired(rng.normal(size=(30, 4)), rng.normal(size=(90, 4)), links)
    first = first_side(clouds, rng)
    assert np.array_equal(first[:30][links[:, 0]], ~first[30:][links[:, 1]])
    assert 5 < first[:30].sum() < 25


def test_unpaired_sides_are_split_as_everywhere():
    rng = np.random.default_rng(1)
    clouds = Clouds.unpaired(rng.normal(size=(30, 4)), rng.normal(size=(20, 4)))
    for first, split in zip(first_sides(clouds, 3), split_clouds(clouds, 3), strict=True):
        made = exchanged(clouds, first)
        for rows, expected in ((made.x, split.x), (made.y, split.y)):
            assert np.array_equal(np.sort(rows, axis=0), np.sort(expected, axis=0))


def test_near_partners_do_not_pull_the_null_level_of_a_neighbour_measure_down():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(400, 6))
    y = x + 0.01 * rng.normal(size=(400, 6))
    paired, unpaired = (
        IntrinsicDimension().scores(make(x, y))["source"] for make in (Clouds.paired, Clouds.unpaired)
    )
    assert paired.chance_low < paired.value < paired.chance_high
    assert unpaired.chance_high < paired.value  # half of all rows have their partner beside them
