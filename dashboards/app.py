"""The explorer: ``alignkit explore DIR`` starts it; what lies in one folder, and six pages over it."""

import sys
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from explorer_pages import shell  # noqa: E402 - the folder of this file is not a package

PAGES = ("folder", "map", "query", "compare", "gap", "audition", "report")
ICONS = {
    "folder": ":material/folder_open:",
    "map": ":material/scatter_plot:",
    "query": ":material/search:",
    "compare": ":material/leaderboard:",
    "gap": ":material/swap_horiz:",
    "audition": ":material/hearing:",
    "report": ":material/description:",
}

# a named icon would be fetched from the network by the browser: two squares, in the colours of the two sides
ICON = np.zeros((32, 32, 3), np.uint8) + 255
ICON[4:18, 4:18], ICON[14:28, 14:28] = (0, 114, 178), (213, 94, 0)
st.set_page_config(page_title="alignkit explorer", page_icon=Image.fromarray(ICON), layout="wide")
chosen = st.navigation(
    [
        st.Page(
            str(Path(HERE) / "explorer_pages" / f"{name}_page.py"),
            title=name.capitalize(),
            url_path=name,
            icon=ICONS[name],
            default=name == "folder",
        )
        for name in PAGES
    ]
)
shell.list_folder()
chosen.run()
