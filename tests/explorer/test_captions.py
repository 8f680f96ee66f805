import html

import pytest

from alignkit.explorer.captions import for_markdown, for_plotly, for_sheet, plain

NASTY = "<img src=x onerror=alert(1)> **b** [l](http://x) :red[y] $x$ `c` <a href='j'>"


def test_plotly_and_markdown_get_no_tag_and_no_mark():
    assert "<" not in for_plotly(NASTY)
    assert html.unescape(for_plotly(NASTY)) == NASTY
    marks = for_markdown(NASTY)
    for mark in "<>*[]():$`":
        assert marks.count(mark) == marks.count(f"\\{mark}"), mark
    assert marks.replace("\\", "") == NASTY


@pytest.mark.parametrize(
    ("cell", "shown"), [("a\x00b\u202ec", "abc"), ("a\n\tb", "a b"), (3, "3"), (None, "")]
)
def test_a_caption_is_one_printable_line(cell, shown):
    assert plain(cell) == shown


@pytest.mark.parametrize("formula", ["=1+1", "+x", "-x", "@x", "\tx"])
def test_no_cell_of_a_sheet_is_a_formula(formula):
    assert for_sheet(formula) == f"'{formula}"
    assert for_sheet(-1.5) == -1.5
