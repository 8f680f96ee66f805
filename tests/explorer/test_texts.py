import numpy as np
import pyarrow as pa

from alignkit import Embeddings
from alignkit.explorer.texts import find_rows


def test_numbers_find_numbers_and_words_find_words():
    items = pa.table({"digit": [3, 4, 3], "caption": ["a dog", None, "DOGS"]})
    side = Embeddings(np.eye(3), ids=["p", "q", "dog"], items=items)
    assert find_rows(side, "3").tolist() == [0, 2]
    assert find_rows(side, "dog").tolist() == [2]  # an id that is the word wins
    assert find_rows(side, "Dog").tolist() == [0, 2]
    assert find_rows(side, "x.*").tolist() == []
