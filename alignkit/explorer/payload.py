"""What the component for many points is sent, as bytes, and what it sends back, checked."""

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alignkit.explorer.captions import plain
from alignkit.explorer.figures import LABELS, commonest
from alignkit.explorer.layouts import Layout
from alignkit.explorer.palettes import GREY, palette
from alignkit.explorer.scenes import Scene

MOST = 200  # rows that come back with a selection; its count comes whole
STEPS = 255  # colours of a scale; one byte a point, and one colour for what has no value
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Paint:
    """A colour a point, as a place in ``palette``; and the legend or scale that explains it."""

    by: str
    places: np.ndarray
    palette: tuple[str, ...]
    legend: tuple[tuple[str, int], ...] = ()
    scale: dict[str, Any] | None = field(default=None)


def paint_sides(counts: Sequence[int], *, dark: bool = False) -> Paint:
    """Return a colour a side.

    Examples
    --------
    >>> paint_sides([2, 1]).places.tolist()
    [0, 0, 1]
    """
    places = np.repeat(np.arange(len(counts)), counts).astype(np.uint8)
    return Paint("modality", places, palette(dark=dark))


def paint_labels(labels: pa.Array | pa.ChunkedArray, *, dark: bool = False) -> Paint:
    """Return a colour for each of the seven commonest labels, and grey for the others and for none.

    Examples
    --------
    >>> found = paint_labels(pa.array(["cat", "dog", "cat", None]))
    >>> found.places.tolist(), found.legend
    ([0, 1, 0, 7], (('cat', 0), ('dog', 1), ('other labels', 7)))
    """
    found = pc.value_counts(labels.drop_null()).to_pylist()
    kept = commonest({one["values"]: one["counts"] for one in found})
    places = pc.index_in(labels, value_set=pa.array(kept, labels.type)).fill_null(LABELS)
    places = np.asarray(places.to_numpy(zero_copy_only=False) if isinstance(places, pa.Array) else places)
    legend = [(plain(label, 40), place) for place, label in enumerate(kept)]
    if (places == LABELS).any():
        legend.append(("other labels", LABELS))
    return Paint("label", places.astype(np.uint8), (*palette(dark=dark), GREY), tuple(legend))


def paint_values(values: np.ndarray, unit: str) -> Paint:
    """Return viridis over the range of the finite values, in 255 steps, and grey for the others.

    Examples
    --------
    >>> paint_values(np.array([0.0, 1.0, np.nan]), "cosine").places.tolist()
    [0, 254, 255]
    """
    import matplotlib as mpl

    known = np.isfinite(values)
    low, high = (float(values[known].min()), float(values[known].max())) if known.any() else (0.0, 1.0)
    span = high - low or 1.0
    with np.errstate(invalid="ignore"):
        steps = np.clip((values - low) / span * STEPS, 0, STEPS - 1)
    places = np.where(known, steps, STEPS).astype(np.uint8)
    colours = mpl.colormaps["viridis"](np.linspace(0, 1, STEPS), bytes=True)[:, :3]
    palette = tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours.tolist())
    scale = {
        "from": low,
        "to": high,
        "steps": STEPS,
        "unit": unit,
        "low": f"{low:.3g}",
        "high": f"{high:.3g}",
    }
    legend = () if known.all() else (("no value", STEPS),)
    return Paint("value", places, (*palette, GREY), legend, scale)


@dataclass(frozen=True, slots=True)
class Packed:
    """The columns of a picture as bytes, and its header without what is chosen."""

    header: dict[str, Any]
    columns: bytes

    def with_chosen(self, rows: Sequence[int], mark: str) -> bytes:
        """Return the whole message; ``mark`` names what is chosen, and is empty for nothing."""
        chosen = {"rows": list(map(int, rows)), "mark": mark}
        head = json.dumps(self.header | {"chosen": chosen}).encode()
        return _LENGTH.pack(len(head)) + head + self.columns


def pack(
    names: Sequence[str],
    layout: Layout,
    paint: Paint,
    links: np.ndarray | None = None,
    frame: Sequence[np.ndarray] | None = None,
) -> Packed:
    """Return the message of a picture: 9 bytes a point, and 8 a link.

    Sides stand one after the other; ``links`` are positions in the first two. Coordinates are scaled by one
    factor into [-1, 1], so that both axes keep one unit; ``frame`` are points that must lie within as well
    (the other end of a way, so that the picture stands still while its points move).
    """
    counts = [len(points) for points in layout.points]
    whole = np.concatenate([*layout.points, *(frame or ())]).astype(np.float32)
    low, high = whole.min(axis=0).astype(float), whole.max(axis=0).astype(float)
    centre, half = (low + high) / 2, float((high - low).max()) / 2 * 1.02 or 1.0
    points = (np.concatenate(layout.points) - centre) / half
    joined = np.empty((0, 2), np.uint32) if links is None else links + np.array([0, counts[0]])
    columns = b"".join(
        (
            points[:, 0].astype("<f4").tobytes(),
            points[:, 1].astype("<f4").tobytes(),
            joined.astype("<u4").tobytes(),
            paint.places.astype(np.uint8).tobytes(),
        )
    )
    header: dict[str, Any] = {
        "counts": counts,
        "names": list(names),
        "axes": list(layout.axes),
        "centre": centre.tolist(),
        "half": half,
        "links": len(joined),
        "by": paint.by,
        "palette": list(paint.palette),
        "legend": [{"name": name, "colour": place} for name, place in paint.legend],
        "scale": paint.scale,
        "words": _words(layout.points[0], paint),
    }
    digest = hashlib.sha256(json.dumps(header).encode() + columns).hexdigest()[:16]
    return Packed(header | {"digest": digest}, columns)


def _words(points: np.ndarray, paint: Paint) -> list[dict[str, Any]]:
    """Return each label and the middle of its points of the first side: words tell it, not colour alone."""
    if paint.by != "label":
        return []
    places = paint.places[: len(points)]
    owned = [(name, points[places == place]) for name, place in paint.legend if place < LABELS]
    return [{"name": name, "at": np.median(own, axis=0).tolist()} for name, own in owned if len(own)]


def caught(event: Any, scene: Scene) -> tuple[int, list[tuple[int, int]]] | None:
    """Return how many points a selection has and the (side, row) of its first 200; None for no selection.

    What the browser sends is not believed: rows that are not drawn, and more than 200, are left out.

    Examples
    --------
    >>> scene = Scene((np.array([4, 6]), np.array([0])), np.empty((0, 2), int), 3)
    >>> caught({"count": 2, "rows": [1, 2, 99, "x"]}, scene)
    (2, [(0, 6), (1, 0)])
    """
    try:
        rows, count = list(event["rows"])[:MOST], int(event["count"])
    except (KeyError, TypeError, ValueError):
        return None
    ends = np.cumsum([0, *map(len, scene.rows)])
    found = []
    for row in rows:
        if isinstance(row, int) and not isinstance(row, bool) and 0 <= row < ends[-1]:
            side = int(np.searchsorted(ends, row, side="right")) - 1
            found.append((side, int(scene.rows[side][row - ends[side]])))
    found = list(dict.fromkeys(found))
    return max(len(found), min(count, int(ends[-1]))), found


def places_of(keys: Sequence[tuple[int, int]], scene: Scene) -> list[int]:
    """Return where the (side, row) that are drawn stand among all points; the first 200.

    Examples
    --------
    >>> scene = Scene((np.array([4, 6]), np.array([0])), np.empty((0, 2), int), 3)
    >>> places_of([(1, 0), (0, 5), (0, 6)], scene)
    [1, 2]
    """
    ends, found = np.cumsum([0, *map(len, scene.rows)]), []
    for side, row in keys:
        place = int(np.searchsorted(scene.rows[side], row))
        if place < len(scene.rows[side]) and scene.rows[side][place] == row:
            found.append(int(ends[side]) + place)
    return sorted(set(found))[:MOST]
