"""Pictures of one colour, their embeddings by the toy encoder, and a map that is a rotation."""

import json
import re

import numpy as np
import pytest

from alignkit.aligners.procrustes import Procrustes
from alignkit.alignment import Alignment
from alignkit.encoders.toy import Toy
from alignkit.formats import write_embeddings
from alignkit.media.pictures import read_picture
from alignkit.media.writing import picture_bytes
from alignkit.spaces import Embeddings, Space
from alignkit.storage import save_alignment
from alignkit.storage._records import tree_digest


@pytest.fixture
def files(tmp_path):
    toy, rng = Toy(), np.random.default_rng(0)
    (tmp_path / "real").mkdir()
    pictures = rng.integers(0, 256, (20, 1, 1, 3)).astype(np.uint8) * np.ones((1, 12, 16, 1), np.uint8)
    names = [f"{k}.png" for k in range(20)]
    for name, picture in zip(names, pictures, strict=True):
        (tmp_path / "real" / name).write_bytes(picture_bytes(picture))
    seen = toy.encode(list(pictures), "image").astype(np.float64)
    turn = np.linalg.qr(rng.normal(size=(toy.dim, toy.dim)))[0]
    eye = Embeddings(seen, ids=names, space=toy.space(), name="eye")
    ear = Embeddings(seen @ turn, ids=names, space=Space(toy.dim, "ear"), name="ear")
    write_embeddings(eye, tmp_path / "eye.space")
    write_embeddings(ear, tmp_path / "ear.space")
    fitted = Procrustes(normalize="none").fit(ear.array(), eye.array())
    save_alignment(Alignment("procrustes", fitted, ear.space, eye.space), tmp_path / "m.alignment")
    return pictures


def ask(*more):
    return (
        "audition",
        "ear.space",
        "--alignment",
        "m.alignment",
        "--bank",
        "eye.space",
        "--media",
        "real",
        *more,
    )


def test_rows_are_seen_beside_ceiling_control_and_floor(alignkit, tmp_path, files):
    more = ("--decoder", "pixel_ridge", "--size", "8", "--set", "alpha=1e-6", "--truth", "eye.space")
    ran = alignkit(*ask(*more, "--ids", "3.png,7.png", "--encoder", "toy", "--n", "4", "--out", "seen"))
    assert ran.code == 0, ran.err
    assert "drawn once" in ran.err
    assert re.search(r"mapped +0\.9", ran.out)
    record = json.loads((tmp_path / "seen" / "audition.json").read_text())
    assert record["scores"]["of the ceiling"]["value"] == pytest.approx(1, abs=1e-3)
    drawn = {(e["id"], e["variant"]): read_picture(tmp_path / "seen" / e["file"]) for e in record["files"]}
    assert np.abs(drawn["3.png", "mapped"].astype(int) - files[3, :8, :8]).max() <= 6
    assert np.array_equal(drawn["7.png", "control"], files[7])
    assert np.abs(drawn["3.png", "shuffled"].astype(int) - files[3, :8, :8]).max() > 10
    shown = alignkit(
        *ask(
            *more, "--ids", "3.png", "--encoder", "toy", "--source-media", "real", "--out", "shown", "--json"
        )
    )
    first = shown.json["files"][0]
    assert (first["variant"], first["id"]) == ("source", "3.png")
    assert np.array_equal(read_picture(tmp_path / "shown" / first["file"]), files[3])
    assert "source" not in shown.json["scores"]
    again = alignkit(*ask(*more, "--ids", "3.png,7.png", "--out", "seen", "--json"))
    assert again.json["schema"] == "alignkit.audition/1"
    assert [e["sha256"] for e in again.json["files"]] == [e["sha256"] for e in record["files"]]


def test_requests_that_cannot_be_met_are_refused(alignkit, files):
    bare = ("audition", "ear.space", "--alignment", "m.alignment", "--out", "x")
    alignkit(*bare, "--decoder", "pixel_ridge").refused("learns from real items", "--bank")
    alignkit(*bare, "--decoder", "pixel").refused("no decoder named 'pixel'", "pixel_ridge")
    alignkit(*ask("--decoder", "nearest", "--weights", "w", "--out", "x")).refused("has no weights")
    alignkit(*ask("--decoder", "nearest", "--device", "gpu", "--out", "x")).refused("device", "cpu")
    alignkit(*ask("--decoder", "nearest", "--steps", "5", "--out", "x")).refused("takes no steps")
    alignkit(*ask("--decoder", "nearest", "--column", "clip", "--out", "x")).refused(
        "no metadata column 'clip'"
    )
    wrong = [part if part != "real" else "nowhere" for part in ask("--decoder", "nearest", "--out", "x")]
    alignkit(*wrong).refused("is no file", "--media")
    foreign = [
        part
        for part in ask("--decoder", "nearest", "--out", "x")
        if part not in ("--alignment", "m.alignment")
    ]
    alignkit(*foreign).refused("needs toy", "ear")


def test_options_of_a_wrong_kind_are_refused_before_media_are_read(alignkit, tmp_path, files):
    for name in range(20):
        (tmp_path / "real" / f"{name}.png").write_bytes(b"no picture")
    for decoder, option, said in (
        ("mel_ridge", "rate=abc", "rate is 'abc'; give a whole number, 1 or more."),
        ("mel_ridge", "rate=8000.5", "rate is 8000.5; give a whole number, 1 or more."),
        ("mel_ridge", "bands=0", "bands is 0; give a whole number, 1 or more."),
        ("mel_ridge", "rounds=x", "rounds is 'x'; give a whole number, 1 or more."),
        ("mel_ridge", "detail=x", "detail is 'x'; give a share from 0 to 1."),
        ("mel_ridge", "alpha=abc", "alpha is 'abc'; give a number >= 0."),
        ("pixel_ridge", "alpha=nan", "alpha is 'nan'; give a number >= 0."),
        ("pixel_ridge", "alpha=True", "alpha is True; give a number >= 0."),
    ):
        alignkit(*ask("--decoder", decoder, "--set", option, "--out", "x")).refused(said)
    assert not (tmp_path / "x").exists()


def test_more_drawings_than_the_bank_has_leave_no_folder_behind(alignkit, tmp_path, files):
    many = ask("--decoder", "nearest", "--out", "x", "--n")
    alignkit(*many, "500").refused("--n 500: the bank has 20 items; give at most 20.")
    assert not (tmp_path / "x").exists()
    assert alignkit(*many, "2").code == 0


def test_rows_of_another_dimension_are_refused_with_the_name_of_their_file(alignkit, tmp_path, files):
    np.save(tmp_path / "flat.npy", np.eye(3))
    bare = ("audition", "flat.npy", "--decoder", "nearest", "--bank", "eye.space", "--media", "real", "--out")
    alignkit(*bare, "x").refused("flat.npy: the Nearest decoder needs rows of", "got 3")
    alignkit(*bare, "x", "--alignment", "m.alignment").refused(
        "flat.npy: the source of this procrustes", "got 3"
    )
    write_embeddings(Embeddings(np.eye(20), ids=[f"{k}.png" for k in range(20)]), tmp_path / "wide.space")
    truth = ask("--decoder", "nearest", "--truth", "wide.space", "--out", "x")
    alignkit(*truth).refused("wide.space: the Nearest decoder needs", "got 20")


def test_the_record_names_the_digest_of_every_file_that_was_read(alignkit, tmp_path, files):
    more = ("--decoder", "nearest", "--truth", "eye.space", "--out", "seen", "--json")
    ran = alignkit(*ask(*more))
    assert ran.code == 0, ran.err
    found = ran.json["inputs"]
    assert set(found) == {"source", "alignment", "bank", "truth"}
    assert found["bank"]["sha256"] == found["truth"]["sha256"] == tree_digest(tmp_path / "eye.space")
    assert found["alignment"]["sha256"] == tree_digest(tmp_path / "m.alignment")
    assert found["source"]["path"] == "../ear.space"
