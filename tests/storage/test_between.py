import numpy as np
import pytest
from numpy.testing import assert_array_equal

from alignkit.aligners.procrustes import Procrustes
from alignkit.alignment import Alignment
from alignkit.errors import DataError, SpaceMismatchError, UnknownNameError
from alignkit.joint._alignment import JointAlignment
from alignkit.joint.gcca import GeneralizedCCA
from alignkit.spaces import Embeddings, Space
from alignkit.storage import load_between, load_from, save_alignment, save_joint

X = np.random.default_rng(0).normal(size=(60, 5))
A, B, C = (
    Embeddings(
        X @ np.random.default_rng(seed).normal(size=(5, 5)), space=Space(5, space), name=f"{name}.space"
    )
    for seed, (space, name) in enumerate((("clip", "text"), ("clip", "image"), ("clap:large", "audio")), 1)
)
JOINT = JointAlignment.of("gcca", GeneralizedCCA().fit([A.vectors, B.vectors, C.vectors]).maps_, [A, B, C])


@pytest.fixture
def folder(tmp_path):
    save_joint(JOINT, tmp_path / "x.joint")
    return tmp_path / "x.joint"


def assert_same(found, a, b):
    assert_array_equal(found.project_source(A.vectors), JOINT.between(a, b).project_source(A.vectors))
    assert_array_equal(found.project_target(A.vectors), JOINT.between(a, b).project_target(A.vectors))


def test_two_spaces_are_found_by_what_their_rows_say(folder):
    assert_same(load_between(folder, B, C), 1, 2)
    assert_same(load_between(folder, C, A), 2, 0)
    assert_same(load_between(str(folder), A, B), 0, 1)
    with pytest.raises(SpaceMismatchError, match="may come from several"):
        load_between(folder, Embeddings(X, name="x.npy"), C)
    with pytest.raises(SpaceMismatchError, match="come from none"):
        load_between(folder, A, Embeddings(np.eye(9)))


def test_names_choose_where_the_rows_say_nothing_and_may_hold_colons(folder):
    bare = Embeddings(X, name="x.npy")
    for chosen, a, b in (
        ("text:image", 0, 1),
        ("2:0", 2, 0),
        ("image:clap:large", 1, 2),
        ("clap:large:text", 2, 0),
    ):
        assert_same(load_between(f"{folder}::{chosen}", bare, bare), a, b)
        assert_same(load_from(f"{folder}::{chosen}", bare), a, b)
    for chosen in ("text", "text:video", "clip:audio", "", ":"):
        with pytest.raises(UnknownNameError, match="write A:B with numbers or labels of 0 text, 1 image"):
            load_between(f"{folder}::{chosen}", bare, bare)


def test_rows_go_into_the_joint_frame_or_to_the_one_other_space(folder, tmp_path):
    into = load_from(f"{folder}::audio:joint", C)
    assert_array_equal(into.apply(C).array(), JOINT.into("audio").apply(C).array())
    with pytest.raises(DataError, match=r"joins 3 spaces: .*::text:joint, or to one of image, audio"):
        load_from(folder, A)
    two = JointAlignment.of("gcca", GeneralizedCCA().fit([A.vectors, C.vectors]).maps_, [A, C])
    save_joint(two, tmp_path / "two.joint")
    assert load_from(tmp_path / "two.joint", C).target == A.space


def test_an_alignment_of_two_is_read_as_ever_and_leaves_no_choice(tmp_path):
    whole = Alignment("procrustes", Procrustes().fit(A.vectors, C.vectors), A.space, C.space)
    save_alignment(whole, tmp_path / "a.alignment")
    for found in (load_between(tmp_path / "a.alignment", A, C), load_from(tmp_path / "a.alignment", A)):
        assert_array_equal(found.project_source(A), whole.project_source(A))
    with pytest.raises(DataError, match="is no joint alignment"):
        load_between(f"{tmp_path / 'a.alignment'}::text:audio", A, C)
    with pytest.raises(DataError, match="does not exist"):
        load_between(tmp_path / "b.alignment", A, C)
    odd = tmp_path / "odd::name"
    save_alignment(whole, odd)
    assert load_from(odd, A).method == "procrustes"
