"""Every item has one id and one place inside its root, whatever lists them."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignkit.errors import DataError, ParameterError
from alignkit.media.frames import Frames
from alignkit.media.items import Items, open_items

Image = pytest.importorskip("PIL.Image")


def png(shade: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (2, 2), shade).save(stream, format="PNG")
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    (root / "b" / "c").mkdir(parents=True)
    for number, name in enumerate(("b/c/z.PNG", "a.png", "b/y.png")):
        (root / name).write_bytes(png(50 * number))
    (root / "notes.txt").write_text("a note")
    (root / ".hidden.png").write_bytes(png(9))
    return root


def shades(items: Items) -> dict[str, int]:
    return {str(items.ids[row].as_py()): int(items.read(row)[0, 0, 0]) for row in range(len(items))}


def made_tar(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_a_folder_gives_its_files_by_their_paths_and_counts_the_rest(folder: Path):
    items = open_items(folder, "image")
    assert shades(items) == {"a.png": 50, "b/c/z.PNG": 0, "b/y.png": 100}
    assert items.ids.to_pylist() == sorted(items.ids.to_pylist())
    assert items.ignored == 2
    texts = open_items(folder, "text")
    assert (texts.ids.to_pylist(), texts.read(0), texts.ignored) == (["notes.txt"], "a note", 4)


def test_a_link_that_leaves_the_folder_is_a_bad_item_and_one_within_it_is_a_good_one(
    folder: Path, tmp_path: Path
):
    (folder / "same.png").symlink_to(folder / "a.png")
    assert shades(open_items(folder, "image"))["same.png"] == 50
    (tmp_path / "secret.png").write_bytes(png(1))
    for name, target in (("out.png", tmp_path / "secret.png"), ("out", tmp_path), ("out.md", tmp_path / "x")):
        (folder / name).symlink_to(target)
    items = open_items(folder, "image")
    assert items.ids.to_pylist() == ["a.png", "b/c/z.PNG", "b/y.png", "out", "out.png", "same.png"]
    assert items.ignored == 3  # a link by whose name nothing is asked for is no item either
    for row in (3, 4):
        with pytest.raises(DataError, match=r"out(\.png)? is a link that leaves .*photos"):
            items.read(row)
    assert items.read(5)[0, 0, 0] == 50


def test_a_link_that_appears_later_is_refused_when_it_is_read(folder: Path, tmp_path: Path):
    items = open_items(folder, "image")
    (tmp_path / "secret.png").write_bytes(png(1))
    (folder / "a.png").unlink()
    (folder / "a.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match=r"a\.png is a link that leaves"):
        items.read(0)


def write_table(path: Path, columns: dict[str, list]) -> Path:
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    if path.suffix == ".parquet":
        pq.write_table(pa.table(columns), path)
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows))
    else:
        sign = "\t" if path.suffix == ".tsv" else ","
        lines = [columns, *(row.values() for row in rows)]
        path.write_text("\n".join(sign.join(map(str, line)) for line in lines))
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_a_table_gives_paths_or_texts_and_keeps_its_columns(folder: Path, suffix: str):
    table = write_table(
        folder / f"t{suffix}",
        {"id": ["007", "x"], "path": ["b/y.png", "a.png"], "caption": ["rain", "dog"], "fold": [1, 2]},
    )
    items = open_items(table, "image")
    assert shades(items) == {"007": 100, "x": 50}
    assert items.table.column_names == ["id", "path", "caption", "fold"]
    assert items.table["fold"].to_pylist() == [1, 2]
    texts = open_items(table, "text")
    assert [texts.read(row) for row in range(2)] == ["rain", "dog"]
    named = open_items(table, "text", ids="caption", column="id")
    assert (named.ids.to_pylist(), named.read(0)) == (["rain", "dog"], "007")
    assert named.table["table_id"].to_pylist() == ["007", "x"]


def test_lines_of_a_file_are_texts_or_paths(folder: Path):
    (folder / "lines.txt").write_text("a dog\r\n\nrain\x0con\n")
    texts = open_items(folder / "lines.txt", "text")
    assert (texts.ids.to_pylist(), texts.read(2)) == ([0, 1, 2], "rain\x0con")
    with pytest.raises(DataError, match=r"line 2 \(id 1\) of .*lines\.txt is empty"):
        texts.read(1)
    (folder / "list.txt").write_text("b/y.png\na.png\n")
    assert shades(open_items(folder / "list.txt", "image")) == {"0": 100, "1": 50}


def test_a_root_may_lie_elsewhere(folder: Path, tmp_path: Path):
    table = write_table(tmp_path / "t.csv", {"id": ["x"], "path": ["a.png"]})
    assert shades(open_items(table, "image", root=folder)) == {"x": 50}
    inner = write_table(tmp_path / "u.csv", {"id": ["x"], "path": [str(folder / "a.png")]})
    assert shades(open_items(inner, "image")) == {"x": 50}


@pytest.mark.parametrize("path", ["../secret.png", "/etc/passwd", "b/../../secret.png", "a\0b"])
@pytest.mark.parametrize("kind", ["t.parquet", "t.txt"])
def test_a_path_outside_the_root_is_a_bad_item_among_good_ones(folder: Path, path: str, kind: str):
    if kind == "t.txt":
        (folder / kind).write_text(f"a.png\n{path}\n")
    else:
        write_table(folder / kind, {"id": ["x", "y"], "path": ["a.png", path]})
    items = open_items(folder / kind, "image")
    assert items.read(0)[0, 0, 0] == 50
    with pytest.raises(DataError, match=r"the path .* leaves .*photos: give paths inside"):
        items.read(1)
    assert "leaves" in items.stamp(1)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["a", "a"], "path": ["a.png"] * 2}, "id 'a' stands in row 0 and again in row 1"),
        ({"id": ["a", None], "path": ["a.png"] * 2}, "row 1 has no id"),
        ({"name": ["a"], "path": ["a.png"]}, "no column 'id' or 'ids'"),
        ({"id": ["a"], "where": ["a.png"]}, "no column 'path' or .*it has: id, where: name one"),
        ({"id": ["a"], "path": [3]}, "the column 'path' holds int64"),
    ],
)
def test_a_table_that_does_not_say_what_and_where_is_refused(folder: Path, columns, message: str):
    with pytest.raises(DataError, match=message):
        open_items(write_table(folder / "t.parquet", columns), "image")


def test_a_missing_text_or_path_is_a_bad_item_not_a_bad_table(folder: Path):
    table = write_table(
        folder / "t.parquet",
        {"id": ["a", "b", "c"], "path": [None, "gone.png", "a.png"], "text": [None, " ", "rain"]},
    )
    images, texts = open_items(table, "image"), open_items(table, "text")
    for row, why in ((0, "id 'a' has no path"), (1, r"gone\.png cannot be read")):
        with pytest.raises(DataError, match=why):
            images.read(row)
        with pytest.raises(DataError, match="the text is empty"):
            texts.read(row)
    assert (images.read(2)[0, 0, 0], texts.read(2)) == (50, "rain")


@pytest.mark.parametrize("content", ["[1, 2]", "{", "7", '{"id": "a"} {"id": "b"}'])
def test_lines_that_are_no_objects_are_refused_by_number(tmp_path: Path, content: str):
    (tmp_path / "t.jsonl").write_text('{"id": "x", "text": "rain"}\n' + content)
    with pytest.raises(DataError, match=r"line 2 of .* is no JSON"):
        open_items(tmp_path / "t.jsonl", "text")


def test_json_lines_keep_ids_as_they_are_written(tmp_path: Path):
    lines = [{"id": "2020-01-01", "text": "a", "more": {"k": 1}}, {"id": "8", "text": "b"}]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    items = open_items(tmp_path / "t.jsonl", "text")
    assert items.ids.to_pylist() == ["2020-01-01", "8"]
    assert items.table["more"].to_pylist() == ['{"k": 1}', None]


def test_samples_of_a_tar_are_read_where_they_stand(tmp_path: Path):
    path = made_tar(
        tmp_path / "t.tar",
        [
            ("z/1.png", png(10)),
            ("z/1.json", b"{}"),
            ("z/1.txt", b"rain"),
            ("a.seg.png", png(20)),
            ("a.txt", b"dog"),
        ],
    )
    images, texts = open_items(path, "image"), open_items(path, "text")
    assert (shades(images), images.ignored) == ({"z/1": 10, "a": 20}, 3)
    assert images.ids.to_pylist() == texts.ids.to_pylist() == ["z/1", "a"]
    assert [texts.read(row) for row in range(2)] == ["rain", "dog"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.tar"]


def test_a_sample_with_two_pictures_asks_which(tmp_path: Path):
    path = made_tar(tmp_path / "t.tar", [("a.png", png(1)), ("a.mask.png", png(2))])
    with pytest.raises(DataError, match=r"sample 'a' has 'png' and 'mask\.png'"):
        open_items(path, "image")
    assert shades(open_items(path, "image", column="mask.png")) == {"a": 2}
    with pytest.raises(DataError, match="'png' and 'png'"):
        open_items(made_tar(tmp_path / "u.tar", [("a.png", png(1)), ("a.png", png(2))]), "image")


def test_links_and_paths_in_a_tar_lead_nowhere(tmp_path: Path):
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        info = tarfile.TarInfo("../../up.png")
        info.size = len(png(3))
        archive.addfile(info, io.BytesIO(png(3)))
    assert shades(open_items(tmp_path / "t.tar", "image")) == {"../../up": 3}


def test_a_tar_that_is_cut_off_or_compressed_is_refused(tmp_path: Path):
    whole = made_tar(tmp_path / "t.tar", [("a.png", png(1)), ("b.png", bytes(5000))]).read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:3000])
    with pytest.raises(DataError, match=r"cut\.tar (ends within 'b.png'|cannot be read as a tar)"):
        open_items(tmp_path / "cut.tar", "image")
    with tarfile.open(tmp_path / "z.tar", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("a.png"))
    with pytest.raises(DataError, match="a tar that is not compressed"):
        open_items(tmp_path / "z.tar", "image")


def test_a_stamp_changes_with_the_file_and_only_then(folder: Path):
    items = open_items(folder, "image")
    before = [items.stamp(row) for row in range(len(items))]
    assert before == [items.stamp(row) for row in range(len(items))]
    (folder / "a.png").write_bytes(png(50) + b"more")
    after = [items.stamp(row) for row in range(len(items))]
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True, True]
    (folder / "a.png").unlink()
    assert items.stamp(0).endswith("missing")


def test_films_are_items_of_pictures_only_where_it_is_said_how_they_are_seen(
    folder: Path, make_film: Callable[..., Path]
):
    make_film(folder / "b" / "f.mkv", [0, 40, 80, 120])
    (folder / "x.MP4").write_bytes(b"none")
    unseen = open_items(folder, "image")
    assert (len(unseen), unseen.ignored, unseen.films) == (3, 4, 2)
    seen = open_items(folder, "image", frames=Frames(5.0, "keep"))
    assert seen.ids.to_pylist() == ["a.png", "b/c/z.PNG", "b/f.mkv", "b/y.png", "x.MP4"]
    assert (seen.ignored, seen.films) == (2, 0)
    assert [seen.is_film(row) for row in range(5)] == [False, False, True, False, True]
    assert [int(picture[0, 0, 0]) for picture in seen.pictures(2)] == [0, 80]
    assert [picture.shape for picture in seen.pictures(0)] == [(2, 2, 3)]
    with pytest.raises(DataError, match=r"x\.MP4 is no film"):
        list(seen.pictures(4))
    assert open_items(folder, "text").films == 0
    with pytest.raises(ParameterError, match="frames are pictures, and audio was asked for"):
        open_items(folder, "audio", frames=Frames(1.0))
    (folder / "only").mkdir()
    (folder / "x.MP4").rename(folder / "only" / "x.mp4")
    with pytest.raises(DataError, match="1 other file was ignored, 1 of them films: see frames"):
        open_items(folder / "only", "image")


def test_films_of_a_table_and_of_a_tar_are_seen(folder: Path, tmp_path: Path, make_film: Callable[..., Path]):
    film = make_film(folder / "f.mkv", [0, 40, 80, 120])
    table = write_table(folder / "t.csv", {"id": ["x", "y"], "path": ["f.mkv", "a.png"]})
    seen = open_items(table, "image", frames=Frames(5.0))
    assert [len(list(seen.pictures(row))) for row in range(2)] == [2, 1]
    with pytest.raises(DataError, match=r"f\.mkv is a film: say how many .*--frames RATE"):
        open_items(table, "image").read(0)
    tar = made_tar(tmp_path / "t.tar", [("p.png", png(10)), ("f.mkv", film.read_bytes())])
    assert (open_items(tar, "image").ignored, open_items(tar, "image").films) == (1, 1)
    inside = open_items(tar, "image", frames=Frames(5.0, "last"))
    assert [[int(each[0, 0, 0]) for each in inside.pictures(row)] for row in range(2)] == [[10], [80]]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone", "does not exist"),
        ("t.zip", "is no list of items"),
        ("empty", r"holds no item of image \(\.jpg"),
        ("none.txt", r"none\.txt has no rows: write one for each item"),
        ("none.csv", r"none\.csv has no rows"),
    ],
)
def test_what_lists_nothing_is_refused(tmp_path: Path, name: str, message: str):
    (tmp_path / "empty").mkdir()
    (tmp_path / "t.zip").write_bytes(b"PK")
    (tmp_path / "none.txt").write_text("")
    (tmp_path / "none.csv").write_text("id,path\n")
    with pytest.raises(DataError, match=message):
        open_items(tmp_path / name, "image")
