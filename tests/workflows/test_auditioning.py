import numpy as np
import pytest
from numpy.testing import assert_allclose

from alignkit.aligners.procrustes import Procrustes
from alignkit.alignment import Alignment
from alignkit.decoders._base import Card, Decoder
from alignkit.decoders.nearest import Nearest
from alignkit.decoders.pixel_ridge import PixelRidge
from alignkit.errors import DataError, ParameterError, SpaceMismatchError
from alignkit.spaces import Embeddings, Space
from alignkit.workflows.auditioning import audition


class Noise(Decoder):
    """Draw rows as grey pictures of one line, with noise of each item's own generator; 17 long rows."""

    def __init__(self):
        self.card = Card(
            space=Space(6, "eye"), reads="raw", length=17.0, null=np.full(6, 6.9), item_shape=(1, 6), steps=4
        )

    def _decode(self, rows, how):
        noise = [np.random.default_rng(seed).random(6) for seed in how.seeds]
        return (0.5 + rows / 100 + 0.1 * np.array(noise))[:, None]


@pytest.fixture
def world():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 6))
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    ids = [f"i{k}" for k in range(60)]
    ear, eye = (
        Embeddings(x, ids=ids, space=Space(6, "ear")),
        Embeddings(x @ turn, ids=ids, space=Space(6, "eye")),
    )
    fitted = Procrustes(normalize="none").fit(x[:40], (x @ turn)[:40])
    return ear, eye, Alignment("procrustes", fitted, ear.space, eye.space)


def drawn(plan, **options):
    return {(m.item, m.variant, m.draw): m.content for m in plan.draw(**options)}


def test_each_item_is_drawn_beside_ceiling_control_and_floors(world):
    ear, eye, alignment = world
    bank = eye.select(np.arange(40))
    plan = audition(
        ear,
        Noise(),
        alignment=alignment,
        ids=["i50", "i41"],
        n=2,
        bank=(bank, np.zeros((40, 2, 2))),
        truth=eye,
    )
    assert {each.name: each.draws for each in plan.variants} == {
        "mapped": 2,
        "ceiling": 2,
        "control": 1,
        "shuffled": 2,
        "null": 2,
    }
    media = drawn(plan)
    assert set(media) == set(plan.keys())
    assert_allclose(plan.facts["cosine_to_truth"], 1, atol=1e-9)
    # one seed: the ceiling differs from the mapped row by the map alone, and here the map is perfect
    assert np.array_equal(media["i50", "mapped", 0], media["i50", "ceiling", 0])
    assert not np.array_equal(media["i50", "mapped", 0], media["i50", "mapped", 1])
    assert not np.array_equal(media["i50", "mapped", 0], media["i50", "shuffled", 0])
    assert not np.array_equal(media["i50", "mapped", 0], media["i50", "null", 0])


def test_what_was_asked_with_is_shown_first_and_changes_nothing_else(world):
    ear, _, alignment = world
    items = np.random.default_rng(2).random((60, 2, 2))
    ask = {"alignment": alignment, "ids": ["i50", "i41"]}
    plan, bare = audition(ear, Noise(), items=items, **ask), audition(ear, Noise(), **ask)
    assert plan.variants[0].name == "source"
    media = drawn(plan)
    for name, row in (("i50", 50), ("i41", 41)):
        assert np.array_equal(media.pop((name, "source", 0))[..., 0], np.rint(items[row] * 255))
    rest = drawn(bare)
    assert set(media) == set(rest)
    assert all(np.array_equal(media[key], rest[key]) for key in rest)


def test_no_result_depends_on_the_batch_or_on_what_else_is_asked_for(world):
    ear, eye, alignment = world
    whole = drawn(audition(ear, Noise(), alignment=alignment, ids=["i1", "i7", "i3"], truth=eye))
    one = drawn(audition(ear, Noise(), alignment=alignment, ids=["i7"], truth=eye), batch=1)
    for key, content in one.items():
        assert np.array_equal(whole[key], content), key
    other = drawn(audition(ear, Noise(), alignment=alignment, ids=["i7"], seed=1, truth=eye))
    assert not np.array_equal(other["i7", "mapped", 0], one["i7", "mapped", 0])


def test_what_is_done_is_not_drawn_again(world):
    ear, eye, alignment = world
    plan = audition(ear, Noise(), alignment=alignment, truth=eye)
    done = plan.keys()[:5]
    assert set(drawn(plan, done=done)) == set(plan.keys()) - set(done)


def test_the_control_is_the_nearest_real_item_and_rows_off_the_bank_are_warned_of(world):
    ear, eye, alignment = world
    bank = eye.select(np.arange(40))
    items = np.arange(40)[:, None, None] / 255 * np.ones((40, 2, 2))
    plan = audition(ear, Noise(), alignment=alignment, ids=["i3"], bank=(bank, items))
    assert (drawn(plan)["i3", "control", 0] == 3).all()
    assert plan.warnings == ()
    narrow = Embeddings(np.abs(eye.array()[:40] * 0.01) + np.eye(6)[0], space=eye.space)
    away = audition(ear, Noise(), alignment=alignment, ids=["i3"], bank=(narrow, items))
    assert "i3 lies off the decoder's bank" in away.warnings[0]
    assert away.facts["off_bank"][0]["farther_than"] == 1


def test_deterministic_decoders_draw_once_and_need_no_length(world):
    ear, eye, alignment = world
    decoder = PixelRidge().fit(eye, np.random.default_rng(1).random((60, 3, 3)))
    plan = audition(ear, decoder, alignment=alignment, n=4, truth=eye)
    assert {each.draws for each in plan.variants} == {1}


def test_impossible_requests_are_refused_by_name(world):
    ear, eye, alignment = world
    with pytest.raises(SpaceMismatchError, match=r"needs eye.*ear"):
        list(audition(ear, Noise()).draw())
    with pytest.raises(DataError, match="no id 'i99'"):
        audition(ear, Noise(), alignment=alignment, ids=["i99"])
    with pytest.raises(DataError, match="no true row for 'i50'"):
        audition(ear, Noise(), alignment=alignment, ids=["i50"], truth=eye.select(np.arange(40)))
    with pytest.raises(DataError, match="asked for twice"):
        audition(ear, Noise(), alignment=alignment, ids=["i5", "i5"])
    with pytest.raises(ParameterError, match="takes no steps"):
        audition(eye, Nearest().fit(eye, np.arange(60)), steps=4)
    with pytest.raises(ParameterError, match="no guidance"):
        audition(ear, Noise(), alignment=alignment, guidance=2.0)
    with pytest.raises(ParameterError, match="n is 0"):
        audition(ear, Noise(), alignment=alignment, n=0)
