"""Gap: every measure beside its null band, similarities before and after, and what closing it does."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from alignkit import AlignkitError, Report, measure_gap, sweep_gap
from alignkit.closing._sweep import Sweep
from alignkit.explorer.catalogue import Entry
from alignkit.explorer.figures import histogram_figure, plotly
from alignkit.explorer.palettes import palette
from alignkit.explorer.similarities import similarities
from alignkit.explorer.sweeps import load_sweep
from alignkit.gap_tables import place
from alignkit.plots import to_png
from alignkit.sweep_plots import gap_sweep
from alignkit.sweep_tables import text as sweep_text
from explorer_pages import commands, shell

AT_ONCE = 1_500  # rows a side up to which every measure is taken without being asked for
SECTIONS = {"before": "before the map", "measures": "as they are", "after": "after the map"}
SHAPES = {"above": "triangle-up", "within": "circle", "below": "triangle-down", "": "circle-open"}


@st.cache_data(
    max_entries=16, show_spinner="Measuring the gap: every measure, its interval and its null band"
)
def _measured(key: tuple[str, ...], _sides: Any, _pairs: Any, _alignment: Any) -> Report:  # noqa: ARG001
    return measure_gap(*_sides, pairs=_pairs if len(_pairs) else False, alignment=_alignment, most=1_000)


@st.cache_data(max_entries=16, show_spinner="Comparing rows")
def _similar(key: tuple[str, ...], _pairs: Any, _alignment: Any) -> dict[str, np.ndarray]:  # noqa: ARG001
    return similarities(_pairs, _alignment)


@st.cache_data(max_entries=8, show_spinner="Closing the gap in every known way, on held-out pairs")
def _swept(key: tuple[str, ...], _sides: Any, _pairs: Any) -> Sweep:  # noqa: ARG001
    return sweep_gap(*_sides, pairs=_pairs)


def _rows(report: Report) -> list[dict[str, Any]]:
    rows = []
    for section, scores in report.sections.items():
        when = (
            "after the map"
            if section == "measures" and report.context["frame"] == "target"
            else SECTIONS[section]
        )
        for name, score in scores.items():
            rows.append(
                {
                    "when": when,
                    "measure": name,
                    "value": score.value,
                    "low": score.low,
                    "high": score.high,
                    "null": score.chance,
                    "null low": score.chance_low,
                    "null high": score.chance_high,
                    "against the null": place(score),
                    "n": score.n,
                }
            )
    return rows


def _bands(rows: list[dict[str, Any]]) -> Any:
    """Return each measure on a line of its own, in widths of its null band: 0 is its middle, 1 its edge."""
    go, colours = plotly(), palette(dark=shell.dark())
    figure = go.Figure()
    shown = [row for row in rows if row["null low"] is not None and row["null high"] > row["null low"]]
    names = list(dict.fromkeys(row["measure"] for row in shown))[::-1]
    figure.add_vrect(x0=-1, x1=1, fillcolor="#8a8a8a", opacity=0.25, line_width=0)
    for number, when in enumerate(dict.fromkeys(row["when"] for row in shown)):
        own = [row for row in shown if row["when"] == when]
        across = []
        for row in own:
            half = (row["null high"] - row["null low"]) / 2
            far = (row["value"] - (row["null high"] + row["null low"]) / 2) / half
            across.append(float(np.sign(far) * np.log1p(abs(far)) / np.log(2)))
        figure.add_trace(
            go.Scatter(
                x=across,
                y=[row["measure"] for row in own],
                mode="markers",
                name=when,
                marker={
                    "size": 10,
                    "color": colours[number],
                    "symbol": [SHAPES[row["against the null"]] for row in own],
                },
                text=[
                    f"{row['value']:.4g}, null {row['null low']:.4g} to {row['null high']:.4g}" for row in own
                ],
                hovertemplate="%{y}<br>%{text}<extra></extra>",
            )
        )
    figure.update_layout(
        height=140 + 22 * len(names),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": {"text": "half-widths of the null band from its middle, log2(1 + x); grey: within"}},
        yaxis={"categoryorder": "array", "categoryarray": names},
        legend={"orientation": "h", "y": 1.01, "yanchor": "bottom"},
    )
    return figure


def _show_measures(rows: list[dict[str, Any]], report: Report) -> None:
    st.plotly_chart(_bands(rows), key="bands")
    st.text(
        "Triangles up lie above the band of the measure where there is no gap, down below it, dots within."
    )
    frame = pd.DataFrame(rows)
    st.dataframe(frame, hide_index=True, key="measures")
    st.download_button("Download as CSV", frame.to_csv(index=False), "gap.csv", "text/csv", key="gap-csv")
    protocol = report.context["protocol"]
    for name, count in protocol["sampled"].items():
        st.text(f"{name}: taken on a seeded sample of {count} rows a side")
    if protocol["not_measured"]:
        with st.expander(f"{len(protocol['not_measured'])} not measured"):
            for name, why in protocol["not_measured"].items():
                st.text(f"{name}: {why}")
    for sentence in protocol["warnings"]:
        st.text(f"warning: {sentence}")


def _show_similarities(key: tuple[str, ...], pairs: Any, fitted: Any, *, straight: bool) -> None:
    st.subheader("Similarities")
    stages = {"as they are": None} if straight else {}
    if fitted is not None:
        stages["after the map (joint frame)"] = fitted
    columns = st.columns(max(1, len(stages)))
    for number, (title, map_) in enumerate(stages.items()):
        with columns[number], shell.told():
            st.text(title)
            series = _similar((*key, title), pairs, map_)
            st.plotly_chart(histogram_figure(series, "cosine", dark=shell.dark()), key=f"histogram-{number}")
    st.text("Where paired and unpaired rows lie under one curve, retrieval is at chance.")


def _show_sweep(
    chosen: tuple[Entry, Entry, Entry | None], key: tuple[str, ...], pairs: Any, *, straight: bool
) -> None:
    source, target, fitted = chosen
    st.subheader("Does closing it help?")
    stored = shell.catalogue().of("sweep")
    if stored:
        name = shell.choose("Stored sweep", [entry.name for entry in stored], "sweep")
        entry = next(entry for entry in stored if entry.name == name)
        with shell.told():
            _draw_sweep(load_sweep(entry.path))
    if not straight or not len(pairs):
        st.text("A sweep needs pairs of rows in one space: closing a gap only means something there.")
        if len(pairs) and fitted is not None:
            st.text("Map the source's rows into the target's space first:")
    elif shell.switch("Sweep these two spaces", "swept", default=len(pairs) <= 300 and not stored):
        with shell.told():
            _draw_sweep(_swept(key, [shell.space(source), shell.space(target)], pairs))
    if len(pairs) and (command := commands.sweeping(source, target, fitted, straight=straight)):
        st.code(command, language="sh")


def _draw_sweep(found: Sweep) -> None:
    st.image(to_png(gap_sweep(found)))  # on white paper, in the dark as well
    with st.expander("As a table"):
        st.code(sweep_text(found), language=None)


def page() -> None:
    """Show the page."""
    st.header("Gap")
    source, target, fitted = shell.choose_pair()
    by = shell.choose_pairing(source, target)
    if not shell.joined(source, target, fitted):
        return
    sides = [shell.space(source), shell.space(target)]
    with shell.told():
        pairs = shell.pairs_of(source, target, by)
    key, map_ = shell.key_of(source, target, fitted, by), shell.alignment(fitted)
    straight = source.facts["space"].meets(target.facts["space"])
    small = max(map(len, sides)) <= AT_ONCE
    if shell.switch("Measure", "measured", default=small, help="Takes seconds to minutes; results are kept."):
        try:
            report = _measured(key, sides, pairs, map_)
            _show_measures(_rows(report), report)
        except AlignkitError as error:
            st.error(shell.for_markdown_long(str(error)))
    st.code(commands.measuring(source, target, fitted), language="sh")
    _show_similarities(key, pairs, map_, straight=straight)
    _show_sweep((source, target, fitted), key, pairs, straight=straight)


page()
