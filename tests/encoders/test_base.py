"""The public methods of every encoder refuse by place and promise what the card says."""

import numpy as np
import pytest

from alignkit.encoders import ENCODERS
from alignkit.encoders._base import Card, Encoder
from alignkit.encoders._probes import probes
from alignkit.errors import DataError, ParameterError
from alignkit.media.audio import Sound

GREY = np.full((4, 4, 3), 90, np.uint8)


class Lengths(Encoder):
    """Encode a text as its length: enough to see what the base does."""

    card = Card(space="lengths", dim=2, norm="raw", modalities=("text",), licence="", weights="none")

    def _encode_batch(self, batch, modality):
        return np.array([[len(text), 1.0 if text else np.nan] for text in batch])

    def _dim(self):
        return 2

    def _facts(self):
        return {"counts": "letters"}

    def _revision(self):
        return "1"


class Unit(Lengths):
    card = Card(space="lengths", dim=2, norm="unit", modalities=("text",), licence="", weights="none")


def test_rows_come_in_order_whatever_the_batch():
    texts = ["a", "bb", "ccc", "dddd", "eeeee"]
    for size in (1, 2, 5, 9):
        rows = Lengths().encode(texts, "text", batch_size=size)
        assert rows.dtype == np.float32
        assert rows[:, 0].tolist() == [1, 2, 3, 4, 5]
    with pytest.raises(ParameterError, match="batch_size is 0"):
        Lengths().encode(texts, "text", batch_size=0)


def test_the_recipe_and_the_space_say_what_makes_a_row():
    assert Lengths().recipe() == {
        "encoder": Lengths.__module__.rpartition(".")[2],
        "dtype": "float32",
        "counts": "letters",
        "weights_sha256": "1",
    }
    space = Lengths().space()
    assert (space.name, space.dim, space.norm, space.revision) == ("lengths", 2, "raw", "1")
    assert Lengths.options() == {"weights": None, "device": "cpu", "dtype": "float32"}


@pytest.mark.parametrize(
    ("item", "modality", "kind", "message"),
    [
        (b"abc", "text", DataError, "item 1: a text is wanted and a bytes came"),
        (None, "text", DataError, "item 1: a text is wanted"),
        (GREY, "image", ParameterError, "Lengths encodes text, not 'image'"),
        ("", "text", DataError, "not finite for item 1 of its batch"),
    ],
)
def test_a_foreign_item_is_refused_by_its_place(item, modality, kind, message):
    with pytest.raises(kind, match=message):
        Lengths().encode(["good", item], modality)


@pytest.mark.parametrize(
    "item",
    [GREY.astype(float), GREY[..., 0], GREY[..., :2], GREY[:0], "a.png", None],
    ids=["floats", "grey", "two channels", "no rows", "a path", "nothing"],
)
def test_what_is_no_picture_is_refused(item):
    with pytest.raises(DataError, match="height x width x 3"):
        ENCODERS.get("toy")().encode([item], "image")


def test_samples_without_their_rate_are_refused():
    with pytest.raises(DataError, match=r"Sound\.of"):
        ENCODERS.get("toy")(world="sound").encode([np.zeros(8, np.float32)], "audio")


def test_a_promise_of_length_one_is_checked():
    with pytest.raises(DataError, match="promises rows of length 1"):
        Unit().encode(["long"], "text")


def test_probes_are_sixteen_and_the_same_for_ever():
    """Fingerprints of old files compare only with the same probes: these sums may never change."""
    texts, sounds, pictures = (probes(modality) for modality in ("text", "audio", "image"))
    assert [len(texts), len(sounds), len(pictures)] == [6, 5, 5]
    assert {name: int(p.astype(int).sum()) for name, p in pictures.items()} == PICTURES
    for name, total in SOUNDS.items():
        assert isinstance(sounds[name], Sound)
        assert np.abs(sounds[name].samples).sum(dtype=float) == pytest.approx(total, abs=0.01)


PICTURES = {
    "image:red square": 5956785,
    "image:blue and yellow board": 3548160,
    "image:green rings": 1125480,
    "image:striped grey": 3594240,
    "image:ramp": 3512160,
}
SOUNDS = {
    "audio:sweep-200-2000": 9726.52,
    "audio:sweep-4000-400": 9725.75,
    "audio:sweep-440-440": 9726.81,
    "audio:sweep-1000-8000": 9727.29,
    "audio:sweep-100-150": 9726.87,
}


def test_a_fingerprint_answers_every_modality_of_the_encoder():
    assert len(Lengths().fingerprint().probes) == 6
    sight, sound = (ENCODERS.get("toy")(world=world).fingerprint() for world in ("sight", "sound"))
    assert [len(one.probes) for one in (sight, sound)] == [11, 11]
    assert sight.agreement(sound) is None  # of other dimensions
