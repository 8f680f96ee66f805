"""The few pieces of HTML that the page is made of; every word that is not ours is escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from matplotlib.figure import Figure

from alignkit import plots
from alignkit.reports import Score

PAGE_COLOURS = {
    plots.INK: "currentColor",
    plots.FAINT: "var(--faint)",
    **dict(zip(plots.PALETTE, ("var(--a)", "var(--b)", "var(--c)", "var(--d)"), strict=False)),
}


def number(value: float | None) -> str:
    """Return three decimals, one beyond a hundred, a dash where there is no number."""
    if value is None:
        return "–"
    digits = f"{value:.1f}" if abs(value) >= 100 else f"{value:.3f}"
    return (digits.removeprefix("-") if float(digits) == 0 else digits).replace("-", "−")


def interval(score: Score) -> str:
    """Return the two ends of a score's interval."""
    return f"{number(score.low)} to {number(score.high)}"


def cell(score: Score, *, remark: str = "") -> str:
    """Return a table cell: the value, under it the interval, under that a remark."""
    note = f"<small>{escape(remark)}</small>" if remark else ""
    return f"<td><b>{number(score.value)}</b><small>{interval(score)}</small>{note}</td>"


def table(caption: str, head: Sequence[str], rows: Iterable[tuple[str, Sequence[str], str]]) -> str:
    """Return a table; a row is its heading (HTML), its cells (HTML, whole ``td``), and its class."""
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr{f" class={kind!r}" if kind else ""}><th scope="row">{heading}</th>{"".join(cells)}</tr>'
        for heading, cells, kind in rows
    )
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def figure(drawn: Figure, caption: str, *, alt: str) -> str:
    """Return a figure drawn in the page's own colours, with what it shows in words."""
    svg = plots.to_svg(drawn, replace=PAGE_COLOURS)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)
    return f'<figure><div class="scroll">{svg}</div><figcaption>{escape(caption)}</figcaption></figure>'


def facts(entries: Mapping[str, tuple[str, str]]) -> str:
    """Return large numbers side by side: name, then value and remark."""
    items = (
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(remark)}</small></dd></div>"
        for name, (value, remark) in entries.items()
    )
    return f'<dl class="facts">{"".join(items)}</dl>'


def picture(address: str, alt: str) -> str:
    """Return an image whose data lies in its address."""
    return f'<img src="{address}" alt="{escape(alt)}">'
