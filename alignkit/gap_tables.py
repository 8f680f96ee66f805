"""A report of the gap as text: every measure beside its null band, and what it says of fewer rows."""

from collections.abc import Mapping
from typing import Any

from alignkit.reports import Report, Score
from alignkit.tables import aligned, heading, interval, number, warnings

FLUSH_RIGHT = (1, 2, 5)  # value, interval, null band: numbers
AT = 4  # the curve is shown at about this share of the items: large enough to hold, small enough to move


def text(report: Report) -> str:
    """Return one aligned line a measure, under one heading a section.

    Behind ``null`` stand the level and the band of the same computation where there is no gap, and whether
    the value lies above or below that band. Behind ``at n`` stands its mean over samples of n items: a
    value that moves with n is not a property of the space.

    Examples
    --------
    >>> score = Score(0.9587, 0.9451, 0.9719, 400, chance=0.0707, chance_low=0.05, chance_high=0.09)
    >>> print(text(Report("gap", {"measures": {"centroid_distance": score}})))
    gap between the source and the target
      centroid_distance  0.9587  [0.9451, 0.9719]  n=400  null 0.0707  [0.0500, 0.0900]  above
    """
    blocks = []
    for section, scores in report.sections.items():
        curve = report.context.get("curve", {}).get(section, {})
        rows = [[name, *_cells(score), _smaller(curve.get(name))] for name, score in scores.items()]
        blocks.append("\n".join([heading(report, section), *aligned(rows, FLUSH_RIGHT)]))
    remarks = [f"warning: {sentence}" for sentence in warnings(report)]
    return "\n\n".join([*blocks, "\n".join(remarks)] if remarks else blocks)


def place(score: Score) -> str:
    """Return whether a value lies above, below or within its null band; nothing where there is none.

    Examples
    --------
    >>> place(Score(0.5, chance_low=0.1, chance_high=0.2))
    'above'
    """
    if score.chance_low is None or score.chance_high is None:
        return ""
    if score.value > score.chance_high:
        return "above"
    return "below" if score.value < score.chance_low else "within"


def _cells(score: Score) -> list[str]:
    band = interval(Score(0.0, score.chance_low, score.chance_high))
    null = "" if score.chance is None else f"null {number(score.chance)}"
    return [number(score.value), interval(score), f"n={score.n}", null, band, place(score)]


def _smaller(curve: Mapping[str, list[Any]] | None) -> str:
    if not curve:
        return ""
    at = max(0, len(curve["items"]) - (AT // 2))  # sizes double up to half of the items
    return f"at {curve['items'][at]}: {number(curve['value'][at])}"
