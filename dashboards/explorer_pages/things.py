"""Show items: a table of chosen rows with small pictures, and cards with players and spectrograms."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from alignkit import AlignkitError, Embeddings
from alignkit.explorer.captions import for_sheet, plain
from alignkit.explorer.media import COLUMNS, Media, address, content, spectrogram, thumbnail
from explorer_pages import shell

ROWS = 200  # of a table that carry small pictures
CARDS = 6


def media_of(side: Embeddings, row: int, artifact: Path) -> Media | None:
    """Return the medium of a row, by its path in the table or by its id; None where there is none."""
    name = next((column for column in COLUMNS if column in side.items.column_names), None)
    path = side.items[name][row].as_py() if name else side.id_at(row)
    if not isinstance(path, str) or not path:
        return None
    try:
        return shell.media().find(path, artifact)
    except AlignkitError:
        return None


@st.cache_data(max_entries=4000, show_spinner=False)
def small(path: str, stamp: float, _media: Media) -> str:  # noqa: ARG001 - the stamp is part of the key
    """Return the small picture of a medium as a data address; empty where it cannot be read."""
    try:
        return address(thumbnail(_media))
    except AlignkitError:
        return ""


@st.cache_data(max_entries=200, show_spinner=False)
def _spectrogram(path: str, stamp: float, _media: Media) -> bytes:  # noqa: ARG001
    return spectrogram(_media)


def thumbnail_of(medium: Media | None) -> str:
    """Return the data address of a medium's small picture."""
    if medium is None or medium.type == "video":
        return ""
    return small(str(medium.path), medium.path.stat().st_mtime, medium)


def words_of(side: Embeddings, row: int, columns: list[str] | None = None) -> dict[str, Any]:
    """Return the metadata of a row as printable text and numbers."""
    known = columns or [name for name in side.items.column_names if name not in COLUMNS]
    cells = {name: side.items[name][row].as_py() for name in known}
    return {
        n: v if isinstance(v, int | float) and not isinstance(v, bool) else plain(v) for n, v in cells.items()
    }


def table(rows: list[dict[str, Any]], key: str) -> None:
    """Show rows; ``picture`` holds data addresses. The file to download has no pictures and no formulas."""
    frame = pd.DataFrame(rows)
    if "picture" in frame and not frame["picture"].any():
        frame = frame.drop(columns="picture")
    st.dataframe(
        frame,
        hide_index=True,
        row_height=56 if "picture" in frame else None,
        column_config={"picture": st.column_config.ImageColumn("picture", width="small")},
        key=f"{key}-table",
    )
    words = frame.drop(columns="picture", errors="ignore")
    words = words.map(for_sheet) if len(words) else words
    st.download_button(
        "Download as CSV", words.to_csv(index=False), f"{key}.csv", "text/csv", key=f"{key}-csv"
    )


def card(medium: Media | None, title: str, lines: list[str]) -> None:
    """Show one item: its words as text, its picture or player, and the spectrogram of a sound."""
    with st.container(border=True):
        st.text(title)
        for line in lines:
            if line:
                st.text(line)
        show_medium(medium)


def show_medium(medium: Media | None) -> None:
    """Show a picture, or a player with a spectrogram; say in words why not where it cannot be read."""
    if medium is None:
        return
    try:
        if medium.type == "image":
            st.image(thumbnail(medium, 320))
        elif medium.type == "audio":
            st.audio(content(medium), format="audio/wav" if medium.mime not in _PLAYED else medium.mime)
            st.image(_spectrogram(str(medium.path), medium.path.stat().st_mtime, medium))
        else:
            st.video(content(medium), format=medium.mime)
    except AlignkitError as error:
        st.text(str(error))


_PLAYED = ("audio/wav", "audio/flac", "audio/ogg", "audio/mpeg")
