import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.decoders import DECODERS
from alignkit.errors import DataError, SpaceMismatchError
from alignkit.spaces import Embeddings, Space


@pytest.mark.parametrize("name", DECODERS.names())
def test_an_item_depends_on_the_direction_of_its_own_row_alone(name, world):
    embeddings, items = world
    decoder = DECODERS.get(name)().fit(embeddings, items)
    decoded = decoder.decode(embeddings)
    assert decoded.shape == items.shape
    some = np.array([5, 3, 100])
    assert_allclose(decoder.decode(embeddings.select(some)), decoded[some], atol=1e-10)
    longer = Embeddings(embeddings.array() * 7, space=embeddings.space)
    assert_allclose(decoder.decode(longer), decoded, atol=1e-9)


@pytest.mark.parametrize("name", DECODERS.names())
def test_two_fits_agree_and_inputs_stay_as_they_were(name, world):
    embeddings, items = world
    kept = embeddings.array().copy(), items.copy()
    first, again = (DECODERS.get(name)().fit(embeddings, items).decode(embeddings) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.array_equal(embeddings.array(), kept[0])
    assert np.array_equal(items, kept[1])


@pytest.mark.parametrize("name", DECODERS.names())
def test_the_card_says_what_is_read_and_foreign_rows_are_refused(name, world):
    embeddings, items = world
    decoder = DECODERS.get(name)().fit(embeddings, items)
    assert decoder.card.space == embeddings.space
    assert decoder.card.item_shape == (3, 4)
    assert decoder.card.returns in ("drawn", "retrieved")
    with pytest.raises(SpaceMismatchError, match="toy/b"):
        decoder.decode(Embeddings(embeddings.array(), space=Space(6, "toy/b")))
    with pytest.raises(DataError, match="row 0 is all zeros"):
        decoder.decode(Embeddings(np.zeros((1, 6)), space=embeddings.space))


@pytest.mark.parametrize("name", DECODERS.names())
def test_unfitted_use_and_missing_items_are_refused(name, world):
    embeddings, items = world
    with pytest.raises(DataError, match="call fit first"):
        DECODERS.get(name)().decode(embeddings)
    with pytest.raises(DataError, match="120 rows but 3 items"):
        DECODERS.get(name)().fit(embeddings, items[:3])
