"""The figure of a sweep: how far each fix closes the gap, against what it does to retrieval."""

from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alignkit.closing import FIXES
from alignkit.closing._sweep import AS_IS, Point, Sweep
from alignkit.plots import FAINT, INK, PALETTE

End: TypeAlias = tuple[float, float, str, str]  # across, upwards, what stands there, its colour
DROP, WIDE, HIGH = -3.0, 24.0, 7.0  # points: a word beside its mark, and the room that it takes
MARKS = ("o", "s", "^", "v", "D", "P", "X", "*")
COLOURS = (*PALETTE, "#6A3D9A", "#8C564B")
TITLES = {
    "forward": "source looks for target",
    "backward": "target looks for source",
    "zero_shot": "zero-shot",
}
LABELS = {"mrr": "MRR", "top1_accuracy": "accuracy", "centroid_distance": "distance of the two means"}


def gap_sweep(sweep: Sweep, *, measure: str = "", metric: str = "mrr", title: str = "") -> Figure:
    """Return one panel a direction, and one for zero-shot accuracy where there is any.

    Across is the gap that is left by ``measure`` (the first of the sweep where none is named), upwards the
    metric, both on held-out rows. Every fix is a line from the rows as they are (the ring) through its
    strengths, with a mark and a colour of its own; the far ends carry the strength, bars both ways are 95 %
    intervals. The dotted line upright is the measure's null level for the rows as they are.
    """
    measure = measure or next(iter(sweep.as_is.gap))
    sections = sweep.metrics(metric)
    figure = Figure(figsize=(1.2 + 4.1 * len(sections), 4.4), layout="constrained")
    for axes, (section, shown) in zip(
        np.ravel(figure.subplots(1, len(sections))), sections.items(), strict=True
    ):
        draw_panel(axes, sweep, (measure, section, shown))
        axes.set_title(TITLES.get(section, section), loc="left", color=INK, fontsize=10)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=5, frameon=False, labelcolor=INK, fontsize=8.5
    )
    if title:
        figure.suptitle(title, x=0.01, ha="left", color=INK, fontsize=11)
    return figure


def draw_panel(axes: Axes, sweep: Sweep, shown: tuple[str, str, str]) -> None:
    """Draw one metric of one section against one measure: ``shown`` is (measure, section, metric)."""
    measure, section, metric = shown
    start = sweep.as_is
    axes.axhline(start.effects[section][metric].score.value, color=FAINT, lw=0.8, ls=":")
    null = start.gap[measure].score.chance
    if null is not None:
        axes.axvline(null, color=FAINT, lw=0.8, ls=":")
    names = sorted({*FIXES.names(), *sweep.fixes})
    ends = []
    for fix in sweep.fixes:
        place = names.index(fix)
        look = MARKS[place % len(MARKS)], COLOURS[place % len(COLOURS)]
        ends += _draw_fix(axes, _line(sweep, fix), shown, look)
    value = start.effects[section][metric].score.value
    axes.plot(
        start.gap[measure].value, value, "o", mfc="none", mec=INK, mew=1.6, ms=10, ls="", label="as they are"
    )
    axes.set_xlabel(f"gap left: {LABELS.get(measure, measure)}")
    axes.set_ylabel(f"{LABELS.get(metric, metric)} (held out, 95 % interval)")
    axes.set_xlim(left=0 if axes.get_xlim()[0] < 0.25 else None)
    _name_ends(axes, ends)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=9)
    axes.patch.set_alpha(0)


def _line(sweep: Sweep, fix: str) -> list[Point]:
    """Return the points of a fix by strength, with the rows as they are where its strength would be 0."""
    points = sweep.of(fix)
    if any(point.strength == 0 for point in points):
        return points
    return sorted([*points, sweep.as_is], key=lambda point: point.strength)


def _draw_fix(
    axes: Axes, points: list[Point], shown: tuple[str, str, str], look: tuple[str, str]
) -> list[End]:
    """Draw the line of a fix; return its ends, which are to carry their strengths."""
    measure, section, metric = shown
    mark, colour = look
    across = [point.gap[measure].value for point in points]
    scores = [point.effects[section][metric].score for point in points]
    axes.plot(across, [score.value for score in scores], color=colour, lw=1.1, alpha=0.8)
    own = [place for place, point in enumerate(points) if point.fix != AS_IS]
    for place in own:
        score, gap = scores[place], points[place].gap[measure].score
        bar = {"color": colour, "lw": 2.2, "alpha": 0.3}
        if score.low is not None and score.high is not None:
            axes.plot([across[place]] * 2, [score.low, score.high], **bar)
        if gap.low is not None and gap.high is not None:
            axes.plot([gap.low, gap.high], [score.value] * 2, **bar)
    values = [scores[place].value for place in own]
    label = points[own[0]].fix.replace("_", " ")
    axes.plot([across[place] for place in own], values, mark, color=colour, ms=5, ls="", label=label)
    ends = {own[-1], *(place for place in own[:1] if points[place].strength <= 0)}
    # the other end lies at the rows as they are
    return [(across[at], scores[at].value, f"λ {points[at].strength:g}", colour) for at in sorted(ends)]


def _name_ends(axes: Axes, ends: list[End]) -> None:
    """Write the strengths beside the ends of the lines, one above the other where they would overlap."""
    placed: list[tuple[float, float]] = []
    for across, value, name, colour in sorted(ends, key=lambda end: end[1]):
        x, y = axes.transData.transform((across, value)) * 72 / axes.figure.dpi
        up = DROP
        while any(abs(x - other) < WIDE and abs(y + up - level) < HIGH for other, level in placed):
            up += 1.0
        placed.append((x, y + up))
        axes.annotate(
            name,
            (across, value),
            textcoords="offset points",
            xytext=(5, up),
            color=colour,
            fontsize=6.5,
        )
