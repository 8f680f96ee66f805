from itertools import permutations

import numpy as np
import pyarrow as pa
import pytest

from alignkit.errors import DataError, PairingError, ParameterError, UnknownNameError
from alignkit.joint import JOINT_METHODS
from alignkit.pairs import Pairs
from alignkit.retrieval.protocol import Protocol
from alignkit.spaces import Embeddings, Space
from alignkit.workflows.evaluation import evaluate
from alignkit.workflows.fitting import fit
from alignkit.workflows.joining import join, joint_options

HUBS = ("gpa", "gcca", "text")


def world(noise=0.3, n=240, dims=(10, 12, 10), stranger=False):
    """Return sets of one world, each in an order of its own and with items that the others lack."""
    rng = np.random.default_rng(0)
    things = rng.normal(size=(n, 8))
    sides = []
    for d, name in zip(dims, ("text", "image", "audio"), strict=True):
        rows = things @ np.linalg.qr(rng.normal(size=(d, d)))[0][:8] + noise * rng.normal(size=(n, d))
        if stranger and name == "audio":
            rows = rng.normal(size=rows.shape)
        order = rng.permutation(n)[: n - 20]
        ids = [f"item {i}" for i in order]
        space = Space(d, f"model/{name}")
        sides.append(Embeddings(rows[order], ids=ids, space=space, modality=name, name=f"{name}.npy"))
    return sides


def mrr(joined):
    return {name: scores["mrr"].value for name, scores in joined.report.sections.items()}


def quick(sides, **options):
    return join(sides, metrics=["mrr"], **options)


def score(pairs, alignment):
    protocol = Protocol(metrics=("mrr",), resamples=0)
    found = evaluate(pairs.source, pairs.target, pairs=pairs, alignment=alignment, protocol=protocol).report
    return found.sections["forward"]["mrr"].value


@pytest.mark.parametrize("hub", HUBS)
def test_every_two_spaces_are_scored_both_ways_on_items_that_none_of_them_saw(hub):
    sides = world()
    joined = quick(sides, hub=hub, test=0.3)
    names = ["text", "image", "audio"]
    assert set(joined.report.sections) == {f"{a} -> {b}" for a, b in permutations(names, 2)}
    assert min(mrr(joined).values()) > 0.8
    held = [{joined.test.sides[i].id_at(int(r)) for r in joined.test.rows[:, i] if r >= 0} for i in range(3)]
    seen = [set(side.ids.to_pylist()) for side in joined.train.sides]
    assert not set().union(*held) & set().union(*seen)
    pairs = joined.test.pairs(0, 2).restricted()
    between = joined.alignment.between("text", "audio")
    again = evaluate(pairs.source, pairs.target, pairs=pairs, alignment=between)
    assert again.report.sections["forward"]["mrr"].value == mrr(joined)["text -> audio"]
    assert joined.report.sections["text -> audio"]["mrr"].n == len(pairs)


@pytest.mark.parametrize("hub", HUBS)
def test_held_out_rows_do_not_touch_the_maps(hub):
    sides = world()
    joined = quick(sides, hub=hub, test=0.3)
    changed = []
    for i, side in enumerate(sides):
        rows = side.array().copy()
        named = {"name": side.name, "modality": side.modality, "space": side.space}
        held = joined.test.rows[joined.test.rows[:, i] >= 0, i]
        rows[held] = np.random.default_rng(i).normal(size=rows[held].shape)
        changed.append(Embeddings(rows, ids=side.ids, **named))
    again = quick(changed, hub=hub, test=0.3)
    assert again.alignment.frame == joined.alignment.frame  # the digest of every map
    assert max(mrr(again).values()) < 0.3


@pytest.mark.parametrize("hub", HUBS)
def test_an_unrelated_space_stays_at_chance_and_the_pair_is_found_all_the_same(hub):
    alone = mrr(quick(world()[:2], hub=hub, test=0.3))
    three = quick(world(stranger=True), hub=hub, test=0.3)
    chance = three.report.sections["text -> audio"]["mrr"].chance
    assert mrr(three)["text -> image"] > alone["text -> image"] - 0.1
    for name in ("text -> audio", "audio -> image"):
        score = three.report.sections[name]["mrr"]
        assert score.low < chance < score.high or score.value < 2 * chance


def test_the_order_of_spaces_and_rows_changes_no_score():
    sides = world()
    orders = [np.random.default_rng(i).permutation(len(side)) for i, side in enumerate(sides)]
    mixed = [side.select(order) for side, order in zip(sides, orders, strict=True)]
    again = quick(mixed[::-1], hub="gcca", test=0)
    whole = quick(sides, hub="gcca", test=0)
    for a, b in permutations(("text", "image", "audio"), 2):
        pairs = Pairs.by_id(
            *(side for name in (a, b) for side in sides if side.modality == name)
        ).restricted()
        found = [score(pairs, joined.alignment.between(a, b)) for joined in (whole, again)]
        assert found[0] == pytest.approx(found[1], abs=1e-6)


def test_two_spaces_are_what_fit_finds():
    rng = np.random.default_rng(1)
    things = rng.normal(size=(200, 8))
    turns = [np.linalg.qr(rng.normal(size=(8, 8)))[0] for _ in range(2)]
    sides = [Embeddings(things @ turn + 0.5 * rng.normal(size=things.shape), name=n)
             for turn, n in zip(turns, ("a", "b"), strict=True)]  # fmt: skip
    for hub, method in (("gpa", "procrustes"), ("gcca", "cca"), ("1", "procrustes")):
        joined, fitted = quick(sides, hub=hub, test=0), fit(*sides, method=method, test=0)
        pairs = Pairs.by_id(*sides)
        ours, theirs = (score(pairs, a) for a in (joined.alignment.between(0, 1), fitted.alignment))
        assert ours == pytest.approx(theirs, abs=1e-9)


def test_the_report_says_who_was_joined_on_what():
    joined = quick(world(), hub="audio", method="ridge", params={"alpha": 0.1}, test=0.3, seed=5)
    context = joined.report.context
    assert joined.alignment.method == "hub"
    assert context["params"] == {
        "hub": 2, "method": "ridge", "params": {"alpha": 0.1}, "normalize": "unit-center-unit",
    }  # fmt: skip
    assert context["split"]["train"] + context["split"]["held_out"] == context["join"]["items"]
    assert context["join"]["shared"][0] == ["text", "image", len(Pairs.by_id(*world()[:2]))]
    assert [space["label"] for space in context["spaces"]] == ["text", "image", "audio"]
    printed = joined.to_json(written="x.joint")
    assert printed["schema"] == "alignkit.join/1"
    assert printed["held_out"]["text -> image"]["mrr"]["n"] > 0
    assert quick(world(), test=0).report.sections == {}
    one, two = (quick(world(), test=0.3, seed=3).report.to_json() for _ in range(2))
    assert one == two


def test_spaces_that_share_no_held_out_item_are_named_and_not_scored():
    text, image, _ = world()
    far = Embeddings(text.array()[:100], ids=image.ids[:100], name="far.npy")
    only_text = Embeddings(text.array(), ids=[f"t {i}" for i in range(len(text))], name="only.npy")
    other = Embeddings(text.array()[:, ::-1], ids=[f"t {i}" for i in range(len(text))], name="other.npy")
    bridged = Embeddings(
        np.concatenate([far.array(), only_text.array()]),
        ids=pa.concat_arrays([far.ids.cast(pa.string()), only_text.ids.cast(pa.string())]),
        name="bridge.npy",
    )
    joined = quick([image, bridged, other], test=0.3)
    assert joined.report.context["not_scored"] == [["image", "other"]]
    assert "bridge -> other" in joined.report.sections


def test_options_that_make_no_sense_are_refused():
    sides = world()
    for options, error, words in (
        (
            {"hub": "video"},
            UnknownNameError,
            "'video' names none .* 0 text, 1 image, 2 audio; or one of gcca, gpa",
        ),
        ({"hub": "gpa", "method": "ridge"}, ParameterError, "takes no pairwise method such as ridge"),
        (
            {"hub": "gcca", "params": {"alpha": 1}},
            ParameterError,
            "gcca has no option 'alpha'; it has: exponent",
        ),
        ({"hub": "text", "params": {"alpha": 1}}, ParameterError, "procrustes has no option 'alpha'"),
        ({"hub": "text", "method": "procrusties"}, UnknownNameError, "Did you mean 'procrustes'"),
        ({"hub": "text", "method": "auto"}, ParameterError, "not for more than two spaces: name a method"),
        ({"hub": "text", "method": "muse-supervised"}, ParameterError, "is a preset .* its own, refinement"),
        ({"test": 1.0}, PairingError, "must lie between"),
        ({"group": "speaker"}, PairingError, "metadata column"),
    ):
        with pytest.raises(error, match=words):
            quick(sides, **options)
    bad = sides[1].array().copy()
    bad[3, 1] = np.nan
    with pytest.raises(DataError, match=r"image\.npy: row 3 .* holds NaN"):
        quick([sides[0], Embeddings(bad, ids=sides[1].ids, name="image.npy"), sides[2]])


def test_options_are_those_of_the_method_that_is_fitted():
    assert set(joint_options("gpa")) == {"rounds", "normalize"}
    assert "n_components" in joint_options("gcca")
    assert "alpha" in joint_options("text", "ridge")
    assert set(JOINT_METHODS.names()) == {"gcca", "generalized_procrustes", "hub"}
