"""Films are seen at the times that were asked for, and heard at their own rate."""

import io
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from alignkit.errors import DataError, MissingExtraError, ParameterError
from alignkit.media.films import read_film_sound, read_frames
from alignkit.media.kinds import decode

av = pytest.importorskip("av")
RATE = 16_000


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 20 pictures at 10 a second, each with its own grey, and a tone of 440 Hz on two channels."""
    path = tmp_path_factory.mktemp("films") / "a.mkv"
    with av.open(str(path), "w") as container:
        seen = container.add_stream("ffv1", rate=10)
        seen.width, seen.height, seen.pix_fmt = 32, 16, "bgr0"
        heard = container.add_stream("pcm_s16le", rate=RATE, layout="stereo")
        for number in range(20):
            picture = np.full((16, 32, 3), 10 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(seen.encode(frame))
        wave = (0.5 * 32767 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.int16)
        sound = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], format="s16", layout="stereo")
        sound.rate, sound.pts = RATE, 0
        container.mux(heard.encode(sound))
        for stream in (seen, heard):
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("rate", "greys"),
    [
        (1.0, [0, 100]),
        (2.5, [0, 40, 80, 120, 160]),
        (3.0, [0, 30, 60, 100, 130, 160]),  # at 1/3 s the picture of 0.3 s is still shown
        (0.1, [0]),
        (10.0, [10 * number for number in range(20)]),
        (20.0, [10 * (number // 2) for number in range(39)]),
    ],
)
def test_a_picture_is_the_last_one_shown_at_its_time(film: Path, rate: float, greys: list[int]):
    found = list(read_frames(film, rate=rate))
    assert [int(picture[0, 0, 0]) for _, picture in found] == greys
    assert [time for time, _ in found] == pytest.approx([k / rate for k in range(len(greys))])
    assert {(picture.shape, picture.dtype) for _, picture in found} == {((16, 32, 3), np.dtype(np.uint8))}


def test_the_sound_of_a_film_is_mixed_to_one_channel(film: Path):
    for source in (film, film.read_bytes()):
        sound = read_film_sound(source)
        assert (sound.rate, len(sound.samples)) == (RATE, 2 * RATE)
        expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)
        np.testing.assert_allclose(sound.samples, expected, atol=1e-4)


def test_what_is_no_film_is_refused_by_its_name(film: Path, tmp_path: Path):
    (tmp_path / "list.mkv").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.mkv\n#EXT-X-ENDLIST\n"
    )
    (tmp_path / "empty.mkv").write_bytes(b"")
    (tmp_path / "cut.mkv").write_bytes(film.read_bytes()[:40])
    for name in ("list.mkv", "empty.mkv", "cut.mkv"):
        with pytest.raises(DataError, match=rf"{name} (is no film|holds no picture)"):
            list(read_frames(tmp_path / name))
    with pytest.raises(DataError, match=r"none\.mkv cannot be read: No such file"):
        read_film_sound(tmp_path / "none.mkv")
    with pytest.raises(DataError, match="pictures of more than 100 pixels"):
        list(read_frames(film, most_pixels=100))
    for rate in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="rate is"):
            list(read_frames(film, rate=rate))


def test_a_film_without_a_track_says_which(tmp_path: Path):

    stream = io.BytesIO()
    with av.open(stream, "w", format="matroska") as container:
        heard = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.rate, sound.pts = RATE, 0
        container.mux(heard.encode(sound))
        container.mux(heard.encode(None))
    with pytest.raises(DataError, match="the film holds no pictures"):
        list(read_frames(stream.getvalue()))


def test_a_missing_library_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"PyAV: pip install 'alignkit\[video\]'"):
        read_film_sound(b"")


def test_an_item_of_sound_may_be_a_film(film: Path):
    sound = decode(film, "audio", suffix=".MKV", name="a.MKV")
    assert (sound.rate, len(sound.samples)) == (RATE, 2 * RATE)
    with pytest.raises(DataError, match=r"b\.mkv is no film"):
        decode(b"RIFF", "audio", suffix=".mkv", name="b.mkv")
