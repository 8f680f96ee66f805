"""Figures from reports and embeddings: returned, never shown; colour never carries meaning alone."""

import io
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import matplotlib as mpl
import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from alignkit.gaps._clouds import unit_rows
from alignkit.projections._base import Projection
from alignkit.projections.gap_axis import GapAxis
from alignkit.reports import Report, Score
from alignkit.retrieval.comparison import Comparison
from alignkit.shapes import SourceRows, TargetRows

SOURCE, TARGET = "#0072B2", "#D55E00"  # Okabe and Ito (2008): told apart with any colour vision
INK, FAINT = "#222222", "#8a8a8a"
SHAPES = {SOURCE: "o", TARGET: "^"}
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
NAMES = {"mrr": "MRR", "map": "mAP", "ndcg": "nDCG"}
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))


def gap_view(
    source: SourceRows,
    target: TargetRows,
    *,
    names: tuple[str, str] = ("source", "target"),
    title: str = "",
    projection: Projection | None = None,
) -> Figure:
    """Return both sides as points; across is the exact projection of unit rows on the difference of means.

    The arrow between the two means is as long as the centroid distance. ``projection`` (unfitted) replaces
    the axes. Blue dots are the source, orange triangles the target.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(20, 4))
    >>> gap_view(x + 3, x - 3).axes[0].get_xlabel()
    'along the line through both means (cosine units)'
    """
    figure, (axes,) = _figure(1, (7.2, 4.3))
    draw_gap(axes, (source, target), names, projection)
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    return figure


def draw_gap(
    axes: Axes,
    sides: Sequence[np.ndarray],
    names: tuple[str, str],
    projection: Projection | None = None,
) -> None:
    """Draw both sides as `gap_view` does."""
    rows = unit_rows(sides[0], names[0]), unit_rows(sides[1], names[1])
    projection = (projection or GapAxis()).fit(*rows)
    points = [projection.transform(side) for side in rows]
    _scatter(axes, points, names)
    means = [side.mean(axis=0) for side in points]
    axes.annotate("", means[0], means[1], arrowprops={"arrowstyle": "<->", "color": INK, "lw": 1.4})
    axes.set_xlabel(f"{projection.labels[0]} (cosine units)")
    axes.set_ylabel(f"{projection.labels[1]} (cosine units)")
    axes.set_aspect("equal", adjustable="datalim")
    axes.legend(frameon=False, labelcolor=INK, fontsize=9, markerscale=2)


def pair_lines(
    panels: Mapping[str, tuple[SourceRows, TargetRows]],
    *,
    names: tuple[str, str] = ("source", "target"),
    most: int = 120,
    seed: int = 0,
) -> Figure:
    """Return one panel an entry, row i of both sides joined by a line: short lines mean that partners meet.

    Each panel has its own principal axes of both sides together, fitted on all rows; ``most`` pairs, drawn
    with ``seed`` and the same in every panel, are shown.
    """
    from alignkit.projections.pca import Pca

    n = min(len(source) for source, _ in panels.values())
    shown = np.sort(np.random.default_rng(seed).permutation(n)[:most])
    figure, row = _figure(len(panels), (3.9 * len(panels), 3.9))
    for axes, (title, (source, target)) in zip(row, panels.items(), strict=True):
        sides = unit_rows(source, names[0]), unit_rows(target, names[1])
        projection = Pca().fit(*sides)
        points = [projection.transform(side)[shown] for side in sides]
        axes.add_collection(
            LineCollection(list(np.stack(points, axis=1)), colors=FAINT, linewidths=0.6, alpha=0.7)
        )
        _scatter(axes, points, names)
        first, second = 100 * projection.shares_
        axes.set_xlabel(f"first component ({first:.0f} % of variance)")
        axes.set_ylabel(f"second component ({second:.0f} %)")
        axes.set_title(title, loc="left", color=INK, fontsize=11)
        axes.set_aspect("equal", adjustable="datalim")
    row[0].legend(frameon=False, labelcolor=INK, fontsize=9, markerscale=2)
    return figure


def method_comparison(
    reports: Mapping[str, Report],
    *,
    metric: str = "mrr",
    sections: Mapping[str, str] = MappingProxyType({"forward": "forward", "backward": "backward"}),
) -> Figure:
    """Return one row a method, with the interval as a bar through the value, in up to two directions.

    A dotted line marks the chance level, a cross the same metric without a map, where they are known.
    ``sections`` says which to draw and what the legend calls them; one that a report lacks is left out.
    """
    figure, (axes,) = _figure(1, (7.2, 1.3 + 0.55 * len(reports)))
    for side, (section, label) in enumerate(sections.items()):
        offset = (side - (len(sections) - 1) / 2) * 0.28
        found = {
            place + offset: report.sections[section][metric]
            for place, report in enumerate(reports.values())
            if metric in report.sections.get(section, {})
        }
        _draw_scores(axes, found, (SOURCE, TARGET)[side % 2], label)
    axes.set_yticks(range(len(reports)), list(reports))
    axes.set_ylim(len(reports) - 0.5, -0.5)
    axes.set_xlabel(f"{NAMES.get(metric, metric)} (held out, 95 % interval)")
    _legend(figure, axes, [*sections.values(), "unaligned", "chance"])
    return figure


def forest(comparison: Comparison) -> Figure:
    """Return one panel a metric and one row a method: value and interval, both directions, chance dotted.

    The best value of each direction is ringed. Behind a method's name stands its letter, as in the tables.
    """
    directions = list(comparison.scores)
    metrics = list(comparison.scores[directions[0]])
    names = comparison.names
    figure, row = _figure(len(metrics), (2.2 + 3.2 * len(metrics), 1.3 + 0.55 * len(names)))
    for metric, axes in zip(metrics, row, strict=True):
        for side, direction in enumerate(directions):
            offset = (side - (len(directions) - 1) / 2) * 0.28
            scores = comparison.scores[direction][metric]
            places = {names.index(name) + offset: score for name, score in scores.items()}
            _draw_scores(axes, places, (SOURCE, TARGET)[side % 2], direction)
            for name in comparison.best(direction, metric):
                best = scores[name].value, names.index(name) + offset
                axes.plot(*best, "o", mfc="none", mec=INK, ms=11, ls="", label="best")
        labels = [f"{name} ({comparison.letters[name]})" for name in names]
        axes.set_yticks(range(len(names)), labels if axes is row[0] else [])
        axes.set_ylim(len(names) - 0.5, -0.5)
        level = comparison.context.get("level", 0.95)
        axes.set_xlabel(f"{NAMES.get(metric, metric)} ({100 * level:g} % interval)")
    _legend(figure, row[0], [*directions, "best", "unaligned", "chance"])
    return figure


def _legend(figure: Figure, axes: Axes, labels: Sequence[str]) -> None:
    """Explain above the panels what is drawn, each mark once and in this order."""
    handles = {handle.get_label(): handle for handle in axes.get_legend_handles_labels()[0]}
    order = [label for label in labels if label in handles]
    figure.legend(
        [handles[label] for label in order],
        order,
        loc="outside upper left",
        ncols=len(order) or 1,
        frameon=False,
        labelcolor=INK,
        fontsize=9,
    )


def rank_distribution(tables: Mapping[str, pa.Table], *, gallery: int, shown: int = 100) -> Figure:
    """Return, per table of per-query ranks, the share of queries whose partner is among the first k.

    The dotted line is chance for one partner among ``gallery`` items; both axes are shares and counts, the
    lower one logarithmic up to ``shown``.
    """
    figure, (axes,) = _figure(1, (7.2, 3.9))
    places = np.arange(1, min(shown, gallery) + 1)
    for (name, table), colour, line in zip(
        tables.items(), PALETTE * len(tables), LINES * len(tables), strict=False
    ):
        ranks = np.sort(table["expected_rank"].to_numpy())
        share = np.searchsorted(ranks, places, side="right") / len(ranks)
        axes.step(places, share, where="post", color=colour, ls=line, lw=1.8, label=name)
    axes.plot(places, places / gallery, color=FAINT, ls=":", lw=1.2, label="chance")
    axes.set_xscale("log")
    axes.set_xticks([k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500) if k <= places[-1]])
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.minorticks_off()
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(f"rank k among {gallery} (log scale)")
    axes.set_ylabel("share of queries with rank ≤ k")
    axes.legend(frameon=False, labelcolor=INK, fontsize=9)
    return figure


def to_svg(figure: Figure, *, replace: Mapping[str, str] | None = None) -> str:
    """Return the figure as an SVG element; equal figures give equal bytes, and words stay words.

    ``replace`` maps colours of this module to what a page calls them (``{INK: "currentColor"}``).
    """
    out = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "alignkit"}):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    for colour, name in (replace or {}).items():
        svg = svg.replace(colour.lower(), name)
    return svg


def to_png(figure: Figure, *, dpi: int = 150) -> bytes:
    """Return the figure as the bytes of a PNG file on white."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return out.getvalue()


def _figure(columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=size, layout="constrained")
    row = list(np.ravel(figure.subplots(1, columns)))
    for axes in row:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(FAINT)
        axes.tick_params(colors=INK, labelsize=9)
        for label in (axes.xaxis.label, axes.yaxis.label):
            label.set_color(INK)
            label.set_fontsize(10)
        axes.patch.set_alpha(0)
    return figure, row


def _scatter(axes: Axes, points: Sequence[np.ndarray], names: tuple[str, str]) -> None:
    for side, colour, name in zip(points, (SOURCE, TARGET), names, strict=True):
        axes.plot(side[:, 0], side[:, 1], SHAPES[colour], color=colour, ms=3.2, alpha=0.6, mew=0, label=name)


def _draw_scores(axes: Axes, scores: Mapping[float, Score], colour: str, label: str) -> None:
    """Draw each score at its height: bar, value, baseline; and the chance levels as dotted lines."""
    for height, score in scores.items():
        if score.low is not None and score.high is not None:
            ends = [score.low, score.high]
            axes.plot(ends, [height] * 2, color=colour, lw=3.5, alpha=0.45, solid_capstyle="butt")
        if score.unaligned is not None:
            axes.plot(score.unaligned, height, "x", color=INK, ms=5, ls="", label="unaligned")
        axes.plot(score.value, height, SHAPES[colour], color=colour, ms=6, ls="", label=label)
    for level in {score.chance for score in scores.values()} - {None}:
        axes.axvline(float(level or 0), color=FAINT, lw=1.2, ls=":", label="chance")
