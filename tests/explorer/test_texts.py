import json

import numpy as np
import pyarrow as pa
import pytest

from alignkit import Embeddings, write_embeddings
from alignkit.encoders.toy import Toy
from alignkit.errors import DataError
from alignkit.explorer.texts import encode_text, find_rows


def test_numbers_find_numbers_and_words_find_words():
    items = pa.table({"digit": [3, 4, 3], "caption": ["a dog", None, "DOGS"]})
    side = Embeddings(np.eye(3), ids=["p", "q", "dog"], items=items)
    assert find_rows(side, "3").tolist() == [0, 2]
    assert find_rows(side, "dog").tolist() == [2]  # an id that is the word wins
    assert find_rows(side, "Dog").tolist() == [0, 2]
    assert find_rows(side, "x.*").tolist() == []


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "toy.space"
    toy = Toy(world="sound")
    rows = Embeddings(toy.encode(["a low tone"], "text"), ids=["x"], space=toy.space())
    write_embeddings(rows, path, recipe=toy.recipe())
    return path, rows


def test_a_text_is_encoded_by_the_spaces_own_model(made):
    path, rows = made
    np.testing.assert_allclose(encode_text("a low tone", path, rows.space), rows.array(), atol=1e-6)


def test_a_space_without_a_model_at_hand_says_so(folder, made, tmp_path):
    rows = made[1]
    with pytest.raises(DataError, match="does not say which encoder"):
        encode_text("x", folder / "pictures.space", rows.space)
    (tmp_path / "space.json").write_text(
        json.dumps({"format": "alignkit", "kind": "space", "version": 1, "recipe": {"encoder": "nobody"}})
    )
    with pytest.raises(DataError, match="choose an item"):
        encode_text("x", tmp_path, rows.space)
