import numpy as np

from alignkit.formats import open_embeddings
from alignkit.spaces import Embeddings
from alignkit.storage import save_joint
from alignkit.workflows.joining import join


def test_mapped_rows_land_on_their_partners(alignkit, rotated, tmp_path):
    assert alignkit("fit", *rotated, "--out", "a.alignment").code == 0
    ran = alignkit("apply", "a.alignment", rotated[0], "--out", "mapped.space", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["rows"] == 120
    mapped, partner = open_embeddings(tmp_path / "mapped.space").array(), np.load(rotated[1])
    cosine = (
        np.einsum("nd,nd->n", mapped, partner)
        / np.linalg.norm(mapped, axis=1)
        / np.linalg.norm(partner, axis=1)
    )
    assert cosine.min() > 0.95


def test_going_there_and_back_returns_the_directions(alignkit, rotated, tmp_path):
    assert alignkit("fit", *rotated, "--out", "a.alignment").code == 0
    assert alignkit("apply", "a.alignment", rotated[0], "--out", "there.npy").code == 0
    assert alignkit("apply", "a.alignment", "there.npy", "--inverse", "--out", "back.npy").code == 0
    back, start = np.load(tmp_path / "back.npy"), np.load(rotated[0])
    unit = start / np.linalg.norm(start, axis=1, keepdims=True)
    np.testing.assert_allclose(back / np.linalg.norm(back, axis=1, keepdims=True), unit, atol=1e-5)


def test_rows_of_another_width_are_refused(alignkit, rotated, tmp_path):
    assert alignkit("fit", *rotated, "--out", "a.alignment").code == 0
    np.save(tmp_path / "wide.npy", np.ones((3, 20)))
    alignkit("apply", "a.alignment", "wide.npy", "--out", "m.npy").refused("16 dimensions", "20")
    alignkit("apply", "a.alignment", rotated[0], "--out", rotated[0]).refused("x.npy", "--force")


def test_rows_of_another_model_are_refused(alignkit, rotated):
    named = ("--source-space", "clip", "--target-space", "clap")
    assert alignkit("fit", *rotated, *named, "--out", "a.alignment").code == 0
    assert alignkit("convert", rotated[0], "foreign.space", "--space-name", "wav2clip").code == 0
    alignkit("apply", "a.alignment", "foreign.space", "--out", "m.npy").refused("clip", "wav2clip")


def test_a_joint_alignment_maps_to_the_space_that_is_named_and_into_the_joint_frame(alignkit, tmp_path):
    rng = np.random.default_rng(0)
    things = rng.normal(size=(80, 6))
    sides = [
        Embeddings(things @ np.linalg.qr(rng.normal(size=(6, 6)))[0], name=name) for name in ("a", "b", "c")
    ]
    for side in sides:
        np.save(tmp_path / f"{side.name}.npy", side.array())
    joint = join(sides, test=0, params={"normalize": "none"}).alignment
    save_joint(joint, tmp_path / "x.joint")
    alignkit("apply", "x.joint", "a.npy", "--out", "m.npy").refused("joins 3 spaces", "x.joint::a:joint")
    assert alignkit("apply", "x.joint::a:c", "a.npy", "--out", "m.npy").code == 0
    np.testing.assert_allclose(np.load(tmp_path / "m.npy"), sides[2].array(), atol=1e-6)
    assert alignkit("apply", "x.joint::b:joint", "b.npy", "--out", "j.space").code == 0
    rows = open_embeddings(tmp_path / "j.space")
    assert rows.space.meets(joint.frame)
    np.testing.assert_allclose(rows.array(), joint.project("a", sides[0]), atol=1e-6)
    back = alignkit("apply", "x.joint::a:c", "c.npy", "--inverse", "--out", "back.npy")
    back.refused("X.joint::TARGET:SOURCE")
