"""Folder: every artifact that lies here, what it says of itself, and what is broken."""

from typing import Any

import pandas as pd
import streamlit as st

from alignkit.explorer.captions import plain
from alignkit.explorer.catalogue import Entry
from explorer_pages import shell

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


def _line(entry: Entry) -> dict[str, Any]:
    facts = entry.facts
    line: dict[str, Any] = {"name": plain(entry.name)}
    if entry.kind == "space":
        named = {"rows": facts["rows"], "dimensions": facts["dim"], "modality": facts["modality"]}
        return line | named | {"model": plain(str(facts["space"]))}
    if entry.kind == "alignment":
        return line | {
            "method": facts["method"],
            "from": plain(facts["source"]),
            "to": plain(facts["target"]),
        }
    return line | {name: plain(", ".join(v) if isinstance(v, list) else v) for name, v in facts.items()}


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
            st.dataframe(pd.DataFrame([_line(entry) for entry in entries]), hide_index=True)
    if found.broken:
        st.subheader(f"Broken ({len(found.broken)})")
        lines = [
            {"name": plain(each.name), "kind": each.kind, "what is wrong": each.fault}
            for each in found.broken
        ]
        st.dataframe(pd.DataFrame(lines), hide_index=True)
    st.subheader("What the pages show")
    st.table(pd.DataFrame(HINTS, columns=["page", "shows"]).set_index("page"))


page()
