"""Folder: every artifact that lies here, what it says of itself, and what is broken."""

import re
from typing import Any

import pandas as pd
import streamlit as st

from alignkit.explorer.captions import for_markdown, plain
from alignkit.explorer.catalogue import Entry
from explorer_pages import shell
from explorer_pages.shell import fault_of, for_markdown_long

DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{20,}\b")
WRAPPED = 100  # lines up to which a table is not cut at the edge of the page
TITLES = {
    "space": "Spaces",
    "alignment": "Alignments",
    "report": "Reports",
    "comparison": "Comparisons",
    "sweep": "Sweeps",
    "audition": "Auditions",
}
HINTS = (
    ("Map", "both modalities in one picture, their pairs, and what a lasso catches"),
    ("Query", "one item, its neighbours through a map, and where its true partner stands"),
    ("Compare", "methods side by side: scores, tests, wins and losses per query"),
    ("Gap", "how far the modalities lie apart, each measure beside its null band"),
    ("Audition", "what was made from mapped rows, beside truth and floor; blind votes"),
    ("Report", "tables and figures for a paper, and the command that makes each again"),
)


def _short(space: Any) -> str:
    """Return a space in words, digests of its weights cut to 12 digits."""
    return plain(DIGEST.sub(r"\1", str(space)))


def _line(entry: Entry) -> dict[str, Any]:
    facts = entry.facts
    line: dict[str, Any] = {"name": plain(entry.name)}
    if entry.kind == "space":
        named = {"rows": facts["rows"], "dimensions": facts["dim"], "modality": facts["modality"]}
        return line | named | {"model": _short(facts["space"])}
    if entry.kind == "alignment":
        return line | {
            "method": facts["method"],
            "from": _short(facts["source"]),
            "to": _short(facts["target"]),
        }
    return line | {name: plain(", ".join(v) if isinstance(v, list) else v) for name, v in facts.items()}


def _show(lines: list[dict[str, Any]]) -> None:
    """Show every word of a few artifacts, on several lines where they are long; of many a sheet."""
    if len(lines) > WRAPPED:
        st.dataframe(pd.DataFrame(lines), hide_index=True)
        return
    words = [{name: for_markdown_long(str(cell)) for name, cell in line.items()} for line in lines]
    st.table(pd.DataFrame(words).set_index("name"))


def page() -> None:
    """Show the page."""
    found = shell.catalogue()
    st.header("What lies here")
    st.text(str(found.root))
    if not found.entries:
        st.info("No artifacts under this folder yet. Make some with:")
        st.code("alignkit demo --out demo-report\nalignkit explore demo-report", language="sh")
        return
    for kind, title in TITLES.items():
        entries = [entry for entry in found.entries if entry.kind == kind and not entry.fault]
        if entries:
            st.subheader(f"{title} ({len(entries)})")
            _show([_line(entry) for entry in entries])
    if found.broken:
        st.subheader(f"Broken ({len(found.broken)})")
        for each in found.broken:
            with st.container(border=True):
                st.markdown(f"**{for_markdown(each.name)}** ({each.kind})  \n{fault_of(each)}")
    st.subheader("What the pages show")
    st.table(pd.DataFrame(HINTS, columns=["page", "shows"]).set_index("page"))


page()
