"""Compare: methods side by side, query by query, and one selection in two maps."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from alignkit import AlignkitError
from alignkit.comparison_tables import legend
from alignkit.explorer.captions import plain
from alignkit.explorer.catalogue import Entry
from alignkit.explorer.duels import Duel, duel
from alignkit.explorer.figures import Cloud, keys_of, map_figure, plotly
from alignkit.explorer.layouts import moving
from alignkit.explorer.palettes import palette
from alignkit.explorer.scenes import before_and_after, choose_rows
from alignkit.plots import forest, to_png
from alignkit.retrieval.comparison import Comparison
from alignkit.storage import load_comparison
from explorer_pages import commands, shell, things

DRAWN = 4_000  # points of each of two maps beside one another
WORST = 30


@st.cache_data(max_entries=32, show_spinner=False)
def _comparison(path: str, stamp: str) -> Comparison:  # noqa: ARG001 - the stamp is part of the key
    return load_comparison(path)


def _leaderboard(entries: list[Entry], source: Entry, target: Entry) -> None:
    st.subheader("Leaderboard")
    if not entries:
        st.info("No comparison under this folder: scores with paired tests come from")
        st.code(commands.comparing(source, target), language="sh")
        return
    name = shell.choose("Comparison", [entry.name for entry in entries], "comparison")
    entry = next(entry for entry in entries if entry.name == name)
    with shell.told():
        found = _comparison(str(entry.path), entry.stamp)
    rows = []
    for direction, metric, scores in found.columns():
        for method in found.names:
            score = scores[method]
            beaten = [found.letters[other] for other in found.beats(direction, metric, method)]
            rows.append(
                {
                    "direction": direction,
                    "metric": metric,
                    "method": f"{plain(method)} ({found.letters[method]})",
                    "value": score.value,
                    "low": score.low,
                    "high": score.high,
                    "n": score.n,
                    "chance": score.chance,
                    "best": "best" if method in found.best(direction, metric) else "",
                    "beats for certain": ", ".join(beaten),
                }
            )
    st.image(to_png(forest(found)))  # on white paper, in the dark as well
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    st.text(legend(found))
    for sentence in found.warnings():
        st.text(f"warning: {sentence}")
    if found.tests:
        with st.expander(f"{len(found.tests)} paired tests"):
            st.dataframe(pd.DataFrame([test.to_json() for test in found.tests]), hide_index=True)


@st.cache_data(max_entries=16, show_spinner="Ranking with both maps")
def _duel(key: tuple[str, ...], _pairs: Any, _first: Any, _second: Any) -> Duel:  # noqa: ARG001
    return duel(_pairs, _first, _second)


def _scatter(found: Duel, names: tuple[str, str], ids: list[str]) -> Any:
    """Return each query's rank by either method: below the diagonal the second is better."""
    go, colours = plotly(), palette(dark=shell.dark())
    figure = go.Figure()
    looks = (("won", "circle"), ("tied", "x"), ("lost", "triangle-up"))
    for place, (what, shape) in enumerate(looks):
        rows = np.flatnonzero(found.verdicts == 1 - place)
        figure.add_trace(
            go.Scattergl(
                x=found.first[rows],
                y=found.second[rows],
                mode="markers",
                name=f"{names[0]} {what} ({len(rows)})",
                marker={"symbol": shape, "color": colours[(0, 3, 1)[place]], "size": 8},
                text=[ids[row] for row in rows],
                hovertemplate="%{text}<br>%{x} against %{y}<extra></extra>",
            )
        )
    top = float(np.nanmax([found.first, found.second], initial=2))
    figure.add_trace(
        go.Scatter(
            x=[1, top], y=[1, top], mode="lines", line={"color": "#8a8a8a", "dash": "dot"}, name="equal"
        )
    )
    figure.update_layout(
        height=420,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"type": "log", "dtick": 1, "title": {"text": f"rank by {names[0]} (log)"}},
        yaxis={"type": "log", "dtick": 1, "title": {"text": f"rank by {names[1]} (log)"}},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure


def _duels(source: Entry, target: Entry, by: str, maps: tuple[Entry, Entry]) -> None:
    st.subheader("Query by query")
    pairs = shell.pairs_of(source, target, by)
    if not len(pairs):
        st.info("No pairs by this choice, so no query has a true partner: choose another one in the sidebar.")
        return
    names = plain(maps[0].name), plain(maps[1].name)
    with shell.told():
        found = _duel(
            shell.key_of(source, target, *maps, by), pairs, shell.alignment(maps[0]), shell.alignment(maps[1])
        )
    left, middle, right, last = st.columns(4)
    left.metric("wins of the first", found.wins)
    middle.metric("ties", found.ties)
    right.metric("wins of the second", found.losses)
    last.metric(
        "p, sign test", f"{found.p:.2g}", help="Two-sided, exact, ties left out; every query counts as one."
    )
    side = shell.space(source)
    ids = [plain(side.id_at(row)) for row in range(len(side))]
    st.plotly_chart(_scatter(found, names, ids), key="duel")
    order = np.argsort(-np.nan_to_num(np.abs(found.gain)), kind="stable")[:WORST]
    rows = []
    for row in order[np.nan_to_num(found.gain[order]) != 0]:
        line = {
            "id": ids[row],
            f"rank by {names[0]}": found.first[row],
            f"rank by {names[1]}": found.second[row],
        }
        line["picture"] = things.thumbnail_of(things.media_of(side, int(row), source.path))
        rows.append(line | things.words_of(side, int(row)))
    if rows:
        st.text("Where the two differ most:")
        things.table(rows, "duel")


def _linked(source: Entry, target: Entry, by: str, maps: tuple[Entry, Entry]) -> None:
    st.subheader("One selection in both maps")
    sides = [shell.space(source), shell.space(target)]
    pairs = shell.pairs_of(source, target, by)
    scene = choose_rows(sides, pairs, most=DRAWN)
    chosen = st.session_state.get("linked", [])
    columns = st.columns(2)
    caught = None
    for place, entry in enumerate(maps):
        fitted = shell.alignment(entry)
        assert fitted is not None
        with columns[place], shell.told():
            layout = moving(*before_and_after(sides, scene, fitted), 1.0)
            clouds = [
                _cloud(side, rows, layout.points[n], n, chosen)
                for n, (side, rows) in enumerate(zip(sides, scene.rows, strict=True))
            ]
            st.text(plain(entry.name))
            event = st.plotly_chart(
                map_figure(clouds, layout, dark=shell.dark(), narrow=True),
                key=f"linked-{place}",
                on_select="rerun",
                selection_mode=("box", "lasso", "points"),
            )
            keys = keys_of(event)
            if keys and keys != st.session_state.get(f"caught-{place}"):
                st.session_state[f"caught-{place}"] = caught = keys
    if caught is not None and caught != chosen:
        st.session_state["linked"] = caught
        st.rerun()
    if chosen:
        st.text(f"{len(chosen)} points are ringed in both maps.")
        names = [
            f"{('source', 'target')[place]} {plain(sides[place].id_at(row))}" for place, row in chosen[:12]
        ]
        st.text(", ".join(names))
    else:
        st.text("Draw a lasso in either map: the same items are ringed in the other.")


def _cloud(
    side: Any, rows: np.ndarray, points: np.ndarray, place: int, chosen: list[tuple[int, int]]
) -> Cloud:
    wanted = {row for which, row in chosen if which == place}
    ids = [plain(side.id_at(int(row))) for row in rows]
    from alignkit.explorer.captions import for_plotly

    return Cloud(
        ("source", "target")[place],
        points,
        [(place, int(row)) for row in rows],
        [for_plotly(name) for name in ids],
        chosen=[spot for spot, row in enumerate(rows) if int(row) in wanted],
    )


def page() -> None:
    """Show the page."""
    st.header("Compare")
    shell.need(1, "space", "alignkit demo --out DIR")
    source, target, fitted = shell.choose_pair(need_pair=False)
    _leaderboard(shell.catalogue().of("comparison"), source, target)
    shell.need_two()
    by = shell.choose_pairing(source, target)
    maps = shell.maps_between(source, target)
    if len(maps) < 2:
        st.info(
            "Two alignments of the same two spaces are needed to compare them query by query. Fit another:"
        )
        taken = tuple(entry.name for entry in shell.catalogue().of("alignment"))
        st.code(commands.fitting(source, target, taken), language="sh")
        return
    names = [entry.name for entry in maps]
    first = fitted.name if fitted else names[0]
    with st.sidebar:
        other = shell.choose("Against", [name for name in names if name != first], "against")
    chosen = next(e for e in maps if e.name == first), next(e for e in maps if e.name == other)
    st.text(f"first: {plain(first)}    second: {plain(other)}")
    try:
        _duels(source, target, by, chosen)
    except AlignkitError as error:
        st.info(shell.for_markdown_long(str(error)))
    _linked(source, target, by, chosen)


page()
