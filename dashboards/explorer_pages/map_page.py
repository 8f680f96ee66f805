"""Map: two or three modalities in one picture, their pairs, and what is selected in it."""

from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from alignkit import AlignkitError, Alignment, Embeddings
from alignkit.explorer.atlas import CAPTIONS, LABELS, cells, modality_of
from alignkit.explorer.captions import for_plotly
from alignkit.explorer.catalogue import Entry
from alignkit.explorer.crowds import MOST as CROWD
from alignkit.explorer.crowds import VIEWS as WHOLE
from alignkit.explorer.figures import LINES, Cloud, keys_of, map_figure
from alignkit.explorer.layouts import JUDGED, MOST, NEIGHBOURS, VIEWS, Layout, along, ends_of, lay_out
from alignkit.explorer.scenes import MOST as DRAWN
from alignkit.explorer.scenes import Scene, before_and_after, choose_rows, one_space
from explorer_pages import crowd_map, picking, shell

COLOURS = ("modality", "label", "rank", "similarity")
UNITS = {"rank": "rank of the true partner (log10)", "similarity": "cosine with the true partner"}
POINTS = {
    "auto": "all above 20,000, else one by one",
    "all": "all, on the graphics card",
    "sample": "a sample of up to 20,000",
}


@st.cache_data(max_entries=16, show_spinner="Drawing the map")
def _layout(
    key: tuple[str, ...],  # noqa: ARG001 - what the result is cached by
    view: str,
    _sides: list[Embeddings],
    _scene: Scene,
    _map: Any,
) -> Layout:
    return lay_out(view, one_space(_sides, _scene, _map))


@st.cache_data(max_entries=8, show_spinner="Drawing both ends of the way")
def _ends(
    key: tuple[str, ...],  # noqa: ARG001
    _sides: list[Embeddings],
    _scene: Scene,
    _map: Alignment,
) -> tuple[Layout, Layout]:
    return ends_of(*before_and_after(_sides, _scene, _map))


def _choose_third(source: Entry, target: Entry, fitted: Entry | None) -> Entry | None:
    """Let a third space be drawn as well, of those that can be brought into the target's space."""
    goal = target.facts["space"]
    others = [
        entry
        for entry in shell.catalogue().of("space")
        if entry not in (source, target)
        and (
            goal.meets(entry.facts["space"])
            or (fitted and fitted.facts["source"].meets(entry.facts["space"]))
        )
    ]
    if not others:
        return None
    with st.sidebar:
        name = shell.choose("Third", [shell.NONE, *(entry.name for entry in others)], "third")
    return next((entry for entry in others if entry.name == name), None)


def _clouds(
    entries: list[Entry],
    scene: Scene,
    layout: Layout,
    colour: str,
    standing: Any,
    chosen: set[tuple[str, str]],
) -> list[Cloud]:
    clouds = []
    for place, (entry, rows, points) in enumerate(zip(entries, scene.rows, layout.points, strict=True)):
        side = shell.space(entry)
        ids = [str(side.id_at(int(row))) for row in rows]
        labels, captions = cells(side, rows, LABELS), cells(side, rows, CAPTIONS)
        values = _values(colour, place, scene, standing)
        hover = [_hover(*words) for words in zip(ids, labels, captions, strict=True)]
        if place == 0 and standing is not None:
            hover = [
                f"{text}<br>rank {rank:g} of {standing.gallery}, cosine {near:.3f}"
                if np.isfinite(rank)
                else text
                for text, rank, near in zip(hover, standing.ranks[rows], standing.cosines[rows], strict=True)
            ]
        clouds.append(
            Cloud(
                f"{modality_of(side, place)} · {entry.name}",
                points,
                [(place, int(row)) for row in rows],
                hover,
                labels=labels if colour == "label" and any(labels) else None,
                values=values,
                unit=UNITS.get(colour, ""),
                chosen=[spot for spot, name in enumerate(ids) if (entry.name, name) in chosen],
            )
        )
    return clouds


def _hover(name: str, label: str, caption: str) -> str:
    words = [
        f"<b>{for_plotly(name)}</b>",
        for_plotly(label) and f"label {for_plotly(label)}",
        for_plotly(caption),
    ]
    return "<br>".join(word for word in words if word)


def _values(colour: str, place: int, scene: Scene, standing: Any) -> np.ndarray | None:
    """Return what colours a side's points: the source's own values, the target's through its links."""
    if colour not in UNITS or standing is None:
        return None
    own = np.log10(standing.ranks) if colour == "rank" else standing.cosines
    own = own[scene.rows[0]]
    if place == 0:
        return own
    values = np.full(len(scene.rows[place]), np.nan)
    if place == 1 and len(scene.links):
        values[scene.links[:, 1]] = own[scene.links[:, 0]]
    return values


def page() -> None:
    """Show the page."""
    st.header("Map")
    source, target, fitted = shell.choose_pair()
    by = shell.choose_pairing(source, target)
    if not shell.joined(source, target, fitted):
        return
    third = _choose_third(source, target, fitted)
    entries = [entry for entry in (source, target, third) if entry is not None]
    sides = [shell.space(entry) for entry in entries]
    views = [view for view in VIEWS if view != "moving" or (fitted is not None and third is None)]
    left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
    with left:
        view = shell.choose("Picture", views, "view", shown=lambda name: VIEWS[name])
    with middle:
        colour = shell.choose("Colour by", COLOURS, "colour")
    with right:
        lines = shell.switch("Pair lines", "lines", default=False)
    share = 0.0
    if view == "moving":
        share = shell.slide(
            "Along the fitted map", "along", 1.0, help="0: as they are. 1: where the map takes them."
        )
    picking.ask_words(entries)
    chosen = _Chosen(entries, sides, view, colour, lines, share)
    standing = (_draw_all if _all_points(sides, view) else _draw_sample)(chosen, by, fitted)
    picking.show(entries, standing)


class _Chosen(NamedTuple):
    """What the page was asked to draw."""

    entries: list[Entry]
    sides: list[Embeddings]
    view: str
    colour: str
    lines: bool
    share: float


def _all_points(sides: list[Embeddings], view: str) -> bool:
    """Let it be chosen whether all points are drawn or a sample of them; nonlinear pictures are samples."""
    if view not in WHOLE:
        return False
    with st.sidebar:
        choice = shell.choose(
            "Points",
            list(POINTS),
            "points",
            shown=lambda name: POINTS[name],
            help="All points are drawn on the graphics card (WebGL); a sample has a shape for each modality.",
        )
    return choice == "all" or (choice == "auto" and sum(map(len, sides)) > DRAWN)


def _draw_all(asked: _Chosen, by: str, fitted: Entry | None) -> Any:
    entries, sides = asked.entries, asked.sides
    look = crowd_map.Look(asked.view, asked.share, asked.colour, asked.lines)
    key, map_ = shell.key_of(*entries, fitted, by), shell.alignment(fitted)
    with shell.told():
        scene, pairs = crowd_map.scene_of(key, *entries[:2], by, sides)
        drawn = crowd_map.layout_of(key, look, sides, scene, map_)
    standing = _standing(entries, by, fitted, asked.colour, scene, pairs)
    crowd_map.show(entries, key, scene, drawn, look, (standing, UNITS.get(asked.colour, "")))
    _tell(scene, drawn[0], pairs, by, CROWD)
    return standing


def _draw_sample(asked: _Chosen, by: str, fitted: Entry | None) -> Any:
    entries, sides, view = asked.entries, asked.sides, asked.view
    with shell.told():
        pairs = shell.pairs_of(*entries[:2], by)
        scene = choose_rows(sides, pairs, most=MOST.get(view, DRAWN))
        key, map_ = shell.key_of(*entries, fitted, by), shell.alignment(fitted)
        if view == "moving" and map_ is not None:
            layout = along(*_ends(key, sides, scene, map_), asked.share)
        else:
            layout = _layout(key, view, sides, scene, map_)
    standing = _standing(entries, by, fitted, asked.colour, scene, len(pairs))
    clouds = _clouds(entries, scene, layout, asked.colour, standing, picking.chosen())
    links = (
        scene.links[np.random.default_rng(0).permutation(len(scene.links))[:LINES]] if asked.lines else None
    )
    event = st.plotly_chart(
        map_figure(clouds, layout, links, dark=shell.dark()),
        key="map",
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
        config={"displaylogo": False, "scrollZoom": True},
    )
    _tell(scene, layout, len(pairs), by, MOST.get(view, DRAWN))
    keys = keys_of(event)
    if keys and keys != st.session_state.get("map-caught"):  # later words are not overruled by an old lasso
        st.session_state["map-caught"] = keys
        picking.keep(entries, keys, "map")
    return standing


def _standing(
    entries: list[Entry], by: str, fitted: Entry | None, colour: str, scene: Scene, pairs: int
) -> Any:
    """Return ranks where they are asked for, or cheap enough to stand in every label."""
    if not pairs or (colour not in UNITS and scene.total > DRAWN):
        return None
    try:
        return shell.ranks(*entries[:2], by, fitted)
    except AlignkitError as error:
        st.info(shell.for_markdown_long(str(error)))
        return None


def _tell(scene: Scene, layout: Layout, pairs: int, by: str, most: int) -> None:
    words = [f"{scene.drawn:,} of {scene.total:,} points"]
    if scene.sampled:
        words[0] += f" (a seeded sample: this picture draws at most {most:,})"
    words.append(f"{pairs:,} pairs by {by}" if pairs else f"no pairs by {by}")
    if layout.trust is not None:
        st.metric(
            f"trustworthiness of this picture (0 to 1, {NEIGHBOURS} neighbours, up to {JUDGED:,} points)",
            f"{layout.trust:.3f}",
        )
    st.text("; ".join(words) + f".\n{layout.note}")


page()
