import io

import numpy as np
import pytest
from PIL import Image

from alignkit.errors import DataError
from alignkit.explorer.media import MediaFolder, address, content, sniff, spectrogram, thumbnail
from alignkit.media.audio import read_sound


@pytest.fixture(scope="module")
def resolver(folder):
    return MediaFolder(folder)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "../secret.png",
        "media/../../secret.png",
        "/etc/passwd",
        "C:\\x.png",
        "\\\\host\\x.png",
        "a\0.png",
        "..\\x",
    ],
)
def test_no_path_leaves_the_folder(resolver, path):
    with pytest.raises(DataError, match="not one beneath the folder"):
        resolver.find(path)


def test_no_link_leaves_the_folder_and_no_name_is_believed(folder, tmp_path):
    resolver = MediaFolder(tmp_path)
    (tmp_path / "out.png").symlink_to(folder / "media" / "00.png")
    with pytest.raises(DataError, match="there is no file"):
        resolver.find("out.png")
    (tmp_path / "fake.png").write_text("<svg onload=alert(1)>")
    with pytest.raises(DataError, match="by its content"):
        resolver.find("fake.png")
    with pytest.raises(DataError, match="there is no file"):
        resolver.find("x" * 5000)


def test_a_path_is_looked_for_beside_its_artifact_first(resolver, folder, tmp_path):
    found = resolver.find("media/03.png", folder / "pictures.space")
    assert (found.path.name, found.mime, found.type) == ("03.png", "image/png", "image")
    assert resolver.find("media/01.wav").mime == "audio/wav"
    assert resolver.find("05.png", folder / "media.space").path == found.path.with_name("05.png")


def test_types_are_told_by_first_bytes():
    assert sniff(b"\xff\xd8\xff\xe0") == ("image", "image/jpeg")
    assert sniff(b"\0\0\0\x18ftypM4A ") == ("audio", "audio/mp4")
    assert sniff(b"<html>") is None


def test_a_thumbnail_shows_the_pixels_of_its_own_picture(resolver):
    shown = Image.open(io.BytesIO(thumbnail(resolver.find("media/09.png"))))
    assert shown.convert("RGB").getpixel((1, 1)) == (36, 219, 77)
    assert max(shown.size) <= 96
    assert address(b"\x89PNG").startswith("data:image/png;base64,")


def test_a_spectrogram_is_brightest_at_the_tone(resolver):
    media = resolver.find("media/02.wav")  # 1,000 of 4,000 Hz
    shown = np.asarray(Image.open(io.BytesIO(thumbnail(media))).convert("L")).mean(axis=1)
    assert abs(shown.argmax() / len(shown) - 0.75) < 0.03
    assert spectrogram(media).startswith(b"\x89PNG")


def test_what_a_player_gets_is_the_sound(resolver, tmp_path):
    import soundfile

    media = resolver.find("media/00.wav")
    assert content(media) == media.path.read_bytes()
    soundfile.write(tmp_path / "a.aiff", 0.5 * np.sin(np.arange(4000)), 8000)
    heard = read_sound(content(MediaFolder(tmp_path).find("a.aiff")))
    assert np.abs(heard.samples - 0.5 * np.sin(np.arange(4000))).max() < 1e-3
