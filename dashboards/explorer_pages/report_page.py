"""Report: tables as text, Markdown, CSV, LaTeX; figures as SVG, PDF; the command that makes each."""

from typing import Any

import streamlit as st

from alignkit import comparison_tables, gap_tables, load_report, sweep_tables, tables
from alignkit.explorer.captions import plain
from alignkit.explorer.catalogue import Entry
from alignkit.explorer.papers import command_for, figures_of, is_guessed, report_latex, to_pdf
from alignkit.explorer.sweeps import load_sweep
from alignkit.plots import to_png, to_svg
from alignkit.storage import load_comparison
from explorer_pages import shell

KINDS = ("report", "comparison", "sweep")


def _tables(kind: str, found: Any) -> dict[str, str]:
    """Return every format of what was read, by its suffix."""
    if kind == "comparison":
        made = comparison_tables
        return {
            "txt": made.text(found),
            "md": made.markdown(found),
            "csv": made.csv(found),
            "tex": made.latex(found),
        }
    if kind == "sweep":
        return {"txt": sweep_tables.text(found), "csv": sweep_tables.csv(found)}
    text = gap_tables.text if found.kind == "gap" else tables.text
    return {
        "txt": text(found),
        "md": tables.markdown(found),
        "csv": tables.csv(found),
        "tex": report_latex(found),
    }


def _load(entry: Entry) -> Any:
    return {"report": load_report, "comparison": load_comparison, "sweep": load_sweep}[entry.kind](entry.path)


def _show_command(found: Any, entry: Entry) -> None:
    st.subheader("The command that makes it again")
    command = command_for(found, entry.name)
    if command:
        st.code(command, language="sh")
    if not command:
        st.text("This report does not say by which command it was made.")
    elif is_guessed(found) and getattr(found, "kind", "") != "demo":
        st.text(
            "Made in Python, or by an older version: the report names its sides and not its options, so put "
            "in the paths of your files, the map among them."
        )


def page() -> None:
    """Show the page."""
    st.header("Report")
    entries = [entry for kind in KINDS for entry in shell.catalogue().of(kind)]  # pyright: ignore
    if not entries:
        st.info("No report, comparison or sweep under this folder. Make one with:")
        st.code(
            "alignkit eval A.space B.space --alignment a.alignment --json > a.report.json\n"
            "alignkit gap A.space B.space --json > gap.report.json\n"
            "alignkit compare A.space B.space --methods procrustes,ridge --out x.compare.json",
            language="sh",
        )
        return
    name = shell.choose("Report", [entry.name for entry in entries], "report")
    entry = next(entry for entry in entries if entry.name == name)
    with shell.told():
        found = _load(entry)
        made = _tables(entry.kind, found)
        figures = figures_of(found)
    stem = entry.path.name.partition(".")[0]
    st.subheader("Tables")
    for tab, (suffix, text) in zip(st.tabs([name.upper() for name in made]), made.items(), strict=True):
        with tab:
            st.code(text, language={"tex": "latex", "md": "markdown"}.get(suffix), wrap_lines=False)
            st.download_button(f"Download {stem}.{suffix}", text, f"{stem}.{suffix}", key=f"table-{suffix}")
    if figures:
        st.subheader("Figures")
    for title, figure in figures.items():
        st.image(to_png(figure))  # on white paper, in the dark as well
        left, right = st.columns(2)
        left.download_button(
            f"Download {title} as SVG",
            to_svg(figure),
            f"{stem}-{title}.svg",
            "image/svg+xml",
            key=f"{title}-svg",
        )
        right.download_button(
            f"Download {title} as PDF",
            to_pdf(figure),
            f"{stem}-{title}.pdf",
            "application/pdf",
            key=f"{title}-pdf",
        )
    _show_command(found, entry)
    with st.expander("What it was made from"):
        st.json(found.context, expanded=1)
    st.text(f"file: {plain(entry.name)}")


page()
