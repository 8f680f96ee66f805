import pytest

from alignkit.errors import DataError
from alignkit.explorer.selections import FOLDER, keep_selection, load_selection


def test_equal_selections_share_a_word_and_come_back(tmp_path):
    keys = [("a.space", "x"), ("b.space", "ü")]
    word = keep_selection(tmp_path, keys)
    assert keep_selection(tmp_path, keys[::-1]) == word
    assert load_selection(tmp_path, word) == keys
    assert keep_selection(tmp_path, keys[:1]) != word


@pytest.mark.parametrize("word", ["", "../../etc", "zz", "0" * 12, "0" * 13])
def test_a_word_that_names_nothing_is_refused(tmp_path, word):
    with pytest.raises(DataError, match="selection"):
        load_selection(tmp_path, word)


def test_a_damaged_file_is_refused(tmp_path):
    word = keep_selection(tmp_path, [("a", "b")])
    (tmp_path / FOLDER / f"{word}.json").write_text("[1]")
    with pytest.raises(DataError, match="select the points again"):
        load_selection(tmp_path, word)
