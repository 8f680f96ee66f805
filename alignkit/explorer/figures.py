"""Plotly figures of the explorer: a shape a modality, colours that all eyes tell apart, units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alignkit.errors import MissingExtraError
from alignkit.explorer.captions import for_plotly
from alignkit.explorer.layouts import Layout
from alignkit.explorer.palettes import GREY, palette

SHAPES = ("circle", "triangle-up", "square")
LINES = 400  # pair lines drawn: more is a grey cloud
LABELS = 7  # labels with a colour of their own
RING = ("#D55E00", "#FFFFFF")  # around what is selected, on white and in the dark
SCALE = "Cividis"
HEIGHT = 560
SVG = 2_000  # points up to which they are drawn as shapes of the page, beyond as pixels of a canvas


@dataclass(frozen=True, slots=True)
class Cloud:
    """One modality as it is drawn: its points, what each is called, and what it is coloured by.

    ``keys`` are (side, row) of each point; they come back with a selection. ``labels`` or ``values`` (with
    ``unit``) colour the points; without both, the modality does.
    """

    name: str
    points: np.ndarray
    keys: list[tuple[int, int]]
    hover: list[str]
    labels: list[str] | None = None
    values: np.ndarray | None = None
    unit: str = ""
    chosen: list[int] = field(default_factory=list)


def map_figure(
    clouds: Sequence[Cloud],
    layout: Layout,
    lines: np.ndarray | None = None,
    *,
    dark: bool = False,
    narrow: bool = False,
) -> Any:
    """Return the map as a Plotly figure; ``lines`` are (m, 2) positions in the first two clouds.

    ``narrow`` is for two beside one another: what stands in brackets in the title below goes to a line of its
    own.

    Raises
    ------
    MissingExtraError
        If plotly is not installed.
    """
    go = plotly()
    figure = go.Figure()
    # one kind of trace for all: a browser draws every gl trace above every other one
    kind = go.Scattergl if sum(len(cloud.points) for cloud in clouds) > SVG else go.Scatter
    if lines is not None and len(lines):
        _draw_lines(go, figure, clouds, lines)
    own = palette(dark=dark)
    colours = _label_colours(clouds, own)
    any_chosen = any(cloud.chosen for cloud in clouds)
    for place, cloud in enumerate(clouds):
        if cloud.labels is not None:
            _draw_labels(kind, figure, cloud, place, colours)
        else:
            look = {"marker": {"color": own[place % len(own)]}} if cloud.values is None else {}
            _draw_cloud(kind, figure, cloud, place, range(len(cloud.points)), look)
    if any_chosen:
        _draw_chosen(kind, figure, clouds, RING[dark])
    if colours:
        _name_shapes(go, figure, clouds)
        _name_labels(figure, clouds, colours)
    across = layout.axes[0].replace(" (", "<br>(", 1) if narrow else layout.axes[0]
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": {"text": across}, "zeroline": False},
        yaxis={"title": {"text": layout.axes[1]}, "zeroline": False, "scaleanchor": "x"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "itemsizing": "constant"},
        dragmode="lasso",
        uirevision="map",  # a moved slider keeps the zoom
        hoverlabel={"align": "left"},
    )
    return figure


def plotly() -> Any:  # Any: the module plotly.graph_objects, which may be absent
    """Return the module that makes figures, or raise MissingExtraError with the command that installs it."""
    try:
        import plotly.graph_objects as go
    except ImportError as error:
        raise MissingExtraError("the explorer needs plotly: pip install 'alignkit[app]'.") from error
    return go


def keys_of(event: Any) -> list[tuple[int, int]]:
    """Return the (side, row) of every point of a Plotly selection, each once, in order; [] for anything else.

    Examples
    --------
    >>> keys_of({"selection": {"points": [{"customdata": [1, 5]}, {"customdata": [1, 5]}, {"x": 0}]}})
    [(1, 5)]
    """
    try:
        points = event["selection"]["points"]
    except (KeyError, TypeError):
        return []
    found = []
    for point in points:
        data = point.get("customdata") if isinstance(point, dict) else None
        if isinstance(data, dict):  # a list of mixed columns comes back as a table of them
            data = [data[key] for key in sorted(data)]
        if isinstance(data, list | tuple) and len(data) >= 2:
            found.append((int(data[0]), int(data[1])))
    return list(dict.fromkeys(found))


def _draw_cloud(
    kind: Any, figure: Any, cloud: Cloud, place: int, which: Sequence[int] | range, look: dict[str, Any]
) -> None:
    which = list(which)
    marker = {
        "symbol": SHAPES[place % len(SHAPES)],
        "size": 8 if len(cloud.points) < 3000 else 5,
        "opacity": 1,  # less would take the contrast that the colours have
        "line": {"width": 0},
    }
    if cloud.values is not None:
        marker |= _by_value(cloud.values[which], cloud.unit, first=place == 0)
    marker |= look.pop("marker", {})
    shown = cloud.points[which]
    figure.add_trace(
        kind(
            x=shown[:, 0],
            y=shown[:, 1],
            mode="markers",
            name=for_plotly(cloud.name),
            marker=marker,
            customdata=[list(cloud.keys[row]) for row in which],
            text=[cloud.hover[row] for row in which],
            hovertemplate="%{text}<extra></extra>",
            unselected={"marker": {"opacity": 0.25}},
            **look,
        )
    )


def _by_value(values: np.ndarray, unit: str, *, first: bool) -> dict[str, Any]:
    known = np.isfinite(values)
    look: dict[str, Any] = {"color": np.where(known, values, np.nan), "colorscale": SCALE}
    if first:
        look |= {"showscale": True, "colorbar": {"title": {"text": unit, "side": "right"}, "thickness": 12}}
    return look


def _label_colours(clouds: Sequence[Cloud], own: Sequence[str]) -> dict[str, str]:
    """Return a colour for the commonest labels; the others share grey."""
    counts: dict[str, int] = {}
    for cloud in clouds:
        for label in cloud.labels or ():
            counts[label] = counts.get(label, 0) + 1
    return {label: own[place] for place, label in enumerate(commonest(counts))}


def commonest(counts: Mapping[Any, int]) -> list[Any]:
    """Return the labels that have a colour of their own, the commonest of all that are counted, in order.

    Examples
    --------
    >>> commonest({"owl": 2, "cat": 5, "dog": 2} | dict.fromkeys("abcdef", 3))
    ['a', 'b', 'c', 'cat', 'd', 'e', 'f']
    """
    return sorted(sorted(counts, key=lambda label: (-counts[label], str(label)))[:LABELS], key=str)


def _draw_labels(kind: Any, figure: Any, cloud: Cloud, place: int, colours: dict[str, str]) -> None:
    labels = np.array(cloud.labels, dtype=object)
    groups = [*colours, None]
    for label in groups:
        which = np.flatnonzero(
            labels == label if label is not None else ~np.isin(labels.astype(str), list(colours))
        )
        if not len(which):
            continue
        name = f"{cloud.name}: {label if label is not None else 'other labels'}"
        look = {
            "marker": {"color": colours.get(label or "", GREY)},
            "legendgroup": label or "other",
            "showlegend": place == 0,
        }
        if place == 0:
            look["name"] = for_plotly(label if label is not None else "other labels")
        named = Cloud(name, cloud.points, cloud.keys, cloud.hover)
        _draw_cloud(
            kind, figure, named, place, which.tolist(), {k: v for k, v in look.items() if k != "name"}
        )
        if place == 0:
            figure.data[-1].name = look["name"]


def _name_shapes(go: Any, figure: Any, clouds: Sequence[Cloud]) -> None:
    """Say in the legend which shape is which modality, where colours stand for something else."""
    for place, cloud in enumerate(clouds):
        look = {"symbol": SHAPES[place % len(SHAPES)], "color": GREY, "size": 9}
        figure.add_trace(
            go.Scatter(x=[None], y=[None], mode="markers", name=for_plotly(cloud.name), marker=look)
        )


def _name_labels(figure: Any, clouds: Sequence[Cloud], colours: dict[str, str]) -> None:
    """Write each label where its points of the first cloud lie, so that colour is not all that tells them."""
    cloud = clouds[0]
    labels = np.array(cloud.labels, dtype=object)
    for label in colours:
        own = cloud.points[labels == label]
        if len(own):
            middle = np.median(own, axis=0)
            figure.add_annotation(
                x=middle[0],
                y=middle[1],
                text=f"<b>{for_plotly(label)}</b>",
                showarrow=False,
                bgcolor="rgba(255,255,255,0.7)",
                font={"color": "#222222", "size": 12},
            )


def _draw_lines(go: Any, figure: Any, clouds: Sequence[Cloud], lines: np.ndarray) -> None:
    ends = np.stack([clouds[side].points[lines[:, side]] for side in (0, 1)], axis=1)
    gaps = np.full((len(lines), 1, 2), np.nan)
    path = np.concatenate([ends, gaps], axis=1).reshape(-1, 2)
    figure.add_trace(
        go.Scatter(
            x=path[:, 0],
            y=path[:, 1],
            mode="lines",
            name=f"{len(lines)} pairs",
            hoverinfo="skip",
            line={"color": GREY, "width": 0.7},
            opacity=0.55,
        )
    )


def _draw_chosen(kind: Any, figure: Any, clouds: Sequence[Cloud], colour: str) -> None:
    """Ring what a link or another picture has chosen."""
    spots = np.concatenate([cloud.points[cloud.chosen] for cloud in clouds if cloud.chosen])
    figure.add_trace(
        kind(
            x=spots[:, 0],
            y=spots[:, 1],
            mode="markers",
            name="selected",
            hoverinfo="skip",
            marker={"symbol": "circle-open", "size": 14, "color": colour, "line": {"width": 2}},
        )
    )


def histogram_figure(series: dict[str, np.ndarray], axis: str, *, dark: bool = False) -> Any:
    """Return overlaid outlines of several distributions, each with a dash of its own, as shares per bin."""
    go = plotly()
    figure = go.Figure()
    low = min(float(values.min()) for values in series.values())
    high = max(float(values.max()) for values in series.values())
    edges = np.linspace(low, high if high > low else low + 1e-6, 61)
    dashes = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
    for place, (name, values) in enumerate(series.items()):
        shares = np.histogram(values, edges)[0] / len(values)
        figure.add_trace(
            go.Scatter(
                x=(edges[:-1] + edges[1:]) / 2,
                y=shares,
                mode="lines",
                name=for_plotly(name),
                line={
                    "shape": "hvh",
                    "color": palette(dark=dark)[place % 7],
                    "dash": dashes[place % 6],
                    "width": 2,
                },
            )
        )
    figure.update_layout(
        height=320,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": {"text": axis}},
        yaxis={"title": {"text": "share of the pairs in a bin"}, "rangemode": "tozero"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure
