"""Reports as text, Markdown and CSV: interval, count, chance and baseline stand beside every score."""

import csv as comma_separated
import io
import math
from collections.abc import Iterator, Sequence

from alignkit.reports import Report, Score
from alignkit.workflows.imitating import Imitation

COLUMNS = ("value", "low", "high", "n", "chance", "unaligned")
_FLUSH_RIGHT = (1, 2)  # value and interval: numbers
_LONGEST_NAME = 60  # letters of a path in a heading
SIDES = {
    "forward": ("forward: each row of {} looks for its partners in {}", ("queries", "gallery")),
    "backward": ("backward: each row of {} looks for its partners in {}", ("gallery", "queries")),
    "plain_forward": ("plain cosine: each row of {} looks for its partners in {}", ("queries", "gallery")),
    "plain_backward": ("plain cosine: each row of {} looks for its partners in {}", ("gallery", "queries")),
    "direct_forward": ("direct map: each row of {} looks for its partners in {}", ("queries", "gallery")),
    "direct_backward": ("direct map: each row of {} looks for its partners in {}", ("gallery", "queries")),
    "errors": (
        "errors of the chain from {} to {} (distances as shares of the spread)",
        ("queries", "gallery"),
    ),
    "measures": ("gap between {} and {}", ("source", "target")),
    "before": ("gap before the map, between {} and {}", ("source", "target")),
    "judges": ("{} judged by {}", ("generated", "reference")),
    "folds": ("held out in turn, scored by the moments of the shards", ()),
    "grid": ("penalties, scored on held-out shards", ()),
    "bootstrap": ("what refits to resampled shards say of the map", ()),
    "choice": ("cross-validation on the training pairs, mean of both directions: {}", ("metric",)),
    "hubness_forward": ("hubs in {}: how unevenly the rows of {} find them", ("gallery", "queries")),
    "hubness_backward": ("hubs in {}: how unevenly the rows of {} find them", ("queries", "gallery")),
    "probe": ("classes, read from {}", ("rows",)),
    "against": ("classes, read from {}", ("against",)),
    "difference": ("{} less {}, on the same rows", ("rows", "against")),
    "event": ("events in {}, onset and offset within tolerance", ("rows",)),
    "segment": ("events in {}, segment by segment", ("rows",)),
    "behind": ("how far the best is ahead of each, on the same queries", ()),
}


def text(report: Report) -> str:
    """Return one aligned line a score, under one heading a section.

    Columns that no score of a section fills are left out; the ends of the interval are those of the
    report (95 % unless it says otherwise). What the report warns of stands below the scores.

    Examples
    --------
    >>> print(text(Report("eval", {"forward": {"mrr": Score(0.4127, 0.3981, 0.427, 1045, 0.0072)}})))
    forward: each row of the queries looks for its partners in the gallery
      mrr  0.4127  [0.3981, 0.4270]  n=1045  chance 0.0072
    """
    blocks = []
    for section, scores in report.sections.items():
        rows = [[name, *_cells(score)] for name, score in scores.items()]
        blocks.append("\n".join([heading(report, section), *aligned(rows, _FLUSH_RIGHT)]))
    remarks = [f"warning: {sentence}" for sentence in warnings(report)]
    return "\n\n".join([*blocks, "\n".join(remarks)] if remarks else blocks)


def markdown(report: Report) -> str:
    """Return one Markdown table a section, numbers flush right, and a list of what the report warns of.

    Examples
    --------
    >>> print(markdown(Report("eval", {"forward": {"mrr": Score(0.5, 0.4, 0.6, 10, 0.1)}})), end="")
    **forward: each row of the queries looks for its partners in the gallery**
    <BLANKLINE>
    | metric | value | interval | n | chance | unaligned |
    | :-- | --: | :-: | --: | --: | --: |
    | mrr | 0.5000 | [0.4000, 0.6000] | 10 | 0.1000 |  |
    """
    blocks = []
    for section, scores in report.sections.items():
        lines = [
            f"**{heading(report, section)}**",
            "",
            "| metric | value | interval | n | chance | unaligned |",
            "| :-- | --: | :-: | --: | --: | --: |",
        ]
        for name, score in scores.items():
            cells = [
                number(score.value),
                interval(score),
                str(score.n),
                number(score.chance),
                number(score.unaligned),
            ]
            lines.append(f"| {name.replace('|', chr(92) + '|')} | {' | '.join(cells)} |")
        blocks.append("\n".join(lines))
    remarks = [f"- Warning: {sentence}" for sentence in warnings(report)]
    return "\n\n".join([*blocks, "\n".join(remarks)] if remarks else blocks) + "\n"


def csv(report: Report) -> str:
    """Return one line a score with every digit; empty where a number is not known. It holds no warnings.

    Examples
    --------
    >>> print(csv(Report("eval", {"forward": {"mrr": Score(0.5, n=10)}})), end="")
    section,metric,value,low,high,n,chance,unaligned
    forward,mrr,0.5,,,10,,
    """
    out = io.StringIO()
    writer = comma_separated.writer(out, lineterminator="\n")
    writer.writerow(["section", "metric", *COLUMNS])
    for section, name, score in _flat(report):
        fields = score.to_json()
        writer.writerow(
            [section, name, *("" if fields[column] is None else fields[column] for column in COLUMNS)]
        )
    return out.getvalue()


def imitation(found: Imitation, *, why: bool) -> str:
    """Return one line for each figure of another tool, alignkit's beside it and, where asked, the causes.

    Examples
    --------
    >>> import numpy as np
    >>> from alignkit.workflows import imitate
    >>> found = imitate(np.array([[0.5, 0.5], [0.1, 0.9]]), None, "ranx", metrics=["mrr"])
    >>> print(imitation(found, why=False))
    what ranx makes of these scores, 2 queries of which 0 have no positive
      mrr  1.0000  alignkit 0.8750  difference +0.1250
    """
    counts = found.counts
    lines = [
        f"what {found.tool} makes of these scores, {counts['queries']} queries of which "
        f"{counts['without_positive']} have no positive"
    ]
    width = max((len(name) for name in found.figures), default=0)
    for name, value in found.figures.items():
        ours = found.ours.get(name)
        beside = "" if ours is None else f"  alignkit {_exactly(ours)}  difference {value - ours:+.4f}"
        lines.append(f"  {name.ljust(width)}  {_exactly(value)}{beside}")
        lines.extend(
            f"      {one.step:+.4f}  {one.cause}, {one.queries} queries: {one.why}"
            for one in found.findings
            if why and one.metric == name
        )
    return "\n".join(lines)


def _exactly(value: float) -> str:
    return number(value) if math.isfinite(value) else "nan"


def warnings(report: Report) -> list[str]:
    """Return the sentences that the protocol of a report warns its readers with.

    Examples
    --------
    >>> warnings(Report("eval", {}, {"protocol": {"warnings": ["forward: 12 groups."]}}))
    ['forward: 12 groups.']
    """
    protocol = report.context.get("protocol")
    return list(protocol.get("warnings", [])) if isinstance(protocol, dict) else []


def heading(report: Report, section: str) -> str:
    """Return the line above a section: what was asked of which side.

    Examples
    --------
    >>> heading(Report("gap", {}), "measures")
    'gap between the source and the target'
    """
    if section.startswith("shots="):
        count = section.removeprefix("shots=")
        return f"classes, read from {_name(report, 'rows')} after {count} of each"
    if section not in SIDES:
        return section
    sentence, sides = SIDES[section]
    if section == "measures" and "before" in report.sections:
        sentence = sentence.replace("gap", "gap after the map,")
    return sentence.format(*(_name(report, side) for side in sides))


def _name(report: Report, side: str) -> str:
    facts = report.context.get(side)
    name = (facts.get("name") if isinstance(facts, dict) else facts) or f"the {side}"
    return name if len(name) <= _LONGEST_NAME else f"...{name[3 - _LONGEST_NAME :]}"  # its end tells most


def number(value: float | None) -> str:
    """Return a number as people read it: four decimals, one beyond a hundred; empty where there is none.

    Examples
    --------
    >>> number(0.41268), number(-0.00001), number(654.62), number(None)
    ('0.4127', '0.0000', '654.6', '')
    """
    if value is None:
        return ""
    digits = f"{value:.1f}" if abs(value) >= 100 else f"{value:.4f}"
    return digits.removeprefix("-") if float(digits) == 0 else digits


def interval(score: Score) -> str:
    """Return the ends of the interval in brackets, or nothing where there is none."""
    return "" if score.low is None or score.high is None else f"[{number(score.low)}, {number(score.high)}]"


def _cells(score: Score) -> list[str]:
    chance, unaligned = number(score.chance), number(score.unaligned)
    return [
        number(score.value),
        interval(score),
        f"n={score.n}",
        chance and f"chance {chance}",
        unaligned and f"unaligned {unaligned}",
    ]


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
    """Return one indented line a row; the columns whose places are in ``right`` stand flush right.

    Columns that no row fills are left out.

    Examples
    --------
    >>> aligned([["mrr", "0.5", ""], ["hit@10", "10.5", ""]], (1,))
    ['  mrr      0.5', '  hit@10  10.5']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            if width
        ]
        lines.append("  " + "  ".join(cells).rstrip())
    return lines


def _flat(report: Report) -> Iterator[tuple[str, str, Score]]:
    for section, scores in report.sections.items():
        for name, score in scores.items():
            yield section, name, score
