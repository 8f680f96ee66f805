import numpy as np
import pytest

from alignkit.aligners.procrustes import Procrustes
from alignkit.alignment import Alignment
from alignkit.errors import DataError, ParameterError, SpaceMismatchError
from alignkit.spaces import Embeddings, Space
from alignkit.testing import planted_rotation
from alignkit.workflows.composing import Part, search_composed
from alignkit.workflows.searching import index_gallery, search

TEXT, IMAGE, SOUND = Space(12, "text"), Space(12, "image"), Space(12, "sound")
X, Y, _ = planted_rotation(n=260, d=12, noise=0.05)
_, Z, _ = planted_rotation(n=260, d=12, noise=0.05, seed=0)
MAP = Alignment("procrustes", Procrustes(normalize="none").fit(X, Y), TEXT, IMAGE)
TURN = np.linalg.qr(np.random.default_rng(9).standard_normal((12, 12)))[0]
HEARD = Alignment("procrustes", Procrustes(normalize="none").fit(Y @ TURN, Y), SOUND, IMAGE)
IDS = [f"i{row}" for row in range(260)]
INDEXED = index_gallery(Embeddings(Y, ids=IDS, space=IMAGE), alignment=MAP, hub_correction="none")


def texts(rows: slice) -> Embeddings:
    return Embeddings(X[rows], ids=IDS[rows], space=TEXT, name="texts")


def nearest_to(wanted: np.ndarray) -> list[int]:
    unit = Y / np.linalg.norm(Y, axis=1, keepdims=True)
    return (wanted @ unit.T).argmax(axis=1).tolist()


def test_a_text_a_picture_and_a_sound_meet_in_one_query():
    asked = texts(slice(0, 30))
    pictures = Embeddings(Y[29::-1] * 4, ids=IDS[29::-1], space=IMAGE)  # another order, other lengths
    sound = Embeddings(Y[200:201] @ TURN, space=SOUND)  # one for all
    parts = [Part(asked), Part(pictures, 0.8, of_gallery=True), Part(sound, -0.6, HEARD)]
    unit = Y / np.linalg.norm(Y, axis=1, keepdims=True)
    wanted = 1.8 * unit[:30] - 0.6 * unit[200]
    found = search_composed(INDEXED, parts, 1)
    assert found.queries.to_pylist() == IDS[:30]
    assert np.mean(np.array(nearest_to(wanted)) == found.rows[:, 0]) > 0.9


def test_one_part_is_a_plain_search_and_an_arc_ends_at_both_parts():
    asked, other = texts(slice(0, 9)), texts(slice(9, 10))
    plain = search(INDEXED, asked, 3)
    assert np.array_equal(search_composed(INDEXED, [Part(asked)], 3).rows, plain.rows)
    parts = [Part(asked), Part(other)]
    assert np.array_equal(search_composed(INDEXED, parts, 3, arc=0).rows, plain.rows)
    assert set(search_composed(INDEXED, parts, 1, arc=1).rows[:, 0]) == {9}


def test_parts_that_do_not_fit_are_refused():
    asked = texts(slice(0, 9))
    with pytest.raises(DataError, match="texts has no row 'i0', which texts has"):
        search_composed(INDEXED, [Part(asked), Part(texts(slice(3, 9)))])
    with pytest.raises(SpaceMismatchError, match="a part of a query of this index"):
        search_composed(INDEXED, [Part(asked), Part(asked, of_gallery=True)])
    with pytest.raises(ParameterError, match="give two parts"):
        search_composed(INDEXED, [Part(asked)], arc=0.5)
    with pytest.raises(ParameterError, match="k is 261 and the gallery has 260 rows"):
        search_composed(INDEXED, [Part(asked)], 261)
    bare, longer = Embeddings(X[:3], space=TEXT, name="b"), Embeddings(X[:5], space=TEXT, name="c")
    with pytest.raises(DataError, match="b has 3 queries and c 5 rows, and neither has ids"):
        search_composed(INDEXED, [Part(bare), Part(longer)])
