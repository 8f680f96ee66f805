"""Films become one row or many; a bad one shifts none, and a run that ended early goes on."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from alignkit.encoders.toy import Toy
from alignkit.errors import DataError, OutputError
from alignkit.formats import open_embeddings
from alignkit.formats.space import read_space_json
from alignkit.media.films import read_frames
from alignkit.media.frames import Frames
from alignkit.media.items import Items, open_items
from alignkit.pairs import Pairs
from alignkit.pooling import pool
from alignkit.workflows._prefetch import ahead
from alignkit.workflows.embedding import Pace, embed

Image = pytest.importorskip("PIL.Image")
COLOURS = [(250, 20, 20), (20, 240, 30), (10, 20, 230), (240, 240, 20), (250, 250, 250)]
SMALL = Pace(batch_size=3, workers=2, part=2)


@pytest.fixture
def films(tmp_path: Path, make_film: Callable[..., Path]) -> Path:
    """Write films of 1, 5 and 7 pictures, and a picture."""
    folder = tmp_path / "films"
    folder.mkdir()
    for name, many in (("a.mkv", 5), ("b.mp4", 1), ("d.mkv", 7)):
        make_film(folder / name, [COLOURS[(many + number) % 5] for number in range(many)])
    Image.new("RGB", (32, 16), COLOURS[0]).save(folder / "c.png")
    return folder


def seen(folder: Path, pooling: str, rate: float = 10.0) -> Items:
    return open_items(folder, "image", frames=Frames(rate, pooling))


def rows_of(path: Path, rate: float = 10.0) -> np.ndarray:
    return Toy().encode([picture for _, picture in read_frames(path, rate=rate)], "image")


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_kept_pictures_have_rows_of_their_own_with_film_and_time(films: Path, tmp_path: Path):
    done = embed(seen(films, "keep", 5.0), Toy(), tmp_path / "k.space", pace=SMALL)
    rows = open_embeddings(tmp_path / "k.space")
    assert rows.ids.to_pylist() == [
        *("a.mkv#0.000", "a.mkv#0.200", "a.mkv#0.400", "b.mp4#0.000", "c.png"),
        *("d.mkv#0.000", "d.mkv#0.200", "d.mkv#0.400", "d.mkv#0.600"),
    ]
    assert rows.items["item"].to_pylist() == [*["a.mkv"] * 3, "b.mp4", "c.png", *["d.mkv"] * 4]
    assert_allclose(rows.items["time"].to_pylist(), [0, 0.2, 0.4, 0, 0, 0, 0.2, 0.4, 0.6])
    assert set(rows.items["rate"].to_pylist()) == {5.0}
    assert rows.items["path"].to_pylist() == rows.items["item"].to_pylist()
    assert_array_equal(rows.array()[:3], rows_of(films / "a.mkv", 5.0))
    assert_array_equal(rows.array()[5:], rows_of(films / "d.mkv", 5.0))
    assert (done.rows, rows.space.norm) == (9, "unit")
    assert read_space_json(tmp_path / "k.space")["recipe"] == Toy().recipe() | {
        "frames": {"rate": 5.0, "pool": "keep"}
    }


@pytest.mark.parametrize("how", ["mean_unit", "mean", "max", "first", "middle", "last"])
def test_a_pooled_row_is_the_pool_of_the_kept_ones(films: Path, tmp_path: Path, how: str):
    embed(seen(films, "keep"), Toy(), tmp_path / "k.space", pace=SMALL)
    done = embed(seen(films, how), Toy(), tmp_path / "p.space", pace=SMALL)
    found, kept = open_embeddings(tmp_path / "p.space"), open_embeddings(tmp_path / "k.space")
    expected = pool(kept, how)
    assert found.ids.to_pylist() == expected.ids.to_pylist() == ["a.mkv", "b.mp4", "c.png", "d.mkv"]
    assert_array_equal(found.array(), expected.array())
    assert done.space.norm == found.space.norm == expected.space.norm
    assert found.items.column_names == ["path"]


def test_im2wavs_row_is_the_mean_of_unit_rows_whatever_their_lengths(
    films: Path, tmp_path: Path, monkeypatch
):
    """By an encoder whose rows have lengths of their own: the plain mean is another row."""
    monkeypatch.setattr(Toy, "_norm", lambda _: "raw")
    whole = Toy._encode_batch

    def stretched(self, batch, modality):
        rows = whole(self, batch, modality)
        return rows * (np.abs(rows).sum(axis=1, keepdims=True) / 10) ** 20

    monkeypatch.setattr(Toy, "_encode_batch", stretched)
    embed(seen(films, "mean_unit"), Toy(), tmp_path / "u.space", pace=SMALL)
    embed(seen(films, "mean"), Toy(), tmp_path / "m.space", pace=SMALL)
    rows = rows_of(films / "d.mkv").astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1)
    assert lengths.max() > 1.1 * lengths.min()
    expected = (rows / lengths[:, None]).mean(axis=0)
    assert_allclose(open_embeddings(tmp_path / "u.space").array()[3], expected, atol=1e-6)
    assert_allclose(open_embeddings(tmp_path / "m.space").array()[3], rows.mean(axis=0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean_unit", "keep"])
def test_a_bad_film_shifts_no_row_and_is_listed(films: Path, tmp_path: Path, pooling: str):
    embed(seen(films, pooling), Toy(), tmp_path / "good.space", pace=SMALL)
    whole = (films / "d.mkv").read_bytes()
    (films / "a2.mkv").write_bytes(whole[: 2 * len(whole) // 3])  # some of its pictures can be decoded
    (films / "b2.avi").write_bytes(b"")
    done = embed(seen(films, pooling), Toy(), tmp_path / "x.space", pace=SMALL)
    listed = pq.read_table(tmp_path / "x.failed.parquet").to_pylist()
    assert [row["id"] for row in listed] == ["a2.mkv", "b2.avi"] == list(done.failures)
    assert "ends after" in listed[0]["reason"]
    good, found = open_embeddings(tmp_path / "good.space"), open_embeddings(tmp_path / "x.space")
    assert found.ids.to_pylist() == good.ids.to_pylist()
    assert_array_equal(found.array(), good.array())
    assert found.items.equals(good.items)
    with pytest.raises(DataError, match=r"item 'a2\.mkv': .*ends after"):
        embed(seen(films, pooling), Toy(), tmp_path / "s.space", pace=SMALL, on_error="stop")


@pytest.mark.parametrize("pooling", ["mean_unit", "keep"])
def test_a_run_that_ended_early_goes_on_and_ends_in_the_same_bytes(films: Path, tmp_path: Path, pooling: str):
    embed(seen(films, pooling), Toy(), tmp_path / "a.space", pace=SMALL)
    last = (films / "d.mkv").read_bytes()
    (films / "d.mkv").write_bytes(b"cut")
    with pytest.raises(DataError, match=r"d\.mkv"):
        embed(seen(films, pooling), Toy(), tmp_path / "b.space", pace=SMALL, on_error="stop")
    (films / "d.mkv").write_bytes(last)
    other = "max" if pooling == "mean_unit" else "mean_unit"
    with pytest.raises(OutputError, match="with another frames"):
        embed(seen(films, other), Toy(), tmp_path / "b.space", pace=SMALL)
    done = embed(seen(films, pooling), Toy(), tmp_path / "b.space", pace=SMALL)
    assert done.resumed == 2  # items, however many rows they have
    assert content(tmp_path / "a.space") == content(tmp_path / "b.space")


@pytest.mark.parametrize("pace", [Pace(workers=0), Pace(1, 1, 1), Pace(2, 3, 3), Pace(100, 1)])
def test_pace_changes_no_byte(films: Path, tmp_path: Path, pace: Pace):
    embed(seen(films, "keep"), Toy(), tmp_path / "a.space", pace=SMALL)
    embed(seen(films, "keep"), Toy(), tmp_path / "b.space", pace=pace)
    assert content(tmp_path / "a.space") == content(tmp_path / "b.space")


def test_a_split_by_the_film_tears_none_apart(tmp_path: Path, make_film: Callable[..., Path]):
    (tmp_path / "clips").mkdir()
    names = [f"{number}.mkv" for number in range(5)]
    for number, name in enumerate(names):
        make_film(tmp_path / "clips" / name, [(40 * number, 60 * at, 99) for at in range(4)])
    embed(seen(tmp_path / "clips", "keep"), Toy(), tmp_path / "k.space", pace=SMALL)
    rows = open_embeddings(tmp_path / "k.space")
    owners = np.array(rows.items["item"].to_pylist())
    for seed in range(5):
        train, test = Pairs.by_id(rows, rows).grouped_by("item").split(0.4, seed)
        parts = [set(owners[part.links[:, 0]]) for part in (train, test)]
        assert not parts[0] & parts[1]
        assert parts[0] | parts[1] == set(names)


def test_columns_of_a_table_stay_beside_kept_pictures(films: Path, tmp_path: Path):
    (films / "t.csv").write_text("id,path,item,label\n7,a.mkv,one,dog\n8,c.png,two,cat\n")
    embed(seen(films / "t.csv", "keep", 5.0), Toy(), tmp_path / "t.space")
    rows = open_embeddings(tmp_path / "t.space")
    assert rows.ids.to_pylist() == ["7#0.000", "7#0.200", "7#0.400", "8"]
    assert rows.items["item"].to_pylist() == ["7", "7", "7", "8"]
    assert rows.items["table_item"].to_pylist() == ["one", "one", "one", "two"]
    assert rows.items["label"].to_pylist() == ["dog", "dog", "dog", "cat"]


def test_a_film_is_never_far_ahead_of_the_model(films: Path, monkeypatch, tmp_path: Path):
    prepared, encoded, most = [0], [0], [0]
    prepare, encode = Toy.prepare, Toy.encode_prepared

    def counting(self, *given):
        prepared[0] += 1
        most[0] = max(most[0], prepared[0] - encoded[0])
        return prepare(self, *given)

    def slow(self, batch, modality):
        rows = encode(self, batch, modality)
        encoded[0] += len(batch)
        return rows

    space = Toy().fingerprint()
    monkeypatch.setattr(Toy, "fingerprint", lambda _: space)
    monkeypatch.setattr(Toy, "prepare", counting)
    monkeypatch.setattr(Toy, "encode_prepared", slow)
    embed(seen(films, "mean_unit", 500.0), Toy(), tmp_path / "a.space", pace=Pace(4, 2))
    assert prepared[0] == encoded[0] == 201 + 1 + 1 + 301
    assert most[0] <= 4 + 2 * 4 + 2 + 2  # a batch, the lead, and one in either hand


def test_what_the_making_raises_comes_in_its_turn_and_an_early_end_stops_it():
    made = []

    def things():
        for number in range(100):
            made.append(number)
            if number == 3:
                raise ZeroDivisionError
            yield number

    for lead in (0, 2):
        stream = ahead(things(), lead)
        assert [next(stream) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ZeroDivisionError):
            next(stream)
    made.clear()
    stream = ahead((made.append(number) for number in count()), 3)  # it never ends
    assert next(stream) is None
    stream.close()
    assert len(made) <= 5
