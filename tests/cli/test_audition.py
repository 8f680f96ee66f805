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
