import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.errors import DataError
from alignkit.media.audio import Sound, read_sound
from alignkit.media.pictures import read_picture
from alignkit.media.writing import picture_bytes, shown, sound_bytes, spectrogram_picture


def test_sounds_and_pictures_come_back_as_they_were_written():
    sound = Sound(np.sin(np.arange(3000, dtype=np.float32) / 9), 22050)
    back = read_sound(sound_bytes(sound))
    assert back.rate == 22050
    assert_allclose(back.samples, sound.samples, atol=1 / 32000)
    picture = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    assert np.array_equal(read_picture(picture_bytes(picture)), picture)


def test_a_rising_tone_rises_in_its_spectrogram():
    time = np.arange(16000) / 16000
    rising = Sound(np.sin(2 * np.pi * (200 + 2500 * time) * time).astype(np.float32), 16000)
    light = spectrogram_picture(rising).astype(float).sum(axis=2).argmax(axis=0)
    assert light[5] > light[60] > light[-10] + 10  # row 0 is the highest band
    short = spectrogram_picture(Sound(np.ones(3, np.float32), 8000))
    assert short.dtype == np.uint8


def test_numbers_are_shown_as_grey_and_what_is_no_picture_is_refused():
    assert shown(np.array([[0.0, 0.5, 9.0]]))[0, :, 1].tolist() == [0, 128, 255]
    colour = np.zeros((2, 2, 3), np.uint8)
    assert np.array_equal(shown(colour), colour)
    with pytest.raises(DataError, match="is no picture"):
        shown(np.zeros(7))
    with pytest.raises(DataError, match="height x width x 3"):
        picture_bytes(np.zeros((2, 2)))
