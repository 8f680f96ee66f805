"""Word vectors as text: tokens with spaces, lines that are wrong, digits that suffice."""

import gzip

import numpy as np
import pytest

from alignkit.errors import DataError
from alignkit.formats import open_embeddings, read_header, write_embeddings
from alignkit.spaces import Embeddings


def test_tokens_may_hold_spaces(tmp_path):
    (tmp_path / "a.vec").write_text("3 2\nnew york 1 2\n. . . 0.5 -0.25\né 1e-3 3 \n")
    embeddings = open_embeddings(tmp_path / "a.vec")
    assert embeddings.ids.to_pylist() == ["new york", ". . .", "é"]
    np.testing.assert_array_equal(embeddings.array(), np.float32([[1, 2], [0.5, -0.25], [1e-3, 3]]))


def test_a_file_without_a_first_line_is_read_and_its_rows_counted(tmp_path):
    (tmp_path / "glove.txt").write_text("the 1 2 3\nof 4 5 6\n")
    embeddings = open_embeddings(tmp_path / "glove.txt")
    assert embeddings.array().tolist() == [[1, 2, 3], [4, 5, 6]]
    header = read_header(tmp_path / "glove.txt")
    assert (header.rows, header.dim) == (None, 3)
    assert "only --scan counts the rows" in header.note


def test_the_first_line_is_the_header_and_nothing_else_is_read(tmp_path):
    (tmp_path / "a.vec").write_text("2000000 300\nbroken line\n")
    header = read_header(tmp_path / "a.vec")
    assert (header.rows, header.dim, header.ids) == (2_000_000, 300, "token")
    with pytest.raises(DataError, match="line 2 has 1 numbers after its token, expected 300"):
        open_embeddings(tmp_path / "a.vec").array()


@pytest.mark.parametrize("name", ["a.vec", "a.vec.gz"])
def test_every_float32_comes_back_as_it_was(tmp_path, name):
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, size=(400, 8), dtype=np.uint32).view(np.float32)
    odd = np.where(np.isfinite(bits), bits, np.float32(1e-45))
    words = Embeddings(odd, ids=[f"w {row}" for row in range(400)])
    assert write_embeddings(words, tmp_path / name) == ()
    found = open_embeddings(tmp_path / name)
    np.testing.assert_array_equal(found.array(), odd)
    assert found.ids.to_pylist() == words.ids.to_pylist()


def test_doubles_are_written_with_all_their_digits(tmp_path):
    third = Embeddings(np.full((1, 1), 1 / 3), ids=["third"])
    write_embeddings(third, tmp_path / "a.vec")
    assert float((tmp_path / "a.vec").read_text().split()[-1]) == 1 / 3


def test_a_gzipped_file_is_gzipped_and_the_same_every_time(tmp_path, planted):
    for name in ("a.vec.gz", "b.vec.gz"):
        assert write_embeddings(planted, tmp_path / name) == (
            "word2vec text holds tokens and numbers: caption, fold left out",
        )
    assert (tmp_path / "a.vec.gz").read_bytes() == (tmp_path / "b.vec.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.vec.gz").read_bytes()).startswith(b"53 7\nnew york")


def test_without_ids_the_token_is_the_row_number(tmp_path):
    write_embeddings(Embeddings(np.eye(2)), tmp_path / "a.vec")
    assert open_embeddings(tmp_path / "a.vec").ids.to_pylist() == ["0", "1"]


@pytest.mark.parametrize("token", ["", " lead", "two\nlines", "tail\t"])
def test_an_id_that_would_break_its_line_is_refused_by_row(tmp_path, token):
    words = Embeddings(np.eye(2), ids=["fine", token], name="words")
    with pytest.raises(
        DataError, match=r"words: row 1 \(id .*\) has an id that no line of text can start with"
    ):
        write_embeddings(words, tmp_path / "a.vec")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"2 3\na 1 2 3\nb 1 2\n", "line 3 has 2 numbers after its token, expected 3"),
        (b"2 3\na 1 2 3\nb 1 two 3\n", "line 3 holds a field that is no number"),
        (b"3 3\na 1 2 3\nb 1 2 3\n", "promises 3 rows but 2 follow"),
        (b"1 3\na 1 2 3\nb 1 2 3\n", "promises 1 rows but 2 follow"),
        (b"2 3\na 1 2 3\n\xff\xfe 1 2 3\n", "line 3 starts with bytes that are no UTF-8 text"),
        (b"a 1 2\n\nb 3 4\n", "line 2 has 0 numbers"),
        (b"\n\n", "line 1 is empty"),
        (b"word\n", "line 1 gives vectors of 0 numbers"),
        (b"2 0\na\nb\n", "line 1 gives vectors of 0 numbers"),
        (b"0 3\n", r"is empty \(shape \(0, 3\)\)"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, text, sentence):
    (tmp_path / "a.vec").write_bytes(text)
    with pytest.raises(DataError, match=rf"a.vec.* {sentence}"):
        open_embeddings(tmp_path / "a.vec").array()


def test_a_header_that_promises_the_moon_allocates_nothing(tmp_path):
    (tmp_path / "a.vec").write_text("999999999999 300\na 1\n")
    with pytest.raises(DataError, match="line 2 has 1 numbers"):
        open_embeddings(tmp_path / "a.vec").array()


def test_a_cut_gzip_is_refused(tmp_path, planted):
    write_embeddings(planted, tmp_path / "a.vec.gz")
    file = tmp_path / "a.vec.gz"
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"a.vec.gz cannot be read as word2vec text"):
        open_embeddings(file).array()


def test_a_repeated_token_is_refused_where_the_ids_are_used(tmp_path):
    (tmp_path / "a.vec").write_text("2 1\nsame 1\nsame 2\n")
    with pytest.raises(DataError, match="id 'same' stands in row 0 and again in row 1"):
        open_embeddings(tmp_path / "a.vec").id_at(0)


def test_more_lines_than_are_parsed_at_a_time_stay_in_order(tmp_path):
    count = 9001
    (tmp_path / "a.vec").write_text(f"{count} 1\n" + "".join(f"w{row} {row}\n" for row in range(count)))
    embeddings = open_embeddings(tmp_path / "a.vec")
    np.testing.assert_array_equal(embeddings.array()[:, 0], np.arange(count))
    assert embeddings.id_at(count - 1) == f"w{count - 1}"


def test_a_selector_and_an_id_column_make_no_sense(tmp_path):
    (tmp_path / "a.vec").write_text("a 1\n")
    with pytest.raises(DataError, match="leave out ::NAME and --ids"):
        open_embeddings(f"{tmp_path}/a.vec::x")
