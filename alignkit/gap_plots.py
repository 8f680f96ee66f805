"""The figure of a gap: both clouds along the line through their means, and measures by sample size."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alignkit.gaps._clouds import unit_rows
from alignkit.plots import FAINT, INK, PALETTE, draw_gap
from alignkit.projections._base import Projection
from alignkit.projections.gap_axis import GapAxis
from alignkit.projections.pca import Pca
from alignkit.reports import Report, Score
from alignkit.spaces import Embeddings

SHOWN = ("centroid_distance", "frechet_distance", "squared_centroid_distance", "relative_modality_gap")
MARKS = ("o", "s", "^", "D")
ONE = 1e-6  # a distance at which two means are one
MOST = 2_000  # points drawn a side
ROOM = 1.15  # a number at an axis takes as much of it, and a tenth of all
TITLES = {"before": "as they are", "after": "after the map"}


def gap_figure(
    report: Report, sources: Mapping[str, Embeddings], target: Embeddings, *, seed: int = 0
) -> Figure:
    """Return the gap view of the target with each of ``sources``, and the curves that the report holds.

    In a gap view, across is the exact projection of unit rows on the difference of the two means; at most
    2,000 seeded rows a side are drawn. In the curves, filled marks are values at smaller samples (bars: the
    range over draws) and at last of all items, hollow ones the same where there is no gap. Of more than four
    measures those are drawn that say how large a gap is.
    """
    views = {name: side for name, side in sources.items() if side.dim == target.dim}
    curve = report.context.get("curve", {}).get("measures", {})
    shown = _drawn(list(curve))
    panels = len(views) + bool(shown)
    figure = Figure(figsize=(4.6 * panels + 0.4, 4.3), layout="constrained")
    row = list(np.ravel(figure.subplots(1, panels)))
    for axes, (name, side) in zip(row, views.items(), strict=False):
        sides = [one.array()[_chosen(len(one), seed)] for one in (side, target)]
        draw_gap(axes, sides, (side.name or "source", target.name or "target"), _projection(sides))
        axes.set_title(TITLES.get(name, name) if len(views) > 1 else "", loc="left", color=INK, fontsize=10)
    if shown:
        whole = report.sections["measures"]
        draw_curves(row[-1], {name: _with_all(curve[name], whole[name]) for name in shown})
    return figure


def draw_curves(axes: Axes, curves: Mapping[str, Mapping[str, list[Any]]]) -> None:
    """Draw measures against the number of items that they were taken on, each beside its null level."""
    for place, (name, curve) in enumerate(curves.items()):
        items, value = np.array(curve["items"]), np.array(curve["value"])
        bars = [value - curve["least"], np.array(curve["most"]) - value]
        look = {"color": PALETTE[place % len(PALETTE)], "marker": MARKS[place % len(MARKS)], "ms": 5}
        axes.errorbar(items, value, bars, lw=1.2, elinewidth=0.8, label=name.replace("_", " "), **look)
        axes.plot(items, curve["null"], ls=":", lw=1, mfc="none", **look)
    axes.axhline(0, color=FAINT, lw=0.6)
    sizes = sorted({size for curve in curves.values() for size in curve["items"]})
    axes.set_xscale("log", base=2)
    axes.set_xticks(_apart(sizes), minor=False)
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("items in the sample")
    axes.set_ylabel("value (dotted, hollow: where there is no gap)")
    axes.legend(frameon=False, labelcolor=INK, fontsize=8.5)


def _drawn(measured: list[str]) -> list[str]:
    """Return which curves are drawn: all of a few, else those of distances and in their absence the first."""
    if len(measured) <= len(MARKS):
        return measured
    return [name for name in SHOWN if name in measured] or measured[: len(MARKS)]


def _with_all(curve: Mapping[str, list[Any]], score: Score) -> dict[str, list[Any]]:
    """Return a curve with the value of all items as its last point."""
    last = {"items": score.n, "value": score.value, "least": score.value, "most": score.value}
    null = curve["null"][-1] if score.chance is None else score.chance
    return {key: [*values, {**last, "null": null}[key]] for key, values in curve.items()}


def _apart(sizes: Sequence[int]) -> list[int]:
    """Return the sizes whose numbers have room beside one another on a logarithmic axis; the last stays."""
    kept = [sizes[-1]]
    for size in reversed(sizes[:-1]):
        if kept[-1] / size > ROOM * (sizes[-1] / sizes[0]) ** 0.1:
            kept.append(size)
    return kept[::-1]


def _projection(sides: Sequence[np.ndarray]) -> Projection:
    """Return the line through both means, or the principal axes where a map has made the means one."""
    first, second = (unit_rows(side).mean(axis=0) for side in sides)
    return GapAxis() if np.linalg.norm(first - second) > ONE else Pca()


def _chosen(count: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).permutation(count)[:MOST])
