"""A file is read as its modality says, by content and not by name."""

from pathlib import Path

import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.media.kinds import MOST_LETTERS, SUFFIXES, decode


def test_no_ending_belongs_to_two_modalities():
    everything = [suffix for suffixes in SUFFIXES.values() for suffix in suffixes]
    assert len(set(everything)) == len(everything)
    assert all(suffix == suffix.lower() for suffix in everything)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a is empty"),
        (b" \n\t", "a is empty"),
        (b"\xff\xfe\x00", "a is no UTF-8 text"),
        (b"a" * (MOST_LETTERS + 1), "more than one text"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, message: str):
    with pytest.raises(DataError, match=message):
        decode(content, "text", suffix=".txt", name="a")


def test_a_text_is_read_from_a_file_too(tmp_path: Path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf Stra\xc3\x9fe \r\n")
    assert decode(tmp_path / "a.txt", "text", suffix=".txt", name="a") == "Straße"
    with pytest.raises(DataError, match="b cannot be read"):
        decode(tmp_path / "b.txt", "text", suffix=".txt", name="b")


def test_a_picture_called_a_sound_is_refused_and_one_of_another_format_is_read(tmp_path: Path):
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("soundfile")
    image.new("RGB", (2, 3), (1, 2, 3)).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    assert np.array_equal(decode(content, "image", suffix=".jpg", name="a.jpg")[0, 0], [1, 2, 3])
    with pytest.raises(DataError, match=r"a\.wav is no readable sound"):
        decode(content, "audio", suffix=".wav", name="a.wav")
