import numpy as np

from alignkit.decoders import nearest
from alignkit.decoders.nearest import Nearest
from alignkit.spaces import Embeddings


def test_known_rows_find_their_own_item_in_blocks_of_any_size(world, monkeypatch):
    embeddings, _ = world
    decoder = Nearest().fit(embeddings, np.arange(120))
    noisy = embeddings.array() + 0.01 * np.random.default_rng(2).normal(size=(120, 6))
    for block in (16, 1024):
        monkeypatch.setattr(nearest, "BLOCK", block)
        assert np.array_equal(decoder.decode(embeddings), np.arange(120))
        assert (decoder.decode(Embeddings(noisy)) == np.arange(120)).mean() > 0.95


def test_of_equal_rows_the_first_answers():
    twins = Embeddings(np.array([[1.0, 0], [1, 0], [0, 1]]))
    assert Nearest().fit(twins, np.array([10, 20, 30])).decode(twins).tolist() == [10, 10, 30]
