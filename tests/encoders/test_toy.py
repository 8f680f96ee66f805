"""The toy encoder means what its words say, on items that it has never seen."""

import numpy as np
import pytest

from alignkit.encoders.toy import Toy, _signs
from alignkit.errors import DataError, ParameterError
from alignkit.media.audio import Sound

RATE = 16_000
TIME = np.arange(RATE) / RATE
COLOURS = {
    "red": (200, 10, 20),
    "orange": (255, 140, 0),
    "yellow": (240, 230, 20),
    "green": (0, 150, 30),
    "blue": (20, 20, 200),
    "purple": (120, 20, 190),
    "black": (8, 8, 8),
    "grey": (128, 128, 128),
    "white": (255, 255, 255),
}
SOUNDS = {
    "a high tone": np.sin(2 * np.pi * 3000 * TIME),
    "a low hum": np.sin(2 * np.pi * 110 * TIME),
    "a hiss of white noise": 0.3 * np.random.default_rng(0).normal(size=RATE),
    "a falling tone": np.sin(2 * np.pi * (3300 * TIME - 1500 * TIME**2)),
    "silence": 0 * TIME,
}


def test_a_word_of_colour_is_nearest_to_its_picture_and_the_picture_to_its_word():
    toy = Toy()
    texts = toy.encode([f"a {name} square" for name in COLOURS], "text")
    cosines = texts @ toy.encode([np.full((30, 20, 3), c, np.uint8) for c in COLOURS.values()], "image").T
    assert cosines.argmax(axis=0).tolist() == cosines.argmax(axis=1).tolist() == [*range(len(COLOURS))]


def test_a_striped_picture_is_nearest_to_the_word_and_a_plain_one_is_not():
    toy = Toy()
    stripes = np.where((np.arange(64) // 4 % 2)[None, :, None], 255, 0) * np.ones((64, 1, 3))
    striped, plain = toy.encode([stripes.astype(np.uint8), np.full((64, 64, 3), 128, np.uint8)], "image")
    words = toy.encode(["striped", "plain"], "text")
    assert (words @ striped).argmax() == 0
    assert (words @ plain).argmax() == 1


def test_words_of_sound_and_sounds_find_each_other():
    toy = Toy(world="sound")
    texts = toy.encode(list(SOUNDS), "text")
    cosines = texts @ toy.encode([Sound.of(0.5 * x, RATE) for x in SOUNDS.values()], "audio").T
    assert cosines.argmax(axis=0).tolist() == cosines.argmax(axis=1).tolist() == [*range(len(SOUNDS))]


def test_a_chirp_that_rises_is_told_from_one_that_falls_at_any_rate():
    toy = Toy(world="sound")
    for rate in (8_000, 44_100):
        time = np.arange(rate) / rate
        up = np.sin(2 * np.pi * (300 * time + 700 * time**2))
        rows = toy.encode([Sound.of(up, rate), Sound.of(up[::-1], rate)], "audio")
        assert (toy.encode(["rising", "falling"], "text") @ rows.T).argmax(axis=0).tolist() == [0, 1]


def test_pieces_of_words_tell_texts_apart_that_name_no_concept():
    a, b, c = Toy().encode(["barking dogs", "a dog barks", "stock markets"], "text")
    assert a @ b > a @ c + 0.1


def test_rows_of_one_modality_share_a_direction():
    """The modality gap that trained encoders have."""
    toy = Toy()
    texts = toy.encode([f"a {name} square" for name in COLOURS], "text")
    pictures = toy.encode([np.full((9, 9, 3), c, np.uint8) for c in COLOURS.values()], "image")
    within = (texts @ texts.T)[np.triu_indices(len(texts), 1)].mean()
    assert within > (texts @ pictures.T).mean() + 0.1


def test_the_two_worlds_have_unlike_coordinates_and_alike_angles():
    texts = [f"{a} {b}" for a in COLOURS for b in ("square", "hum", "tone", "dog")]
    sight, sound = (Toy(world=world).encode(texts, "text") for world in ("sight", "sound"))
    assert sight.shape[1] != sound.shape[1]
    angles = [(rows @ rows.T)[np.triu_indices(len(texts), 1)] for rows in (sight, sound)]
    assert np.corrcoef(*angles)[0, 1] > 0.8


def test_signs_are_fixed_for_ever():
    assert (_signs(1, 2, 8) * np.sqrt(8)).astype(int).tolist() == SIGNS
    assert abs(_signs(7, 200, 128).mean()) * np.sqrt(200 * 128 * 128) < 4


SIGNS = [[1, 1, -1, 1, 1, 1, -1, 1], [-1, 1, -1, -1, -1, -1, -1, 1]]


def test_what_it_cannot_do_is_refused():
    with pytest.raises(ParameterError, match="encodes text and image, not 'audio'"):
        Toy().encode([], "audio")
    with pytest.raises(DataError, match="item 0: the text '\\?!' holds no word"):
        Toy().encode(["?!"], "text")
    with pytest.raises(ParameterError, match="world is 'smell'"):
        Toy(world="smell").space()
    for params in ({"device": "cuda"}, {"dtype": "float16"}, {"weights": "x.pt"}):
        with pytest.raises(ParameterError, match="toy has no weights"):
            Toy(**params).space()
