import numpy as np

from alignkit import Embeddings, Pairs, load_alignment, open_embeddings
from alignkit.explorer import similarities as module
from alignkit.explorer.similarities import similarities


def test_partners_are_nearer_than_others_after_the_map_only(folder):
    pairs = Pairs.by_id(*(open_embeddings(folder / name) for name in ("pictures.space", "sounds.space")))
    after = similarities(pairs, load_alignment(folder / "procrustes.alignment"))
    assert after["partners"].mean() > 0.5
    assert abs(after["not partners"].mean()) < 0.1
    assert {name: len(values) for name, values in after.items()} == {
        "partners": 60,
        "not partners": 60 * 59,
        "within source": 60 * 59 // 2,
        "within target": 60 * 59 // 2,
    }


def test_each_cosine_is_that_of_its_pair_in_a_sample_too(monkeypatch):
    monkeypatch.setattr(module, "MOST", 20)
    rng = np.random.default_rng(0)
    rows, order = rng.normal(size=(200, 5)), rng.permutation(200)
    a = Embeddings(rows, ids=[str(n) for n in range(200)])
    b = Embeddings(3 * rows[order], ids=[str(n) for n in order])
    found = similarities(Pairs.by_id(a, b))
    np.testing.assert_allclose(found["partners"], np.ones(20))
    assert found["not partners"].max() < 1
    assert "partners" not in similarities(Pairs.none(a, b))
