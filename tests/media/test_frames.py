"""Which pictures of a film are chosen, what they are called, and what is no choice."""

from collections.abc import Iterator

import numpy as np
import pytest

from alignkit.errors import ParameterError
from alignkit.media.frames import FRAME_POOLS, Frames


def film(count: int) -> Iterator[tuple[float, np.ndarray]]:
    return ((number / 2, np.array(number)) for number in range(count))


@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_the_chosen_pictures_are_those_of_the_pooling(count: int):
    chosen = {
        pool: [int(picture) for picture in Frames(2.0, pool).chosen(lambda: film(count))]
        for pool in FRAME_POOLS
    }
    alone = {"first": [0], "middle": [(count - 1) // 2], "last": [count - 1]}
    assert chosen == {pool: alone.get(pool, [*range(count)]) for pool in FRAME_POOLS}


def test_the_first_picture_is_had_without_the_others():
    def begun() -> Iterator[tuple[float, np.ndarray]]:
        yield 0.0, np.array(7)
        pytest.fail("the second picture was asked for")

    assert [int(picture) for picture in Frames(2.0, "first").chosen(begun)] == [7]


def test_names_tell_pictures_apart_at_the_highest_rate():
    frames = Frames(1000.0, "keep")
    assert len({frames.name("a", number) for number in range(5000)}) == 5000
    assert Frames(3.0).name("b/a.mp4", 2) == "b/a.mp4#0.667"


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 1001])
def test_a_rate_that_makes_no_sense_is_refused(rate: float):
    with pytest.raises(ParameterError, match="above 0, at most 1000"):
        Frames(rate)


def test_an_unknown_pooling_is_refused_with_the_choices():
    with pytest.raises(ParameterError, match=r"'median': choose one of mean_unit, .*, keep"):
        Frames(1.0, "median")
