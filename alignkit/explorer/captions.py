"""Captions are text: what is written by somebody else is escaped for wherever it is shown."""

import html
from typing import Any

LONGEST = 160  # letters of a caption beside a point
_MARKS = "\\`*_{}[]()<>#+-.!|~$:^="
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def plain(value: Any, longest: int = LONGEST) -> str:  # Any: a cell of a user's table
    """Return a cell as one printable line of at most ``longest`` letters; nothing for null.

    Examples
    --------
    >>> plain("a\\nb"), plain(None), plain("x" * 9, 5)
    ('a b', '', 'xxxx…')
    """
    if value is None:
        return ""
    text = " ".join(str(value).split())
    text = "".join(letter for letter in text if letter.isprintable())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def for_markdown(value: Any) -> str:  # Any: a cell of a user's table
    """Return a cell that Markdown, and the emoji and colours of Streamlit's, show letter by letter.

    Examples
    --------
    >>> for_markdown("**a** [b](c) <i>")
    '\\\\*\\\\*a\\\\*\\\\* \\\\[b\\\\]\\\\(c\\\\) \\\\<i\\\\>'
    """
    return "".join(f"\\{letter}" if letter in _MARKS else letter for letter in plain(value))


def for_plotly(value: Any) -> str:  # Any: a cell of a user's table
    """Return a cell that Plotly's labels, which know a few tags and links, show letter by letter.

    Examples
    --------
    >>> for_plotly("<a href='x'>b</a>")
    '&lt;a href=&#x27;x&#x27;&gt;b&lt;/a&gt;'
    """
    return html.escape(plain(value))


def for_sheet(value: Any) -> Any:  # Any: a cell of a user's table
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers.

    Examples
    --------
    >>> for_sheet("=1+1"), for_sheet(-3), for_sheet("dog")
    ("'=1+1", -3, 'dog')
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value
