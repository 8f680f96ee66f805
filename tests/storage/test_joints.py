import json
import shutil

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from alignkit.errors import DataError, OutputError, ParameterError
from alignkit.joint import JOINT_METHODS
from alignkit.joint._alignment import JointAlignment
from alignkit.spaces import Embeddings, Space
from alignkit.storage import load_alignment, load_joint, save_alignment, save_joint
from alignkit.workflows.joining import join


def sides(n=90):
    rng = np.random.default_rng(0)
    things = rng.normal(size=(n, 6))
    names = ("text", 8), ("image", 6), ("audio", 7)
    return [
        Embeddings(
            things @ rng.normal(size=(6, d)) + 0.1 * rng.normal(size=(n, d)),
            space=Space(d, f"model/{name}", revision="r1"),
            modality=name,
            name=f"{name}.space",
        )
        for name, d in names
    ]


def joint(name="gcca", **params):
    given = sides()
    maps = JOINT_METHODS.get(name)(**params).fit([side.vectors for side in given]).maps_
    return JointAlignment.of(name, maps, given, {"seed": 0})


@pytest.fixture
def folder(tmp_path):
    save_joint(joint(), tmp_path / "x.joint")
    return tmp_path / "x.joint"


def edit(folder, **fields):
    header = json.loads((folder / "joint.json").read_text())
    (folder / "joint.json").write_text(json.dumps(header | fields))


@pytest.mark.parametrize(
    ("name", "params"),
    [
        *((name, {}) for name in JOINT_METHODS.names()),
        ("hub", {"hub": 1, "method": "ridge", "params": {"alpha": 0.1}}),
        ("gcca", {"normalize": "per-dim"}),
        ("generalized_procrustes", {"normalize": "whiten"}),
    ],
)
def test_what_is_read_maps_bit_for_bit_as_what_was_written(name, params, tmp_path):
    whole, given = joint(name, **params), sides()
    save_joint(whole, tmp_path / "x.joint")
    again = load_joint(tmp_path / "x.joint")
    assert (again.method, again.members, again.info) == (whole.method, whole.members, whole.info)
    assert again.frame == whole.frame
    for a, side in enumerate(given):
        assert_array_equal(again.project(a, side), whole.project(a, side))
        for b in range(3):
            ours, theirs = (each.between(a, b).apply(side).array() for each in (whole, again))
            assert_array_equal(theirs, ours)


@pytest.mark.parametrize("name", JOINT_METHODS.names())
def test_a_map_between_two_is_kept_as_an_alignment_of_its_own(name, tmp_path):
    whole, given = joint(name), sides()
    between = whole.between("text", "audio")
    save_alignment(between, tmp_path / "a.alignment")
    again = load_alignment(tmp_path / "a.alignment")
    assert (again.method, again.source, again.target) == (between.method, between.source, between.target)
    assert_array_equal(again.project_source(given[0]), between.project_source(given[0]))
    assert_array_equal(again.apply(given[0]).array(), between.apply(given[0]).array())


def test_two_writings_are_equal_to_the_byte_and_nothing_is_overwritten_without_force(folder, tmp_path):
    save_joint(joint(), tmp_path / "y.joint")
    for file in ("joint.json", "arrays.safetensors"):
        assert (folder / file).read_bytes() == (tmp_path / "y.joint" / file).read_bytes()
    with pytest.raises(OutputError, match="--force"):
        save_joint(joint("hub"), folder)
    save_joint(joint("hub"), folder, force=True)
    assert load_joint(folder).method == "hub"
    whole = joint()
    whole.info["array"] = np.ones(3)
    with pytest.raises(ParameterError, match="info cannot be written as JSON"):
        save_joint(whole, tmp_path / "z.joint")
    assert not (tmp_path / "z.joint").exists()


def test_the_card_names_spaces_and_scores(tmp_path):
    joined = join(sides(), hub="gcca", metrics=["mrr"])
    save_joint(joined.alignment, tmp_path / "x.joint")
    card = (tmp_path / "x.joint" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: alignkit")
    for words in (
        "- text (model/text @ r1 (8 dimensions), text)",
        "**text -> image**",
        "`gcca`",
        "x.joint::text:image",
    ):
        assert words in card
    assert load_joint(tmp_path / "x.joint").info["report"]["schema"] == "alignkit.join/1"


def flip_a_byte(folder):
    path = folder / "arrays.safetensors"
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


def header_of(folder):
    return json.loads((folder / "joint.json").read_text())


DAMAGE = {
    "corrupted arrays": (flip_a_byte, "its digest differs"),
    "missing arrays": (lambda f: (f / "arrays.safetensors").unlink(), "is missing"),
    "missing header": (lambda f: (f / "joint.json").unlink(), "is no joint alignment"),
    "missing folder": (shutil.rmtree, "does not exist"),
    "newer format": (lambda f: edit(f, version=99), "upgrade alignkit"),
    "not JSON": (lambda f: (f / "joint.json").write_text("{"), "is no JSON"),
    "another kind": (lambda f: edit(f, kind="alignment"), "the field kind is not valid"),
    "one space": (lambda f: edit(f, members=header_of(f)["members"][:1]), "the field members is not valid"),
    "swapped spaces": (
        lambda f: edit(f, members=header_of(f)["members"][::-1]),
        "the field members is not what the arrays were fitted with",
    ),
    "swapped maps": (
        lambda f: edit(f, maps=[{"method": "placement", "params": {}}] * 3),
        "the field maps is not what the arrays were fitted with",
    ),
    "edited method": (lambda f: edit(f, method="hub"), "the field method is not what"),
    "added field": (lambda f: edit(f, speed=3), "the field speed is not valid"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_one_sentence(folder, damage):
    harm, words = DAMAGE[damage]
    harm(folder)
    with pytest.raises(DataError, match=words) as caught:
        load_joint(folder)
    assert "\n" not in str(caught.value)
