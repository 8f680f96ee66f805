import numpy as np
import pyarrow as pa
import pytest

from alignkit._columns import links_by_value
from alignkit.errors import DataError
from alignkit.retrieval.protocols import PROTOCOLS
from alignkit.spaces import Embeddings


def rows(labels: list[str], **columns: list) -> Embeddings:
    return Embeddings(np.ones((len(labels), 2)), items=pa.table({"label": labels, **columns}), name="rows")


@pytest.mark.parametrize("seed", range(5))
def test_links_join_every_two_rows_of_a_class_and_no_others(seed: int):
    rng = np.random.default_rng(seed)
    wanted, held = (rng.choice(list("abcdefg"), size) for size in (40, 25))
    expected = np.argwhere(wanted[:, None] == held[None, :])
    found = links_by_value(wanted, held)
    assert found[np.lexsort(found.T[::-1])].tolist() == expected.tolist()


def test_class_level_needs_labels_on_both_sides_and_a_shared_class():
    protocol = PROTOCOLS.get("vggsound-class")()
    with pytest.raises(DataError, match=r"bare has no metadata column 'label' .*vggsound-class needs it"):
        protocol.plan(rows(["a"]), Embeddings(np.ones((1, 2)), name="bare"), any_size=True)
    with pytest.raises(DataError, match="no class is shared: rows has 'a' and rows 'b'"):
        protocol.plan(rows(["a"]), rows(["b"]), any_size=True)


def test_class_texts_are_known_by_label_or_by_id():
    clips = rows(["dog", "cat", "dog"])
    protocol = PROTOCOLS.get("vegas-5")()
    by_id = Embeddings(np.ones((2, 2)), ids=["cat", "dog"])
    for texts in (by_id, rows(["cat", "dog"])):
        assert protocol.plan(clips, texts, any_size=True).whole.links.tolist() == [[0, 1], [1, 0], [2, 1]]


def test_a_class_without_a_text_and_one_with_two_are_refused():
    protocol = PROTOCOLS.get("vegas-5")()
    with pytest.raises(DataError, match="row 1 is of class 'owl', which rows does not name"):
        protocol.plan(rows(["dog", "owl"]), rows(["dog", "cat"]), any_size=True)
    with pytest.raises(DataError, match="rows has 2 rows of class 'dog': vegas-5 without a trained probe"):
        protocol.plan(rows(["dog"]), rows(["dog", "cat", "dog"]), any_size=True)


def test_all_folds_share_the_class_texts():
    clips = rows(list("abab"), fold=[1, 1, 2, 2])
    plan = PROTOCOLS.get("esc50-5fold")().plan(clips, rows(list("ba")), any_size=True)
    assert [one.query_rows.tolist() for one in plan.rounds] == [[0, 1], [2, 3]]
    assert [one.gallery_rows.tolist() for one in plan.rounds] == [[0, 1], [0, 1]]
    assert plan.pairs(plan.rounds[1]).links.tolist() == [[0, 1], [1, 0]]
