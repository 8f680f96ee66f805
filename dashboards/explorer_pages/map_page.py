"""Map: two or three modalities in one picture, their pairs, and what is selected in it."""

from typing import Any

import numpy as np
import streamlit as st

from alignkit import AlignkitError, Alignment, Embeddings
from alignkit.explorer.atlas import CAPTIONS, LABELS, cells, modality_of
from alignkit.explorer.captions import for_plotly, plain
from alignkit.explorer.catalogue import Entry
from alignkit.explorer.figures import LINES, Cloud, keys_of, map_figure
from alignkit.explorer.layouts import JUDGED, MOST, NEIGHBOURS, VIEWS, Layout, along, ends_of, lay_out
from alignkit.explorer.scenes import MOST as DRAWN
from alignkit.explorer.scenes import Scene, before_and_after, choose_rows, one_space
from alignkit.explorer.selections import keep_selection, load_selection
from explorer_pages import shell, things

COLOURS = ("modality", "label", "rank", "similarity")
UNITS = {"rank": "rank of the true partner (log10)", "similarity": "cosine with the true partner"}
SLOW = ("umap", "tsne")


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


def _show_selected(entries: list[Entry], keys: list[tuple[int, int]], standing: Any) -> None:
    st.subheader(f"{len(keys)} selected")
    rows, media = [], []
    for place, row in keys[: things.ROWS]:
        side, entry = shell.space(entries[place]), entries[place]
        medium = things.media_of(side, row, entry.path)
        media.append(medium)
        line = {"id": str(side.id_at(row)), "side": modality_of(side, place), "space": entry.name}
        line["picture"] = things.thumbnail_of(medium)
        if standing is not None and place == 0:
            line |= {"rank": standing.ranks[row], "cosine": round(float(standing.cosines[row]), 4)}
        rows.append(line | things.words_of(side, row))
    if len(keys) > things.ROWS:
        st.text(f"The first {things.ROWS} of {len(keys)} are listed.")
    things.table(rows, "selected")
    heard = [(line, medium) for line, medium in zip(rows, media, strict=True) if medium is not None]
    if heard:
        st.text(f"The first {min(len(heard), things.CARDS)} with media:")
        columns = st.columns(3)
        for spot, (line, medium) in enumerate(heard[: things.CARDS]):
            with columns[spot % 3]:
                words = [str(line.get(name, "")) for name in (*LABELS, *CAPTIONS) if line.get(name)]
                things.card(medium, plain(line["id"]), words)


def _kept(root: Any) -> set[tuple[str, str]]:
    word = st.query_params.get("selection", "")
    if not word:
        return set()
    try:
        return set(load_selection(root, word))
    except AlignkitError as error:
        st.warning(shell.for_markdown_long(str(error)))
        return set()


def _remember(entries: list[Entry], keys: list[tuple[int, int]], root: Any) -> None:
    """Store what was selected and write its word into the address."""
    named = [(entries[place].name, str(shell.space(entries[place]).id_at(row))) for place, row in keys]
    try:
        shell.put("selection", keep_selection(root, named))
    except (AlignkitError, OSError):
        st.caption("This folder cannot be written to, so a link does not keep the selection.")


def _rows_of(chosen: set[tuple[str, str]], entries: list[Entry]) -> list[tuple[int, int]]:
    """Return (side, row) of what a link names, whether or not it is drawn."""
    found = []
    for place, entry in enumerate(entries):
        wanted = {name for artifact, name in chosen if artifact == entry.name}
        if wanted:
            ids = shell.space(entry).ids.to_pylist()
            found += [(place, row) for row, name in enumerate(ids) if str(name) in wanted]
    return found


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
    with shell.told():
        pairs = shell.pairs_of(source, target, by)
        scene = choose_rows(sides, pairs, most=MOST.get(view, DRAWN))
        key = shell.key_of(*entries, fitted, by)
        map_ = shell.alignment(fitted)
        if view == "moving" and map_ is not None:
            layout = along(*_ends(key, sides, scene, map_), share)
        else:
            layout = _layout(key, view, sides, scene, map_)
    standing = _standing(source, target, by, fitted, colour, scene, len(pairs))
    chosen = _kept(shell.root())
    clouds = _clouds(entries, scene, layout, colour, standing, chosen)
    drawn = scene.links[np.random.default_rng(0).permutation(len(scene.links))[:LINES]] if lines else None
    event = st.plotly_chart(
        map_figure(clouds, layout, drawn),
        key="map",
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
        config={"displaylogo": False, "scrollZoom": True},
    )
    _tell(scene, layout, len(pairs), by, view)
    keys = keys_of(event)
    if keys:
        _remember(entries, keys, shell.root())
    else:
        keys = _rows_of(chosen, entries)
    if keys:
        _show_selected(entries, keys, standing)
    else:
        st.text("Draw a lasso or a box, or click a point: what is in it is listed here, with its media.")


def _standing(
    source: Entry, target: Entry, by: str, fitted: Entry | None, colour: str, scene: Scene, pairs: int
) -> Any:
    """Return ranks where they are asked for, or cheap enough to stand in every label."""
    if not pairs or (colour not in UNITS and scene.sampled):
        return None
    try:
        return shell.ranks(source, target, by, fitted)
    except AlignkitError as error:
        st.info(shell.for_markdown_long(str(error)))
        return None


def _tell(scene: Scene, layout: Layout, pairs: int, by: str, view: str) -> None:
    words = [f"{scene.drawn:,} of {scene.total:,} points"]
    if scene.sampled:
        words[0] += f" (a seeded sample: this picture draws at most {MOST.get(view, DRAWN):,})"
    words.append(f"{pairs:,} pairs by {by}" if pairs else f"no pairs by {by}")
    if layout.trust is not None:
        st.metric(
            f"trustworthiness of this picture (0 to 1, {NEIGHBOURS} neighbours, up to {JUDGED:,} points)",
            f"{layout.trust:.3f}",
        )
    st.text("; ".join(words) + f".\n{layout.note}")


page()
