"""Films are seen at the times that were asked for, and heard at their own rate."""

import io
import sys
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from alignkit.errors import DataError, MissingExtraError, ParameterError
from alignkit.media.films import _moving, _timed, read_film_sound, read_frames
from alignkit.media.kinds import decode

av = pytest.importorskip("av")
Disposition = pytest.importorskip("av.stream").Disposition
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


GREYS = [12 * number for number in range(20)]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov", ".webm", ".avi"])
def test_every_container_is_seen_alike_and_one_that_was_cut_off_is_refused(
    make_film: Callable[..., Path], tmp_path: Path, suffix: str
):
    rng = np.random.default_rng(0)
    noisy = [grey + rng.integers(-4, 5, (16, 32, 3)) for grey in GREYS[1:-1]]  # else a picture is no bytes
    path = make_film(tmp_path / f"a{suffix}", noisy)
    found = list(read_frames(path, rate=2.5))
    assert [time for time, _ in found] == [0.0, 0.4, 0.8, 1.2, 1.6]
    means = [picture.astype(float).mean() for _, picture in found]
    np.testing.assert_allclose(means, [GREYS[at] for at in (1, 5, 9, 13, 17)], atol=4)
    whole = path.read_bytes()
    for share in (0.5, 0.8):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(DataError, match=r"a\.\w+ (ends after|is no film|holds no picture that)"):
            list(read_frames(path, rate=2.5))


def test_an_avi_is_held_to_the_number_of_its_pictures(make_film: Callable[..., Path], tmp_path: Path):
    """Cut off between two of them, it decodes without an error, and its duration is that of what is there."""
    noise = np.random.default_rng(0).integers(0, 255, (40, 48, 64, 3))
    path = make_film(tmp_path / "a.avi", list(noise), size=(64, 48))
    assert len(list(read_frames(path, rate=10))) == 40
    path.write_bytes(path.read_bytes()[: int(0.7 * path.stat().st_size)])
    with pytest.raises(DataError, match=r"a\.avi ends after \d\.\d+ s, before its end"):
        list(read_frames(path, rate=10))


def test_times_count_and_not_frames_where_a_film_has_no_steady_rate(
    make_film: Callable[..., Path], tmp_path: Path
):
    times = [0.0, 0.05, 0.1, 1.0, 1.9, 2.0, 4.0]
    path = make_film(tmp_path / "a.mkv", [30 * number for number in range(7)], times=times)
    greys = [int(picture[0, 0, 0]) for _, picture in read_frames(path, rate=1)]
    assert greys == [0, 90, 150, 150, 180]
    later = make_film(
        tmp_path / "b.mkv", [0, 50, 100], times=[5.0, 5.5, 6.0]
    )  # counted from its first picture
    assert [int(picture[0, 0, 0]) for _, picture in read_frames(later, rate=2)] == [0, 50, 100]


def test_a_picture_without_a_time_follows_and_none_goes_back():
    """Some old films state no times, or wrong ones."""
    tick, stream = Fraction(1, 100), SimpleNamespace(average_rate=Fraction(10))
    times = [None, None, 30, 25, None, 90]
    frames = [SimpleNamespace(pts=time, time_base=tick, duration=0) for time in times]
    film = SimpleNamespace(decode=lambda _: iter(frames))
    assert [float(time) for time, _ in _timed(film, stream)] == [0, 0.1, 0.3, 0.3, 0.4, 0.9]


def test_a_cover_is_no_picture_of_a_film():
    cover, moving = (SimpleNamespace(disposition=each) for each in (Disposition.attached_pic, Disposition(0)))
    for videos, found in (([cover, moving], moving), ([cover], None)):
        assert _moving(SimpleNamespace(streams=SimpleNamespace(video=videos))) is found


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_picture_stands_as_the_camera_was_held(
    make_film: Callable[..., Path], tmp_path: Path, degrees: int
):
    picture = np.zeros((16, 32, 3), np.uint8)
    picture[:8, :16] = 200  # above on the left
    path = make_film(tmp_path / "a.mp4", [picture] * 3, degrees=degrees)
    seen = next(read_frames(path))[1].astype(float)
    expected = np.rot90(picture, degrees // 90)
    assert seen.shape == expected.shape
    assert np.abs(seen - expected).mean() < 10
    assert np.abs(seen - np.rot90(expected, 2)).mean() > 50


@pytest.mark.parametrize("size", [(33, 17), (1, 1), (7, 64)])
def test_odd_sizes_and_a_single_picture_are_films(
    make_film: Callable[..., Path], tmp_path: Path, size: tuple[int, int]
):
    path = make_film(tmp_path / "a.mkv", [70], size=size)
    ((time, picture),) = read_frames(path, rate=25)
    assert (time, picture.shape) == (0.0, (size[1], size[0], 3))
    assert (picture == 70).all()


def test_a_film_of_no_picture_is_refused(make_film: Callable[..., Path], tmp_path: Path):
    path = make_film(tmp_path / "a.mkv", [])
    with pytest.raises(DataError, match=r"a\.mkv (holds no picture|is no film)"):
        list(read_frames(path))


def test_one_picture_at_a_time_is_held(make_film: Callable[..., Path], tmp_path: Path):
    """Of a film of 60 pictures of half a MB, numpy never holds more than a few."""
    path = make_film(tmp_path / "a.mkv", GREYS * 3, size=(512, 320))
    tracemalloc.start()
    try:
        for _, picture in read_frames(path, rate=10):
            assert picture.nbytes == 512 * 320 * 3
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()


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
