import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.decoder_checks import check_decoder
from alignkit.decoders import DECODERS
from alignkit.decoders._base import Card, Decoder, Fitted, item_seed
from alignkit.errors import DataError
from alignkit.spaces import Embeddings, Space

LEARNING = [name for name in DECODERS.names() if issubclass(DECODERS.get(name), Fitted)]
PICTURES = ["nearest", "pixel_ridge"]


def options(name):
    return {"rate": 8000, "bins": 128, "hop": 32, "bands": 8, "rounds": 2} if name == "mel_ridge" else {}


@pytest.fixture
def learnt(world):
    """Return every learning decoder, fitted on what it takes."""
    embeddings, items = world
    sounds = np.sin(np.arange(512) * np.linspace(0.1, 1.5, 120)[:, None])
    taken = {name: sounds if name == "mel_ridge" else items for name in LEARNING}
    fitted = {name: DECODERS.get(name)(**options(name)).fit(embeddings, taken[name]) for name in LEARNING}
    return fitted, taken


def test_every_learning_decoder_keeps_the_contract(learnt):
    assert set(LEARNING) >= {"nearest", "pixel_ridge", "mel_ridge"}
    for decoder in learnt[0].values():
        check_decoder(decoder)


def test_an_item_depends_on_the_direction_of_its_row_and_inputs_stay_as_they_were(learnt, world):
    embeddings, _ = world
    for name, decoder in learnt[0].items():
        items = learnt[1][name]
        kept = embeddings.array().copy(), items.copy()
        some = embeddings.select(np.arange(4))
        decoded = decoder.decode(some)
        longer = Embeddings(some.array() * 7, ids=some.ids, space=embeddings.space)
        assert_allclose(decoder.decode(longer), decoded, atol=1e-5)
        again = DECODERS.get(name)(**options(name)).fit(embeddings, items).decode(some)
        assert np.array_equal(decoded, again)
        assert np.array_equal(embeddings.array(), kept[0])
        assert np.array_equal(items, kept[1])


@pytest.mark.parametrize("name", LEARNING)
def test_unfitted_use_and_missing_items_are_refused(name, world):
    embeddings, items = world
    with pytest.raises(DataError, match="call fit first"):
        DECODERS.get(name)().decode(embeddings)
    with pytest.raises(DataError, match="120 rows but 3 items"):
        DECODERS.get(name)().fit(embeddings, items[:3])


class Echo(Decoder):
    """Give the rows back, and the first number that each row's generator draws."""

    def __init__(self, reads, length=None):
        self.card = Card(
            space=Space(4, "toy/raw"), reads=reads, length=length, item_shape=(5,), steps=3, guidance=1.5
        )

    def _decode(self, rows, how):
        drawn = [np.random.default_rng(seed).random() for seed in how.seeds]
        return np.column_stack([rows, drawn])


@pytest.mark.parametrize(("reads", "length"), [("unit", None), ("raw", 17.0)])
def test_rows_of_another_length_are_refused_by_name_and_calibrated_rows_taken(reads, length):
    echo = Echo(reads, length)
    check_decoder(echo)
    rows = Embeddings(np.random.default_rng(0).normal(size=(3, 4)) * 200, space=Space(4, "toy/raw"))
    with pytest.raises(DataError, match=r"row 0 has length .* toy/raw .* calibrate"):
        echo.decode(rows)
    read = echo.decode(echo.calibrate(rows))[:, :4]
    assert_allclose(np.linalg.norm(read, axis=1), length or 1.0)
    assert_allclose(
        read / np.linalg.norm(read, axis=1, keepdims=True),
        rows.array() / np.linalg.norm(rows.array(), axis=1, keepdims=True),
    )


def test_unit_rows_do_not_pass_for_raw_ones():
    unit = Embeddings(np.eye(4), space=Space(4, "toy/raw", "unit"))
    with pytest.raises(DataError, match="length 1, but toy/raw"):
        Echo("raw", 17.0).decode(unit)


def test_the_seed_of_an_item_is_its_own():
    assert item_seed(1, 2, "a") == item_seed(1, 2, "a")
    assert len({item_seed(s, k, i) for s in (0, 1) for k in (0, 1) for i in ("a", "b", 1, 11)}) == 16
