import io
import json

import numpy as np
import pytest
from PIL import Image

from alignkit import Embeddings, write_embeddings
from alignkit.encoders.toy import Toy
from alignkit.errors import DataError
from alignkit.explorer import uploads
from alignkit.explorer.uploads import encode_item, read_upload

soundfile = pytest.importorskip("soundfile", reason="soundfile is absent: pip install 'alignkit[media]'")


def png(size=(8, 6), colour=(200, 10, 0)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def flac(samples: np.ndarray, rate: int = 8000) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="FLAC")
    return out.getvalue()


def test_an_item_is_told_by_its_bytes_and_not_by_its_name():
    picture = read_upload("../../etc/a.txt", png())
    assert (picture.name, picture.modality, picture.item.shape) == ("a.txt", "image", (6, 8, 3))
    tone = np.sin(np.arange(800) / 3)
    sound = read_upload("a.png", flac(tone))
    assert (sound.modality, sound.item.rate) == ("audio", 8000)
    np.testing.assert_allclose(sound.item.samples, tone, atol=1e-4)
    assert read_upload("a.wav", "zwölf Glocken\n".encode()).item == "zwölf Glocken"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\0\1\2\3", "no picture, no sound and no text"),
        (b"\xff\xfe\x00a", "no UTF-8"),
        (b"x" * 30_000, "too long for a text"),
        (b"\0\0\0\x18ftypisom", "is a film"),
        (png()[:40], "x .*(damaged|known format|end)"),
        (b"fLaC" + bytes(50), "no readable sound"),
        (b"<svg onload=alert(1)>" + b"\x1b", "no picture, no sound and no text"),
    ],
)
def test_what_is_no_item_is_refused(content, sentence):
    with pytest.raises(DataError, match=sentence):
        read_upload("x", content)


def test_bombs_are_refused_before_they_are_decoded(monkeypatch):
    with pytest.raises(DataError, match="cut it first"):
        read_upload("quiet.flac", flac(np.zeros(uploads.MOST_SAMPLES // 2 + 1).reshape(-1, 1).repeat(2, 1)))
    monkeypatch.setattr(uploads, "MOST_PIXELS", 47)
    with pytest.raises(DataError, match="more than 47"):
        read_upload("x.png", png())
    monkeypatch.setattr(uploads, "MOST_BYTES", 10)
    with pytest.raises(DataError, match="more than 10"):
        read_upload("x.png", png())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "toy.space"
    toy = Toy(world="sight")
    rows = Embeddings(toy.encode(["a red square"], "text"), ids=["x"], space=toy.space())
    write_embeddings(rows, path, recipe=toy.recipe())
    return path, rows


def test_an_item_is_encoded_by_the_spaces_own_model(made):
    path, rows = made
    np.testing.assert_allclose(encode_item("a red square", "text", path, rows.space), rows.array(), atol=1e-6)
    red, blue = (
        encode_item(read_upload("x", png(colour=colour)).item, "image", path, rows.space)
        for colour in ((200, 10, 0), (0, 10, 200))
    )
    assert (red @ rows.array().T).item() > (blue @ rows.array().T).item()


def test_a_space_without_a_model_at_hand_says_so(folder, made, tmp_path):
    path, rows = made
    with pytest.raises(DataError, match="does not say which encoder"):
        encode_item("x", "text", folder / "pictures.space", rows.space)
    with pytest.raises(DataError, match="cannot encode audio here"):
        encode_item(read_upload("x", flac(np.ones(9))).item, "audio", path, rows.space)
    (tmp_path / "space.json").write_text(
        json.dumps({"format": "alignkit", "kind": "space", "version": 1, "recipe": {"encoder": "nobody"}})
    )
    with pytest.raises(DataError, match="choose an item"):
        encode_item("x", "text", tmp_path, rows.space)
