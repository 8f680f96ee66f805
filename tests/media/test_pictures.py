"""Pictures come upright, opaque and whole, or not at all."""

import io
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.errors import DataError, MissingExtraError
from alignkit.media.pictures import read_picture

Image = pytest.importorskip("PIL.Image")
RED, WHITE = (255, 0, 0), (255, 255, 255)
COLOURS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def saved(picture, format: str = "PNG", **how) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format=format, **how)
    return stream.getvalue()


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes whose header promises that many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF"])
def test_pixels_of_lossless_formats_are_those_that_were_saved(format: str, tmp_path: Path):
    (tmp_path / "a").write_bytes(saved(Image.fromarray(COLOURS), format))
    assert_array_equal(read_picture(tmp_path / "a"), COLOURS)


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "GIF"])
def test_pixels_of_lossy_formats_are_near(format: str):
    flat = Image.new("RGB", (16, 16), (200, 40, 90))
    assert_allclose(read_picture(saved(flat, format)).mean((0, 1)), [200, 40, 90], atol=4)


def test_grey_is_repeated_and_a_palette_looked_up():
    grey = COLOURS[..., 0]
    assert_array_equal(read_picture(saved(Image.fromarray(grey))), np.repeat(grey[..., None], 3, axis=2))
    assert_array_equal(read_picture(saved(Image.new("RGB", (2, 2), RED).convert("P"))), [[RED] * 2] * 2)
    assert_array_equal(read_picture(saved(Image.new("1", (2, 2), 1))), [[WHITE] * 2] * 2)


def test_sixteen_bits_of_grey_keep_their_shade():
    deep = np.array([[0, 257 * 100, 65535]], np.uint16)
    assert read_picture(saved(Image.fromarray(deep)))[0, :, 0].tolist() == [0, 100, 255]


def test_what_is_transparent_is_laid_on_white():
    see_through = Image.new("RGBA", (2, 1), (*RED, 0))
    see_through.putpixel((1, 0), (*RED, 128))
    left, right = read_picture(saved(see_through))[0]
    assert tuple(left) == WHITE
    assert_allclose(right, [255, 127, 127], atol=1)
    named = Image.new("P", (1, 1), 0)
    named.putpalette([0, 0, 0])
    assert_array_equal(read_picture(saved(named, "GIF", transparency=0)), [[WHITE]])


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_stands_as_the_camera_was_held(turn: int):
    exif = Image.Exif()
    exif[0x0112] = turn
    upright = {
        1: COLOURS,
        2: COLOURS[:, ::-1],
        3: COLOURS[::-1, ::-1],
        4: COLOURS[::-1],
        5: COLOURS.transpose(1, 0, 2),
        6: COLOURS[::-1].transpose(1, 0, 2),
        7: COLOURS[::-1, ::-1].transpose(1, 0, 2),
        8: COLOURS[:, ::-1].transpose(1, 0, 2),
    }[turn]
    assert_array_equal(read_picture(saved(Image.fromarray(COLOURS), exif=exif)), upright)


def test_a_damaged_rotation_counts_as_none():
    assert_array_equal(read_picture(saved(Image.fromarray(COLOURS), exif=b"Exif\x00\x00 nonsense")), COLOURS)


def test_the_first_frame_of_a_film_is_taken():
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, WHITE)]
    assert_array_equal(
        read_picture(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))[0, 0], RED
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no picture of a known format"),
        (b"RIFF....WAVEfmt ", "no picture of a known format"),
        (saved(Image.fromarray(COLOURS), "PPM"), "no picture of a known format"),
        (saved(Image.fromarray(COLOURS), "ICO"), "no picture of a known format"),
        (saved(Image.fromarray(np.tile(COLOURS, (20, 20, 1))), "JPEG")[:600], "is a damaged picture"),
        (saved(Image.fromarray(np.tile(COLOURS, (20, 20, 1))))[:500], "is a damaged picture"),
        (bomb(10_000, 10_000), "10000 x 10000 pixels, more than|more than 89478485 pixels"),
        (bomb(100_000, 100_000), "more than 89478485 pixels"),
        (saved(Image.new("F", (2, 2), 0.5), "TIFF"), "32 bits a number"),
    ],
    ids=["empty", "a sound", "PPM", "ICO", "half a JPEG", "half a PNG", "large", "bomb", "floats"],
)
def test_what_is_no_picture_is_refused_by_its_name(tmp_path: Path, content: bytes, message: str):
    (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(DataError, match=rf"x\.jpg.*({message})"):
        read_picture(tmp_path / "x.jpg")


def test_the_limit_of_pixels_is_a_parameter_and_exact():
    assert read_picture(saved(Image.new("L", (10, 3))), most_pixels=30).shape == (3, 10, 3)
    with pytest.raises(DataError, match="p has 10 x 3 pixels, more than 29"):
        read_picture(saved(Image.new("L", (10, 3))), name="p", most_pixels=29)


def test_a_missing_file_is_refused_by_its_name(tmp_path: Path):
    with pytest.raises(DataError, match=r"none\.png cannot be read: No such file"):
        read_picture(tmp_path / "none.png")


def test_a_missing_library_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"Pillow: pip install 'alignkit\[media\]'"):
        read_picture(b"")
