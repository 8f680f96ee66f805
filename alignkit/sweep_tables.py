"""Sweeps over gap-closing fixes as text and as CSV: what is left of the gap beside what retrieval does."""

import csv as comma_separated
import io
from itertools import chain
from typing import Any

from alignkit._words import counted
from alignkit.closing._sweep import AS_IS, Effect, Point, Remaining, Sweep
from alignkit.tables import aligned, number

REAL = 0.05
SHORT = "hit@1"
LONGEST_NAME = 60  # letters of a path in a heading
SECTIONS = {
    "forward": "forward: each row of {source} looks for its partners in {target}",
    "backward": "backward: each row of {target} looks for its partners in {source}",
    "zero_shot": "zero-shot: rows of the source's kind, classified by texts",
}
NOTE = (
    "change: against the rows as they are, on the same queries; * where p < 0.05 after Holm's correction for "
    "all {tests} tests"
)
NULL = "null: the level without a gap, or where a measure compares partners, with partners drawn at random"
COLUMNS = (
    *("fix", "strength", "section", "metric", "value", "low", "high", "n", "chance", "lowest", "highest"),
    *("change", "change_low", "change_high", "p", "p_corrected"),
)


def text(sweep: Sweep) -> str:
    """Return the answer in short; the gaps that are left; then one block a section, a line for each strength.

    Every score stands with its interval; the change that a fix brings, with its own, behind it; what is
    left of the gap with its null level.
    """
    context = sweep.context
    names = {side: _short(context[side]["name"]) for side in ("source", "target")}
    facts = context["protocol"]
    first, splits = facts["splits"][0], len(facts["splits"])
    lines = [
        "does closing the gap help? {source} against {target}".format(**names),
        f"fitted on {first['train']} pairs, looked at on {first['held_out']} others, "
        f"{counted(splits, 'split')}",
        "",
        *_in_short(sweep),
        "",
        "gap that is left" + (" (mean of the splits)" if splits > 1 else ""),
    ]
    gaps = list(sweep.as_is.gap)
    head = [cell for gap in gaps for cell in (gap, "", "null")]
    rows = [[_name(p), *(c for g in gaps for c in _gap_cells(p.gap[g]))] for p in sweep.points]
    lines += [*_table(head, rows), f"  {NULL}"]
    for section, metrics in sweep.as_is.effects.items():
        lines += ["", SECTIONS.get(section, section).format(**names)]
        head = [cell for metric in metrics for cell in (metric, "", "change", "", "")]
        rows = [
            [_name(p), *(c for m in metrics for c in _cells(p.effects[section][m]))] for p in sweep.points
        ]
        lines += _table(head, rows)
        chances = ", ".join(f"{metric} {number(effect.score.chance)}" for metric, effect in metrics.items())
        lines.append(f"  chance: {chances}; n={next(iter(metrics.values())).score.n}")
    lines += ["", NOTE.format(tests=facts["tests"])]
    lines += [f"warning: {name} was left out: {why}" for name, why in facts["left_out"].items()]
    return "\n".join(lines)


def _in_short(sweep: Sweep) -> list[str]:
    """Return a line a fix, where it leaves least of the first measure: what is left, what retrieval paid."""
    measure, shown = next(iter(sweep.as_is.gap)), sweep.metrics(SHORT)
    head = [measure, *(cell for section, name in shown.items() for cell in (f"{name} {section}", "", ""))]
    start = [
        (number(sweep.as_is.effects[section][name].score.value), "", "") for section, name in shown.items()
    ]
    lines = [(sweep.as_is, start)]
    for fix in sweep.fixes:
        point = min(sweep.of(fix), key=lambda each: each.gap[measure].value)
        lines.append((point, [_change(point.effects[section][name]) for section, name in shown.items()]))
    rows = [
        [_name(point), number(point.gap[measure].value), *chain.from_iterable(cells)]
        for point, cells in lines
    ]
    return [
        "in short: each fix where it leaves least of the gap, and the change it brings",
        *_table(head, rows),
    ]


def csv(sweep: Sweep) -> str:
    """Return one line for each fix, strength and metric with every digit; gaps are metrics of section gap."""
    out = io.StringIO()
    writer = comma_separated.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for point in sweep.points:
        start = {"fix": point.fix, "strength": point.strength}
        for name, remaining in point.gap.items():
            writer.writerow({**start, "section": "gap", "metric": name, **_known(remaining.to_json())})
        for section, effects in point.effects.items():
            for metric, effect in effects.items():
                writer.writerow({**start, "section": section, "metric": metric, **_flat(effect)})
    return out.getvalue()


def _flat(effect: Effect) -> dict[str, Any]:
    fields = {key: value for key, value in _known(effect.to_json()).items() if key != "change"}
    change = effect.change
    if change is not None:
        fields |= {"change": change.value, "change_low": change.low, "change_high": change.high}
        fields |= {"p": change.p, "p_corrected": effect.p_corrected}
    return fields


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: "" if value is None else value for key, value in fields.items() if key in COLUMNS}


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"...{name[3 - LONGEST_NAME :]}"  # its end tells most


def _name(point: Point) -> str:
    return "as they are" if point.fix == AS_IS else f"{point.fix} {point.strength:g}"


def _gap_cells(remaining: Remaining) -> list[str]:
    score = remaining.score
    return [number(score.value), _ends(score.low, score.high), number(score.chance)]


def _cells(effect: Effect) -> list[str]:
    score = effect.score
    return [number(score.value), _ends(score.low, score.high), *_change(effect)]


def _change(effect: Effect) -> tuple[str, str, str]:
    change = effect.change
    if change is None:
        return "", "", ""
    real = effect.p_corrected is not None and effect.p_corrected < REAL
    return f"{change.value:+.4f}", _ends(change.low, change.high, signed=True), "*" if real else ""


def _ends(low: float | None, high: float | None, *, signed: bool = False) -> str:
    if low is None or high is None:
        return ""
    return f"[{low:+.4f}, {high:+.4f}]" if signed else f"[{number(low)}, {number(high)}]"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return a head and rows as lines, names flush left and everything else flush right."""
    return aligned([["", *head], *rows], range(1, len(head) + 1))
