"""Sounds keep their samples: mixed by the mean, resampled by soxr, refused with the reason and the name."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.errors import DataError, MissingExtraError
from alignkit.media.audio import Sound, read_sound

soundfile = pytest.importorskip("soundfile")
RATE = 8000
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE // 4) / RATE)).astype(np.float32)


def wav(samples: np.ndarray, rate: int = RATE, **how: str) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=how.pop("format", "WAV"), **how)
    return stream.getvalue()


def test_float_samples_of_a_file_are_read_as_they_are(tmp_path: Path):
    (tmp_path / "a.wav").write_bytes(wav(TONE, subtype="FLOAT"))
    sound = read_sound(tmp_path / "a.wav")
    assert sound.rate == RATE
    assert_array_equal(sound.samples, TONE)


def test_two_channels_are_mixed_by_their_mean():
    sound = read_sound(wav(np.stack([TONE, -0.5 * TONE], axis=1), subtype="FLOAT"))
    assert_allclose(sound.samples, 0.25 * TONE, atol=1e-7)


@pytest.mark.parametrize(
    ("dtype", "scale", "offset"), [(np.int16, 2**15, 0), (np.int32, 2**31, 0), (np.uint8, 128, 128)]
)
def test_whole_numbers_become_parts_of_one(dtype: type, scale: int, offset: int):
    values = np.array([0, 1, -1, 0.5]) * (scale - 1) + offset
    sound = Sound.of(values.astype(dtype), RATE)
    assert_allclose(sound.samples, [0, 1, -1, 0.5], atol=1.1 / min(scale, 2**15))


def test_floats_of_any_width_are_taken_as_they_are():
    for dtype in (np.float16, np.float64):
        assert_allclose(Sound.of(TONE.astype(dtype), RATE).samples, TONE, atol=1e-3)


def test_resampling_keeps_a_tone_where_it_is():
    once = Sound(TONE, RATE).resampled(48000)
    assert (once.rate, len(once.samples)) == (48000, 6 * len(TONE))
    spectrum = np.abs(np.fft.rfft(once.samples * np.hanning(len(once.samples))))
    assert spectrum.argmax() * 48000 / len(once.samples) == pytest.approx(440, abs=4)
    assert Sound(TONE, RATE).resampled(RATE).samples is TONE


def test_flac_and_ogg_are_read_too():
    for format in ("FLAC", "OGG"):
        assert np.corrcoef(read_sound(wav(TONE, format=format)).samples, TONE)[0, 1] > 0.99


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.wav is no readable sound"),
        (b"RIFF but not really", "x.wav is no readable sound"),
        (wav(TONE)[: len(wav(TONE)) // 2], "x.wav ends after 989 samples, before"),
        (wav(np.empty(0, np.float32)), "x.wav has no samples"),
        (wav(np.array([0, np.nan], np.float32), subtype="FLOAT"), "x.wav: the sound holds samples that are"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "x.wav is no readable sound"),
    ],
    ids=["empty", "garbage", "cut off", "no samples", "NaN", "a picture"],
)
def test_a_file_that_is_no_sound_is_refused_by_its_name(tmp_path: Path, content: bytes, message: str):
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_sound(tmp_path / "x.wav")


def test_a_file_that_was_written_to_a_pipe_is_whole():
    whole = bytearray(wav(TONE))
    at = whole.index(b"data") + 4
    whole[at : at + 4] = whole[4:8] = b"\xff" * 4
    assert len(read_sound(bytes(whole)).samples) == len(TONE)


def test_a_missing_file_is_refused_by_its_name(tmp_path: Path):
    with pytest.raises(DataError, match=r"none\.wav cannot be read: No such file"):
        read_sound(tmp_path / "none.wav")


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((2, 2, 2)), "n or n x channels"),
        (np.zeros(0), "n or n x channels"),
        (np.zeros(4, complex), "real numbers"),
        (np.zeros(4, np.uint16), "only uint8"),
        (np.array([1e300]), "not finite"),
    ],
)
def test_samples_that_are_no_sound_are_refused(samples: np.ndarray, message: str):
    with pytest.raises(DataError, match=message):
        Sound.of(samples, RATE)


def test_a_missing_library_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtraError, match=r"soundfile: pip install 'alignkit\[media\]'"):
        read_sound(b"")
