"""Length policies: what is kept of a sound, and that nothing but the sound decides it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.errors import DataError, ParameterError
from alignkit.media.lengths import as_int16_holds, check_policy, mean_direction, repeat_pad, starts

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("length", [11, 19, 20, 21, 30, 47])
def test_windows_see_every_sample_and_stay_inside(length: int):
    begin = starts(np.zeros(length), 10)
    seen = np.unique(np.concatenate([np.arange(b, b + 10) for b in begin]))
    assert_array_equal(seen, np.arange(length))
    assert len(begin) == -(-length // 10)
    assert begin[-1] == length - 10


@pytest.mark.parametrize("policy", ["windows", "center", "first", "random(4)"])
def test_a_sound_that_fits_is_one_piece(policy: str):
    assert starts(np.zeros(10), 10, policy) == starts(np.zeros(3), 10, policy) == [0]


def test_a_random_piece_hangs_on_the_seed_and_the_sound_alone():
    sounds = [RNG.normal(size=5000) for _ in range(200)]
    first = [starts(x, 1000, "random(1)")[0] for x in sounds]
    np.random.seed(5)  # noqa: NPY002 - the global state is what must not matter
    again = [starts(x, 1000, "random(1)")[0] for x in reversed(sounds)][::-1]
    other = [starts(x, 1000, "random(2)")[0] for x in sounds]
    assert first == again != other
    assert 0 <= min(first) < 400
    assert 3600 < max(first) <= 4000
    assert_allclose(np.mean(first), 2000, atol=5 * 4000 / np.sqrt(12 * 200))


@pytest.mark.parametrize("policy", ["random", "random(-1)", "middle", "", "random(SEED)"])
def test_an_unknown_policy_is_refused_with_the_choices(policy: str):
    with pytest.raises(ParameterError, match="windows, center, first"):
        check_policy(policy)


def test_repetition_is_whole_and_the_rest_is_silence():
    x = RNG.normal(size=7)
    padded = repeat_pad(x, 24)
    assert_array_equal(padded, np.concatenate([x, x, x, np.zeros(3)]))
    assert_array_equal(repeat_pad(x, 7), x)
    for bad in (np.zeros(0), np.zeros(25)):
        with pytest.raises(DataError, match="between 1 and 24"):
            repeat_pad(bad, 24)


def test_sixteen_bits_are_laions():
    """Written out from the original: clip, times 32767 as int16, over 32767 as float32."""
    x = np.concatenate([RNG.normal(size=1000), [0.0, 1.0, -1.0, 1.5, -7.0]]).astype(np.float32)
    laion = ((np.clip(x, a_min=-1.0, a_max=1.0) * 32767.0).astype(np.int16) / 32767.0).astype(np.float32)
    assert_array_equal(as_int16_holds(x), laion)
    assert_array_equal(
        as_int16_holds(laion * np.float32(1.0)).astype(np.float32)[-4:], [1.0, -1.0, 1.0, -1.0]
    )


def test_the_mean_direction_weighs_windows_alike_and_does_not_cancel_silently():
    rows = RNG.normal(size=(5, 8))
    mean = mean_direction(rows)
    assert_allclose(np.linalg.norm(mean), 1.0, rtol=1e-12)
    assert_allclose(mean_direction(rows * np.array([[1], [9], [2], [0.1], [30]])), mean, rtol=1e-12)
    assert_allclose(mean_direction(rows[::-1]), mean, rtol=1e-12)
    with pytest.raises(DataError, match="opposite"):
        mean_direction(np.array([[1.0, 0.0], [-1.0, 0.0]]))
    with pytest.raises(DataError, match="zeros"):
        mean_direction(np.zeros((1, 3)))
