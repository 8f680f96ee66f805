"""An audition on disk: whole files, a second run that goes on, a page that opens from the disk."""

import errno
import json
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from alignkit.decoders.mel_ridge import MelRidge
from alignkit.decoders.pixel_ridge import PixelRidge
from alignkit.encoders.toy import Toy
from alignkit.errors import DataError, OutputError
from alignkit.media.audio import read_sound
from alignkit.spaces import Embeddings, Space
from alignkit.storage import _auditions as module
from alignkit.storage import save_audition
from alignkit.workflows import audition

RATE = 8000


@pytest.fixture
def plan():
    rng = np.random.default_rng(0)
    ids = ["dog", "a/b", "<cat>"]
    rows = Embeddings(rng.normal(size=(3, 4)), ids=ids, space=Space(4, "toy"), name="rows")
    tones = np.sin(np.arange(2000) * np.array([[0.2], [0.5], [1.0]]))
    decoder = MelRidge(rate=RATE, bins=256, hop=64, bands=16, rounds=2).fit(rows, tones)
    return lambda **options: audition(rows, decoder, truth=rows, **options)


def test_media_record_and_page_are_there_and_agree(plan, tmp_path):
    record = save_audition(plan(n=2), tmp_path / "heard")
    assert json.loads((tmp_path / "heard" / "audition.json").read_text()) == json.loads(json.dumps(record))
    assert len(record["files"]) == 3 * 3 * 2
    for each in record["files"]:
        sound = read_sound(tmp_path / "heard" / each["file"])
        assert (sound.rate, len(sound.samples)) == (RATE, 2000)
    assert record["state"] == "done"
    assert record["decoder"]["name"] == "mel_ridge"
    assert {"alignkit", "numpy"} <= set(record["versions"])
    assert len({each["sha256"] for each in record["files"]}) > 6


def test_the_page_names_only_files_that_lie_beside_it_and_escapes_ids(plan, tmp_path):
    save_audition(plan(), tmp_path / "heard")
    page = (tmp_path / "heard" / "index.html").read_text()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(addresses) == 2 * 9  # a player and a spectrogram each
    assert all((tmp_path / "heard" / unquote(address)).is_file() for address in addresses)
    assert "://" not in page
    assert "<script" not in page
    assert "&lt;cat&gt;" in page
    assert "<cat>" not in page


def test_a_full_disk_leaves_what_is_done_and_the_same_call_goes_on(plan, tmp_path, monkeypatch):
    whole = save_audition(plan(), tmp_path / "whole")
    kept, written = Path.write_bytes, []

    def full(self, content):
        if len(written) >= 7:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(self)
        return kept(self, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"free some space.* 3 of 9 media are done and stay"):
        save_audition(plan(), tmp_path / "heard")
    monkeypatch.setattr(Path, "write_bytes", kept)
    names = sorted(path.name for path in (tmp_path / "heard" / "media").iterdir())
    assert not [name for name in names if name.endswith(".partial")]
    stamps = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "heard" / "media").glob("*.wav")}
    assert len(stamps) == 3
    record = save_audition(plan(), tmp_path / "heard")
    assert [each["sha256"] for each in record["files"]] == [each["sha256"] for each in whole["files"]]
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "heard" / "media").glob("*.wav")}
    assert {name: after[name] for name in stamps} == stamps


def test_another_audition_is_replaced_with_force_only_and_foreign_folders_never(plan, tmp_path):
    save_audition(plan(n=2), tmp_path / "heard")
    with pytest.raises(OutputError, match="another audition"):
        save_audition(plan(seed=1), tmp_path / "heard")
    record = save_audition(plan(seed=1), tmp_path / "heard", force=True)
    left = {path.name for path in (tmp_path / "heard" / "media").glob("*.wav")}
    assert left == {Path(each["file"]).name for each in record["files"]}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(OutputError, match="no audition"):
        save_audition(plan(), tmp_path / "mine", force=True)


def test_media_are_encoded_again_and_placed_between_floor_and_ceiling(tmp_path):
    toy, rng = Toy(), np.random.default_rng(0)
    pictures = rng.integers(0, 256, (12, 1, 1, 3)).astype(np.uint8) * np.ones((1, 16, 16, 1), np.uint8)
    names = [f"p{k}" for k in range(12)]
    rows = Embeddings(toy.encode(list(pictures), "image"), ids=names, space=toy.space())
    painter = PixelRidge(alpha=1e-6).fit(rows, pictures)
    plan = audition(rows, painter, ids=names, truth=rows)
    found = save_audition(plan, tmp_path / "seen", encoder=toy)["scores"]
    assert found["mapped"]["value"] == pytest.approx(found["ceiling"]["value"])  # no map lies between
    assert found["mapped"]["value"] > found["shuffled"]["value"] + 0.05
    assert found["of the ceiling"]["value"] == pytest.approx(1.0)
    with pytest.raises(DataError, match="no true rows"):
        save_audition(audition(rows, painter), tmp_path / "blind", encoder=toy)


def test_names_of_files_are_safe_and_apart():
    names = [
        module.file_name((item, "mapped", 0)) for item in ("a/b", "a_b", "a b", "../x", ".hidden", "é" * 200)
    ]
    assert len(set(names)) == 6
    assert all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name) and len(name) < 100 for name in names)
