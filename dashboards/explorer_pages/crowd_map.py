"""The map of all points: a component that draws a million of them on the graphics card."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import streamlit as st

from alignkit import Alignment, Embeddings
from alignkit.explorer.atlas import LABELS, modality_of
from alignkit.explorer.catalogue import Entry
from alignkit.explorer.crowds import MOST, crowd_ends, lay_out_crowd
from alignkit.explorer.layouts import Layout, along
from alignkit.explorer.payload import (
    Packed,
    Paint,
    caught,
    pack,
    paint_labels,
    paint_sides,
    paint_values,
    places_of,
)
from alignkit.explorer.scenes import Scene, choose_rows
from explorer_pages import picking, shell

BUNDLE = Path(__file__).parents[1] / "scatter" / "scatter.js"
KEY = "crowd"


class Look(NamedTuple):
    """What the page was asked to draw: the picture, how far along a map, the colours, lines or none."""

    view: str
    share: float
    colour: str
    lines: bool


@cache
def _component() -> Any:
    return st.components.v2.component("alignkit_scatter", js=BUNDLE.read_text(encoding="utf-8"))


# handles and coordinates, shared and never copied: a picture of a million points is 8 to 16 MB
@st.cache_resource(max_entries=4, show_spinner="Pairing the rows")
def scene_of(
    key: tuple[str, ...],  # noqa: ARG001 - what the result is cached by
    source: Entry,
    target: Entry,
    by: str,
    _sides: list[Embeddings],
) -> tuple[Scene, int]:
    """Return the scene of all rows, up to a million, and how many pairs there are."""
    pairs = shell.pairs_of(source, target, by)
    return choose_rows(_sides, pairs, most=MOST), len(pairs)


@st.cache_resource(max_entries=4, show_spinner="Reading every row for the map")
def _layout(
    key: tuple[str, ...],  # noqa: ARG001
    view: str,
    _sides: list[Embeddings],
    _scene: Scene,
    _map: Alignment | None,
) -> Layout:
    return lay_out_crowd(view, _sides, _scene, _map)


@st.cache_resource(max_entries=2, show_spinner="Drawing both ends of the way")
def _ends(
    key: tuple[str, ...],  # noqa: ARG001
    _sides: list[Embeddings],
    _scene: Scene,
    _map: Alignment,
) -> tuple[Layout, Layout]:
    return crowd_ends(_sides, _scene, _map)


def layout_of(
    key: tuple[str, ...], look: Look, sides: list[Embeddings], scene: Scene, fitted: Alignment | None
) -> tuple[Layout, list[np.ndarray]]:
    """Return the picture, and points that its frame must hold as well."""
    if look.view == "moving" and fitted is not None:
        start, end = _ends(key, sides, scene, fitted)
        return along(start, end, look.share), [start.points[0], end.points[0]]
    return _layout(key, look.view, sides, scene, fitted), []


def show(
    entries: list[Entry],
    key: tuple[str, ...],
    scene: Scene,
    drawn: tuple[Layout, list[np.ndarray]],
    look: Look,
    values: tuple[Any, str],
) -> None:
    """Show the component; ``values`` are the ranks and what they are called, where colours stand for them."""
    packed = _packed((*key, *map(str, look)), entries, scene, drawn, look, values, dark=shell.dark())
    names = tuple(entry.name for entry in entries)

    def selected() -> None:
        found = caught(st.session_state[KEY].get("selection"), scene)
        if found is not None:
            picking.keep(entries, found[1], KEY, found[0])

    rows, mark = _sent(names, entries, scene)
    _component()(key=KEY, data=packed.with_chosen(rows, mark), on_selection_change=selected)


def _sent(names: tuple[str, ...], entries: Sequence[Entry], scene: Scene) -> tuple[list[int], str]:
    """Return what is chosen elsewhere; what the component itself selected does not change its message."""
    last = st.session_state.get("crowd-sent")
    if last is not None and picking.picked_by() == KEY and last[0] == names:
        return last[1], last[2]
    named = picking.chosen()
    rows = places_of(picking.rows_of(named, entries), scene)
    mark = st.query_params.get("selection", "") or ("none" if last is not None else "")
    st.session_state["crowd-sent"] = (names, rows, mark)
    return rows, mark


@st.cache_resource(max_entries=4, show_spinner="Packing the points")
def _packed(
    key: tuple[str, ...],  # noqa: ARG001
    _entries: list[Entry],
    _scene: Scene,
    _drawn: tuple[Layout, list[np.ndarray]],
    _look: Look,
    _values: tuple[Any, str],
    *,
    dark: bool,
) -> Packed:
    sides = [(shell.space(entry), entry.name) for entry in _entries]
    names = [f"{modality_of(side, place)} · {name}" for place, (side, name) in enumerate(sides)]
    paint = _paint(_entries, _scene, _look.colour, _values, dark=dark)
    return pack(names, _drawn[0], paint, _scene.links if _look.lines else None, _drawn[1])


def _paint(
    entries: list[Entry], scene: Scene, colour: str, values_of: tuple[Any, str], *, dark: bool
) -> Paint:
    standing, unit = values_of
    if colour == "label":
        return paint_labels(
            pa.concat_arrays([_labels(entry, rows) for entry, rows in zip(entries, scene.rows, strict=True)]),
            dark=dark,
        )
    if colour != "modality" and standing is not None:
        own = np.log10(standing.ranks) if colour == "rank" else standing.cosines
        values = [own[scene.rows[0]], *(np.full(len(rows), np.nan) for rows in scene.rows[1:])]
        if len(scene.links):
            values[1][scene.links[:, 1]] = values[0][scene.links[:, 0]]
        return paint_values(np.concatenate(values), unit)
    return paint_sides([len(rows) for rows in scene.rows], dark=dark)


def _labels(entry: Entry, rows: np.ndarray) -> pa.Array:
    side = shell.space(entry)
    column = next((name for name in LABELS if name in side.items.column_names), None)
    if column is None:
        return pa.nulls(len(rows), pa.string())
    return side.items[column].take(pa.array(rows)).cast(pa.string()).combine_chunks()
