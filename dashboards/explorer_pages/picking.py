"""What is selected on the map: chosen by mouse, keys, words or a link; named in the address; listed below."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from alignkit import AlignkitError
from alignkit.explorer.atlas import CAPTIONS, LABELS, modality_of
from alignkit.explorer.captions import for_markdown, plain
from alignkit.explorer.catalogue import Entry
from alignkit.explorer.selections import keep_selection, load_selection
from alignkit.explorer.texts import find_rows
from explorer_pages import shell, things

Key = tuple[int, int]
WORDS = 200  # rows a side that words select
HINT = (
    "Draw a lasso or a box, click a point (with the tool Pan, where there is one), or name it above: what is "
    "selected is listed here, with its media."
)


def keep(entries: Sequence[Entry], keys: Sequence[Key], by: str, count: int = 0) -> None:
    """Remember what was selected, by name; store it and write its word into the address.

    ``by`` says who selected; ``count`` is how many there are where only the first come with the selection.
    """
    named = [(entries[place].name, str(shell.space(entries[place]).id_at(row))) for place, row in keys]
    word = ""
    if named:
        try:
            word = keep_selection(shell.root(), named)
        except (AlignkitError, OSError):
            st.session_state["picked-unkept"] = True
    st.session_state["picked"] = (word, named, by, max(count, len(named)))
    shell.put("selection", word)


def chosen() -> set[tuple[str, str]]:
    """Return the (artifact, id) that are selected: those of this session, or those that the link names."""
    word = st.query_params.get("selection", "")
    kept = st.session_state.get("picked")
    if kept is not None and kept[0] == word:
        return set(kept[1])
    if not word:
        return set()
    try:
        return set(load_selection(shell.root(), word))
    except AlignkitError as error:
        st.warning(shell.for_markdown_long(str(error)))
        return set()


def picked_by() -> str:
    """Return who made the selection in effect: a name given to `keep`, or empty for a link."""
    kept = st.session_state.get("picked")
    return kept[2] if kept is not None and kept[0] == st.query_params.get("selection", "") else ""


def rows_of(named: set[tuple[str, str]], entries: Sequence[Entry]) -> list[Key]:
    """Return (side, row) of what is named, whether or not it is drawn."""
    found = []
    for place, entry in enumerate(entries):
        wanted = [name for artifact, name in named if artifact == entry.name]
        if wanted:
            ids = shell.space(entry).ids.cast(pa.string())
            held = pc.is_in(ids, value_set=pa.array(wanted, pa.string()))
            found += [(place, int(row)) for row in np.flatnonzero(held.to_numpy(zero_copy_only=False))]
    return found


def ask_words(entries: Sequence[Entry]) -> None:
    """Let points be selected by id or words, without a mouse, and the selection be dropped."""
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    left.text_input(
        "Select by id, or by words of a caption, label or id",
        key="pick",
        on_change=_by_words,
        args=(entries,),
        max_chars=500,
        help="An exact id wins; else every row that holds the words, up to 200 a side.",
    )
    right.button("Select none", key="pick-none", on_click=_none, args=(entries,))
    missed = st.session_state.pop("picked-missed", "")
    if missed:
        st.info(f"No row holds {for_markdown(missed)}.")


def _by_words(entries: Sequence[Entry]) -> None:
    words = st.session_state["pick"].strip()
    if not words:
        return
    sides = [find_rows(shell.space(entry), words, most=WORDS) for entry in entries]
    keys = [(place, int(row)) for place, rows in enumerate(sides) for row in rows]
    if keys:
        keep(entries, keys, "words")
    else:
        st.session_state["picked-missed"] = words


def _none(entries: Sequence[Entry]) -> None:
    st.session_state["pick"] = ""
    keep(entries, [], "words")


def show(entries: Sequence[Entry], standing: Any) -> None:
    """List what is selected, with small pictures, players and spectrograms; say how where nothing is."""
    keys = rows_of(chosen(), entries)
    if st.session_state.pop("picked-unkept", False):
        st.caption("This folder cannot be written to, so a link does not keep the selection.")
    if not keys:
        st.text(HINT)
        return
    kept = st.session_state.get("picked")
    count = max(len(keys), kept[3] if picked_by() else 0)
    st.subheader(f"{count:,} selected")
    if count > min(len(keys), things.ROWS):
        st.text(f"The first {min(len(keys), things.ROWS)} of {count:,} are listed.")
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
    things.table(rows, "selected")
    heard = [(line, medium) for line, medium in zip(rows, media, strict=True) if medium is not None]
    if heard:
        st.text(f"The first {min(len(heard), things.CARDS)} with media:")
        columns = st.columns(3)
        for spot, (line, medium) in enumerate(heard[: things.CARDS]):
            with columns[spot % 3]:
                words = [str(line.get(name, "")) for name in (*LABELS, *CAPTIONS) if line.get(name)]
                things.card(medium, plain(line["id"]), words)
