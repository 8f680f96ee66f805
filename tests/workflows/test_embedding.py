"""A run that was killed goes on and ends in the same bytes; a bad item leaves its row and its reason."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_array_equal

from alignkit.encoders.toy import Toy
from alignkit.errors import DataError, MissingExtraError, OutputError, ParameterError
from alignkit.formats import open_embeddings
from alignkit.formats.space import read_space_json
from alignkit.media.items import open_items
from alignkit.workflows._prefetch import prepared
from alignkit.workflows.embedding import Pace, embed

TEXTS = [f"{word} number {number}" for number, word in enumerate(["a red dog", "rain", "high tones"] * 8)]
SMALL = Pace(batch_size=3, workers=2, part=5)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(TEXTS) + "\n")
    return path


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def spoilt(path: Path, *lines: int) -> None:
    """Empty some lines, counted from 0."""
    texts = path.read_text().split("\n")
    path.write_text("\n".join("" if number in lines else text for number, text in enumerate(texts)))


def test_rows_are_those_of_the_encoder_with_ids_metadata_and_recipe(texts: Path, tmp_path: Path):
    seen = []
    done = embed(
        open_items(texts, "text"), Toy(), tmp_path / "t.space", pace=SMALL, progress=lambda *a: seen.append(a)
    )
    rows = open_embeddings(tmp_path / "t.space")
    assert_array_equal(rows.array(), Toy().encode(TEXTS, "text"))
    assert rows.ids.to_pylist() == [*range(len(TEXTS))]
    assert rows.items["text"].to_pylist() == TEXTS
    assert (rows.modality, rows.space, rows.space.fingerprint) == (
        "text",
        Toy().space(),
        done.space.fingerprint,
    )
    assert read_space_json(tmp_path / "t.space")["recipe"] == Toy().recipe()
    assert (done.rows, done.failures, done.failed_file, done.resumed) == (len(TEXTS), {}, None, 0)
    assert [seen[0], seen[-1]] == [(0, 24, 0), (24, 24, 0)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.space", "texts.txt"]


@pytest.mark.parametrize("pace", [Pace(workers=0), Pace(3, 4, 7), Pace(100, 1, 1), Pace(1, 2, 100)])
def test_pace_changes_no_byte_of_an_encoder_that_is_exact(texts: Path, tmp_path: Path, pace: Pace):
    embed(open_items(texts, "text"), Toy(), tmp_path / "a.space", pace=SMALL)
    embed(open_items(texts, "text"), Toy(), tmp_path / "b.space", pace=pace)
    assert content(tmp_path / "a.space") == content(tmp_path / "b.space")


def test_a_bad_item_shifts_no_row_and_is_listed_with_its_reason(texts: Path, tmp_path: Path):
    spoilt(texts, 0, 7, 23)
    done = embed(open_items(texts, "text"), Toy(), tmp_path / "t.space", pace=SMALL)
    rows = open_embeddings(tmp_path / "t.space")
    kept = [number for number in range(24) if number not in (0, 7, 23)]
    assert rows.ids.to_pylist() == kept
    assert_array_equal(rows.array(), Toy().encode([TEXTS[number] for number in kept], "text"))
    listed = pq.read_table(tmp_path / "t.failed.parquet").to_pylist()
    assert [row["id"] for row in listed] == [0, 7, 23] == list(done.failures)
    assert all("is empty" in row["reason"] for row in listed)
    assert done.failed_file == tmp_path / "t.failed.parquet"
    spoilt(texts)
    texts.write_text("\n".join(TEXTS))
    embed(open_items(texts, "text"), Toy(), tmp_path / "t.space", pace=SMALL, force=True)
    assert not (tmp_path / "t.failed.parquet").exists()


def test_an_item_that_only_the_model_refuses_leaves_its_batch_mates_in(
    texts: Path, tmp_path: Path, monkeypatch
):
    whole, expected = Toy._encode_batch, Toy().encode(TEXTS, "text")
    middle = np.median(expected[:, 0])

    def picky(self, batch, modality):
        rows = whole(self, batch, modality)
        return np.where(rows[:, :1] > middle, np.nan, rows)

    bad = np.flatnonzero(expected[:, 0] > middle).tolist()
    assert 0 < len(bad) < len(TEXTS)
    monkeypatch.setattr(Toy, "fingerprint", lambda _: None)
    monkeypatch.setattr(Toy, "_encode_batch", picky)
    done = embed(open_items(texts, "text"), Toy(), tmp_path / "t.space", pace=SMALL)
    assert list(done.failures) == bad
    assert_array_equal(open_embeddings(tmp_path / "t.space").array(), np.delete(expected, bad, axis=0))


def test_the_first_bad_item_stops_a_run_that_is_asked_to_and_what_was_done_is_kept(
    texts: Path, tmp_path: Path
):
    spoilt(texts, 12)
    with pytest.raises(DataError, match=r"item 12: line 13 \(id 12\) of"):
        embed(open_items(texts, "text"), Toy(), tmp_path / "t.space", pace=SMALL, on_error="stop")
    assert not (tmp_path / "t.space").exists()
    texts.write_text("\n".join(TEXTS))
    done = embed(open_items(texts, "text"), Toy(), tmp_path / "t.space", pace=SMALL, on_error="stop")
    assert (done.rows, done.resumed) == (24, 10)  # two parts of five came before


KILLED = """
import time
from alignkit.encoders.toy import Toy
from alignkit.media.items import open_items
from alignkit.workflows.embedding import Pace, embed
whole = Toy._encode_batch
def slow(self, batch, modality):
    time.sleep(0.15)
    return whole(self, batch, modality)
Toy._encode_batch = slow
embed(open_items("texts.txt", "text"), Toy(), "t.space", pace=Pace(3, 2, 5))
"""


def test_a_run_that_was_killed_goes_on_and_ends_in_the_same_bytes(texts: Path, tmp_path: Path, monkeypatch):
    spoilt(texts, 2)
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    process = subprocess.Popen([sys.executable, "-c", KILLED], cwd=tmp_path, env=environment)
    parts, deadline = tmp_path / ".t.space.parts", time.monotonic() + 60
    while not (parts / "00001.json").exists():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "t.space").exists()
    asked: list[int] = []
    monkeypatch.chdir(tmp_path)
    items = open_items("texts.txt", "text")
    place = items.place
    monkeypatch.setattr(
        "alignkit.media.items.Items.read", lambda self, row: (asked.append(row), place(row).text)[1]
    )
    done = embed(items, Toy(), "t.space", pace=SMALL)
    assert done.resumed >= 10
    assert sorted(asked) == [*range(done.resumed, 24)]  # only what was missing
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    embed(open_items("texts.txt", "text"), Toy(), "u.space", pace=SMALL)
    assert content(tmp_path / "t.space") == content(tmp_path / "u.space")
    assert not parts.exists()


@pytest.fixture
def stopped(texts: Path, tmp_path: Path) -> Path:
    """Leave a run of two finished parts behind; return the folder of the parts."""
    spoilt(texts, 12)
    with pytest.raises(DataError):
        embed(open_items(texts, "text"), Toy(), tmp_path / "t.space", pace=SMALL, on_error="stop")
    texts.write_text("\n".join(TEXTS))
    return tmp_path / ".t.space.parts"


def test_a_part_whose_items_or_bytes_changed_is_made_again(stopped: Path, texts: Path, tmp_path: Path):
    rows = bytearray((stopped / "00000.npy").read_bytes())
    rows[-1] ^= 1
    (stopped / "00000.npy").write_bytes(rows)
    (stopped / "00001.json").write_text("{")
    done = embed(open_items(texts, "text"), Toy(), tmp_path / "t.space", pace=SMALL)
    assert done.resumed == 0
    assert_array_equal(open_embeddings(tmp_path / "t.space").array(), Toy().encode(TEXTS, "text"))


def test_changed_items_are_encoded_again(stopped: Path, texts: Path, tmp_path: Path):
    changed = ["blue" if number == 3 else text for number, text in enumerate(TEXTS)]
    texts.write_text("\n".join(changed))
    done = embed(open_items(texts, "text"), Toy(), tmp_path / "t.space", pace=SMALL)
    assert done.resumed == 5
    assert_array_equal(open_embeddings(tmp_path / "t.space").array(), Toy().encode(changed, "text"))


@pytest.mark.parametrize(
    ("encoder", "pace", "lines", "message"),
    [
        (Toy(world="sound"), SMALL, TEXTS, "another encoder, space"),
        (Toy(), Pace(4, 2, 5), TEXTS, "another batch size"),
        (Toy(), Pace(3, 2, 6), TEXTS, "another items in a part"),
        (Toy(), SMALL, [*TEXTS, "one more"], "another items"),
    ],
    ids=["encoder", "batch", "part", "items"],
)
def test_an_unfinished_run_of_other_settings_is_refused_unless_forced(
    stopped: Path, texts: Path, tmp_path: Path, encoder: Toy, pace: Pace, lines: list[str], message: str
):
    texts.write_text("\n".join(lines))
    with pytest.raises(OutputError, match=f"unfinished run .* {message}.*--force to start over"):
        embed(open_items(texts, "text"), encoder, tmp_path / "t.space", pace=pace)
    done = embed(open_items(texts, "text"), encoder, tmp_path / "t.space", pace=pace, force=True)
    assert (done.rows, done.resumed) == (len(lines), 0)


def test_nothing_is_read_where_the_output_may_not_be_written(texts: Path, tmp_path: Path, monkeypatch):
    (tmp_path / "t.space").write_text("mine")
    monkeypatch.setattr("alignkit.media.items.Items.read", lambda *_: pytest.fail("read too early"))
    with pytest.raises(OutputError, match="exists already"):
        embed(open_items(texts, "text"), Toy(), tmp_path / "t.space")
    with pytest.raises(ParameterError, match="encodes text and image, not 'audio'"):
        embed(open_items(texts, "audio"), Toy(), tmp_path / "u.space")
    with pytest.raises(ParameterError, match="on_error is 'pass'"):
        embed(open_items(texts, "text"), Toy(), tmp_path / "u.space", on_error="pass")  # pyright: ignore
    for pace in (Pace(batch_size=0), Pace(workers=-1), Pace(part=0)):
        with pytest.raises(ParameterError, match="it is at least"):
            embed(open_items(texts, "text"), Toy(), tmp_path / "u.space", pace=pace)


def test_where_every_item_is_bad_no_space_is_written(tmp_path: Path):
    (tmp_path / "t.txt").write_text("?\n!\n")
    list_of = (
        r"none of 2 items could be encoded, .* their list, .*t\.failed\.parquet; the first: the text '\?'"
    )
    with pytest.raises(DataError, match=list_of):
        embed(open_items(tmp_path / "t.txt", "text"), Toy(), tmp_path / "t.space")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.failed.parquet", "t.txt"]


def test_the_list_of_a_run_that_wrote_nothing_gives_way_and_any_other_file_does_not(
    texts: Path, tmp_path: Path
):
    (tmp_path / "bad.txt").write_text("?\n")
    listed, out = tmp_path / "t.failed.parquet", tmp_path / "t.space"
    for _ in range(2):  # the second is no less allowed than the first
        with pytest.raises(DataError, match="none of 1 item could"):
            embed(open_items(tmp_path / "bad.txt", "text"), Toy(), out)
    assert listed.exists()
    embed(open_items(texts, "text"), Toy(), out, pace=SMALL)
    assert not listed.exists()
    spoilt(texts, 3)
    embed(open_items(texts, "text"), Toy(), out, pace=SMALL, force=True)
    for other in ("t.npy", "t.space"):  # the list is that of t.space, which is there
        with pytest.raises(OutputError, match="exists already"):
            embed(open_items(texts, "text"), Toy(), tmp_path / other)
    for mine in (b"mine", b""):
        (tmp_path / "u.failed.parquet").write_bytes(mine)
        with pytest.raises(OutputError, match=r"u\.failed\.parquet exists already"):
            embed(open_items(texts, "text"), Toy(), tmp_path / "u.space")


def test_a_missing_package_ends_the_run(texts: Path, tmp_path: Path, monkeypatch):
    def absent(*_):
        raise MissingExtraError("reading needs x: pip install 'alignkit[x]'.")

    monkeypatch.setattr("alignkit.media.items.Items.read", absent)
    with pytest.raises(MissingExtraError):
        embed(open_items(texts, "text"), Toy(), tmp_path / "t.space")


def test_items_are_prepared_while_others_are_encoded_and_never_far_ahead():
    begun, gate = [], threading.Event()

    def prepare(row: int) -> int:
        begun.append(row)
        gate.wait(10)
        return row

    stream = prepared(prepare, range(100), workers=2, lead=5)
    threading.Timer(0.05, gate.set).start()
    assert next(stream) == (0, 0)
    time.sleep(0.05)
    assert set(begun) <= set(range(6))
    assert len(begun) >= 3  # others were begun before the first was asked for
    assert [row for row, _ in stream] == [*range(1, 100)]


def test_other_exceptions_of_a_worker_come_through():
    def broken(row: int) -> int:
        raise ZeroDivisionError

    for workers in (0, 2):
        with pytest.raises(ZeroDivisionError):
            list(prepared(broken, range(4), workers=workers, lead=2))
