import numpy as np
import pytest

from alignkit.chains import chain_error
from alignkit.errors import DataError, PairingError, ParameterError, SpaceMismatchError
from alignkit.joint._items import Items
from alignkit.spaces import Embeddings, Space
from alignkit.workflows.bridging import bridge
from alignkit.workflows.fitting import fit

rng = np.random.default_rng(0)
TURNS = {name: np.linalg.qr(rng.normal(size=(12, 12)))[0] for name in ("clip", "clap", "text")}
MEANS = {name: rng.normal(size=12) for name in ("image", "caption", "sound", "label")}


def rows(things, model, kind, *, noise=0.2, seed=0, ids=None):
    """Return rows of a thing in a model: what kind of thing it is moves the whole cloud."""
    vectors = (
        things @ TURNS[model]
        + 3 * MEANS[kind]
        + noise * np.random.default_rng(seed).normal(size=things.shape)
    )
    space = Space(12, model)
    return Embeddings(vectors, ids=ids, space=space, modality=kind, name=f"{model}-{kind}.npy")


def things(n=400, seed=1):
    return np.random.default_rng(seed).normal(size=(n, 12))


def quick(*given, **options):
    return bridge(*given, metrics=["mrr"], **options)


def three(t):
    kinds = ("clip", "image"), ("text", "caption"), ("clap", "sound")
    return [rows(t, model, kind, seed=seed) for seed, (model, kind) in enumerate(kinds, 2)]


def mrr(bridged, section="forward"):
    return bridged.report.sections[section]["mrr"].value


def test_a_chain_by_way_of_one_space_joins_two_that_share_few_items():
    t = things(600)
    ids = [f"i{i}" for i in range(600)]
    source = rows(t[:350], "clip", "image", seed=2, ids=ids[:350])
    via = rows(t, "text", "caption", seed=3, ids=ids)
    target = rows(t[310:], "clap", "sound", seed=4, ids=ids[310:])
    bridged = quick(source, [via], target, test=0.8)
    assert bridged.alignment.method == "procrustes+procrustes"
    assert (bridged.alignment.source, bridged.alignment.target) == (source.space, target.space)
    assert mrr(bridged) > 0.9
    assert mrr(bridged) > mrr(bridged, "direct_forward") + 0.03  # 8 direct pairs, hundreds by way of text
    assert bridged.report.sections["forward"]["mrr"].n == 32
    assert bridged.report.context["join"] == {"items": 600, "source_target": 40}


def test_a_held_out_item_is_kept_out_of_every_fit():
    t = things(300)
    sides = three(t)
    bridged = quick(sides[0], [sides[1]], sides[2], test=0.3, method="ridge")
    items = bridged.report.sections["forward"]["mrr"].n
    assert items == 90
    held = Items.by_id(sides).split(0.3, 0, among=(0, 2))[1].rows[:, 0]
    changed = []
    for side in sides:
        vectors = side.array().copy()
        vectors[held] = np.random.default_rng(9).normal(size=vectors[held].shape)
        changed.append(Embeddings(vectors, space=side.space, name=side.name))
    again = quick(changed[0], [changed[1]], changed[2], test=0.3, method="ridge")
    for one, two in zip(bridged.legs, again.legs, strict=True):
        np.testing.assert_array_equal(one.aligner.matrix_, two.aligner.matrix_)


def test_captions_join_images_and_sounds_and_new_means_close_the_gap():
    """No image is paired with a sound, or with a caption: the captions alone carry the map."""
    t, captions = things(300), things(500, seed=5)
    ids, clips = [f"caption {i}" for i in range(500)], [f"clip {i}" for i in range(300)]
    via = [
        rows(captions, m, k, seed=s, ids=ids) for m, k, s in (("clip", "caption", 6), ("clap", "label", 7))
    ]
    image, sound = (
        rows(t, m, k, seed=s, ids=clips) for m, k, s in (("clip", "image", 2), ("clap", "sound", 4))
    )
    plain, moved = (
        quick(image, via, sound, recentre=recentre, test=0.5, params={"normalize": "center"})
        for recentre in (False, True)
    )
    assert mrr(moved) > 0.9
    assert mrr(plain) < mrr(moved) - 0.2
    assert moved.alignment.info["recentred"] is True
    assert abs(mrr(moved) - mrr(moved, "direct_forward")) < 0.1  # as good as if sounds had been paired
    errors = [b.report.sections["errors"]["chain_error"].value for b in (plain, moved)]
    assert errors[0] > 1 > 2 * errors[1]


def test_captions_that_have_nothing_to_do_with_it_join_nothing():
    """The must-fail half: what the two models say of other things is no map between them."""
    t, ids = things(300), [f"caption {i}" for i in range(500)]
    via = [
        rows(things(500, seed=seed), m, k, seed=seed, ids=ids)
        for m, k, seed in (("clip", "caption", 6), ("clap", "label", 7))
    ]
    image, sound = three(t)[::2]
    clips = [f"clip {i}" for i in range(300)]
    image, sound = (Embeddings(s.array(), ids=clips, space=s.space) for s in (image, sound))
    bridged = quick(image, via, sound, recentre=True, test=0.5)
    assert mrr(bridged) < 0.1
    assert mrr(bridged, "direct_forward") > 0.9


def test_errors_are_told_with_a_bound_that_holds():
    t = things(300)
    sides = three(t)
    bridged = quick(sides[0], [sides[1]], sides[2], test=0.3, method="ridge")
    errors = {name: score.value for name, score in bridged.report.sections["errors"].items()}
    assert errors["chain_error"] <= errors["chain_bound"] < 2.2 * errors["chain_error"]
    assert errors["chain_bound"] == pytest.approx(errors["leg_1_carried"] + errors["leg_2_carried"])
    assert 0 < errors["cycle_distance"] < 1
    assert errors["leg_2_gain"] == 1
    printed = bridged.to_json(written=None)
    assert printed["schema"] == "alignkit.bridge/1"
    assert printed["context"]["via"][0]["name"] == "text-caption.npy"


def test_where_source_and_target_share_nothing_only_errors_are_told():
    t = things(300)
    ids = [f"i{i}" for i in range(300)]
    source = rows(t[:150], "clip", "image", seed=2, ids=ids[:150])
    via = rows(t, "text", "caption", seed=3, ids=ids)
    target = rows(t[150:], "clap", "sound", seed=4, ids=ids[150:])
    bridged = quick(source, [via], target, test=0.3)
    assert set(bridged.report.sections) == {"errors"}
    assert "chain_error" not in bridged.report.sections["errors"]
    truth = rows(t[:150], "clap", "sound", seed=5)  # what nobody could pair
    error = chain_error(bridged.legs, source.vectors, truth.vectors)
    assert error / 1.1 < bridged.report.sections["errors"]["chain_bound"].value < 2.4 * error
    whole = quick(source, [via], target, test=0)
    assert whole.report.sections == {}
    assert whole.alignment.aligner.score(source.vectors, truth.vectors) > 0.8


def test_one_leg_without_new_means_is_the_fitted_map():
    captions = things(200, seed=5)
    via = [rows(captions, "clip", "caption", seed=6), rows(captions, "clap", "label", seed=7)]
    bridged = quick(via[0], via, via[1], test=0)
    np.testing.assert_array_equal(
        bridged.alignment.aligner.matrix_, fit(*via, test=0).alignment.aligner.matrix_
    )


def test_what_does_not_fit_together_is_refused():
    t = things(60)
    a, b, c = (rows(t, m, k) for m, k in (("clip", "image"), ("text", "caption"), ("clap", "sound")))
    for via, options, error, words in (
        ([], {}, ParameterError, "there are 0 sets to go by way of"),
        ([b, b, b], {}, ParameterError, "there are 3 sets"),
        ([b], {"recentre": True}, ParameterError, "give two sets"),
        ([b, c], {}, SpaceMismatchError, "the map fitted on text-caption.npy needs text .* got clip"),
        ([b], {"test": 0.99}, PairingError, "to fit"),
    ):
        with pytest.raises(error, match=words):
            quick(a, via, c, **options)
    strange = Embeddings(t, ids=[f"x{i}" for i in range(60)])
    with pytest.raises(PairingError, match="share 0 pair"):
        quick(a, [strange], c)
    bad = b.array().copy()
    bad[3, 1] = np.inf
    with pytest.raises(DataError, match="row 3 holds an infinite value"):
        quick(a, [Embeddings(bad)], c)
