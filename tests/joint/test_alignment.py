from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.errors import DataError, NotInvertibleError, SpaceMismatchError, UnknownNameError
from alignkit.joint._alignment import JointAlignment, Member
from alignkit.joint.generalized_procrustes import GeneralizedProcrustes
from alignkit.joint.hub import Hub
from alignkit.spaces import Embeddings, Space


@pytest.fixture
def sides(views):
    text, image, audio = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in views((10, 10, 12)))
    return [
        Embeddings(text, space=Space(10, "clip", "unit"), modality="text", name="t.space"),
        Embeddings(image, space=Space(10, "clip", "unit"), modality="image", name="i.space"),
        Embeddings(audio, space=Space(12, "clap", "unit"), modality="audio", name="a.space"),
    ]


@pytest.fixture(params=[GeneralizedProcrustes, Hub])
def joint(sides, request):
    maps = request.param().fit([side.vectors for side in sides]).maps_
    return JointAlignment.of("generalized_procrustes", maps, sides, {"seed": 3})


def test_between_two_is_an_alignment_into_the_targets_own_frame(joint, sides):
    alignment = joint.between("t", "a")
    mapped = alignment.apply(sides[0])
    assert mapped.space == Space(12, "clap", "unit")
    assert_allclose(np.linalg.norm(mapped.array(), axis=1), 1, atol=1e-6)
    assert np.mean(np.sum(mapped.array() * sides[2].array(), axis=1)) > 0.8
    assert_array_equal(alignment.project_source(sides[0]), joint.project(0, sides[0]))
    assert_array_equal(alignment.project_target(sides[2]), joint.project("audio", sides[2]))
    assert alignment.info["members"] == ["t", "a"]
    with pytest.raises(NotInvertibleError, match=r"between\(target, source\)"):
        alignment.inverse()
    with pytest.raises(SpaceMismatchError, match="needs clip"):
        alignment.apply(sides[2])


def test_both_directions_compare_in_one_frame(joint, sides):
    there, back = joint.between(0, 2), joint.between(2, 0)
    assert_array_equal(there.project_source(sides[0]), back.project_target(sides[0]))
    assert_array_equal(there.project_target(sides[2]), back.project_source(sides[2]))


def test_rows_of_the_joint_frame_are_of_a_space_of_their_own(joint, sides):
    rows = joint.into("i").apply(sides[1])
    assert_allclose(rows.array(), joint.project("i", sides[1]), atol=1e-12)
    assert rows.space.meets(joint.frame)
    other = GeneralizedProcrustes().fit([side.vectors[:100] for side in sides]).maps_
    assert not rows.space.meets(JointAlignment.of("generalized_procrustes", other, sides).frame)


def test_spaces_are_found_by_number_label_space_or_modality_and_only_if_one_is_meant(joint):
    for name, number in ((2, 2), ("2", 2), ("a", 2), ("clap", 2), ("image", 1), ("t", 0)):
        assert joint.find(name) == number
    for name in ("clip", "3", "video", ""):
        with pytest.raises(UnknownNameError, match="choose a number or a label of 0 t, 1 i, 2 a"):
            joint.find(name)


def test_rows_find_their_space_by_identity_modality_or_file(joint, sides):
    assert [joint.member_of(side) for side in sides] == [0, 1, 2]
    bare = Embeddings(sides[0].vectors, name="i.npy")
    assert joint.member_of(bare) == 1
    lost = Embeddings(sides[0].vectors, name="unknown.npy")
    with pytest.raises(SpaceMismatchError, match=r"may come from several.*X\.joint::t:i"):
        joint.member_of(lost)
    assert joint.member_of(lost, other_than=1) == 0
    with pytest.raises(SpaceMismatchError, match="come from none"):
        joint.member_of(Embeddings(np.eye(7)))


def test_what_does_not_belong_together_is_refused(joint, sides):
    with pytest.raises(DataError, match="there are 2 maps for 3 spaces"):
        replace(joint, maps=joint.maps[:2])
    with pytest.raises(DataError, match=r"the map of t .* takes 12 dimensions"):
        replace(joint, maps=joint.maps[::-1])
    with pytest.raises(DataError, match="share a label"):
        replace(joint, members=tuple(Member("x", m.space) for m in joint.members))
    wide = GeneralizedProcrustes().fit([np.ones((4, 15)) * np.eye(4, 15), sides[0].vectors[:4]]).maps_[1]
    with pytest.raises(DataError, match="not into one: fit them together"):
        replace(joint, maps=(wide, *joint.maps[1:]))
