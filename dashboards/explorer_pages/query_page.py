"""Query: one item or a text, its neighbours through an alignment, its partner's rank, the hits' hubness."""

from typing import Any

import numpy as np
import streamlit as st

from alignkit import AlignkitError, Embeddings
from alignkit.explorer.atlas import CAPTIONS, LABELS, modality_of
from alignkit.explorer.captions import for_markdown, plain
from alignkit.explorer.catalogue import Entry
from alignkit.explorer.media import wav
from alignkit.explorer.standings import Neighbours, neighbours
from alignkit.explorer.texts import find_rows
from alignkit.explorer.uploads import MOST_BYTES, SUFFIXES, Upload, encode_item, read_upload
from alignkit.media.kinds import Modality
from explorer_pages import shell, things

SHOWN = (5, 10, 20, 50)
BACK = "target to source"


def _ask(side: Embeddings, entry: Entry) -> tuple[np.ndarray, int | None]:
    """Return the row that asks, and its number; None where something was encoded."""
    brought = st.file_uploader(
        "A picture, a sound or a text of your own",
        type=list(SUFFIXES),
        max_upload_size=MOST_BYTES >> 20,
        key="brought",
        help="Encoded by the model that made this space, where that model is at hand; kept nowhere.",
    )
    if brought is not None:
        with shell.told():
            content = brought.getvalue()
            upload = read_upload(brought.name, content)
            _show_upload(upload)
            return _encoded(content, str(entry.path), entry.stamp, upload.modality, upload.item), None
    asked = shell.words(
        "An id, or words of a caption, label or id",
        "q",
        help="An exact id wins; else every row that holds the words.",
    )
    rows = find_rows(side, asked) if asked else np.arange(min(len(side), 200))
    text = shell.switch(
        "Encode these words with the source's own model",
        "encode",
        default=False,
        help="Only where the model of this space reads text and its weights are at hand.",
    )
    if text and asked:
        with shell.told():
            return _encoded(asked, str(entry.path), entry.stamp, "text", asked), None
    if not len(rows):
        st.info(f"No row of {for_markdown(entry.name)} holds {for_markdown(asked)}.")
        st.stop()
    names = [str(side.id_at(int(row))) for row in rows[:200]]
    name = shell.choose(f"Item ({len(rows)} found)", names, "item")
    return side.take(rows[[names.index(name)]]), int(rows[names.index(name)])


@st.cache_data(max_entries=64, show_spinner="Encoding")
def _encoded(content: bytes | str, path: str, stamp: str, modality: Modality, _item: Any) -> np.ndarray:  # noqa: ARG001
    return encode_item(_item, modality, path, shell._space(path, stamp).space)


def _show_upload(upload: Upload) -> None:
    """Show what was brought as it was decoded: nothing of the file itself."""
    with st.container(border=True):
        st.text(f"asked: {plain(upload.name)}  ({upload.modality})")
        if upload.modality == "image":
            st.image(upload.item, width=320)
        elif upload.modality == "audio":
            st.audio(wav(upload.item), format="audio/wav")
        else:
            st.text(plain(upload.item, 500))


def _tell_rank(found: Neighbours, side: Embeddings) -> None:
    if not len(found.partners):
        st.text("No partner of this item is known: ranks need pairs.")
        return
    first = int(np.argmin(found.best))
    best, worst = int(found.best[first]), int(found.worst[first])
    left, middle, right = st.columns(3)
    left.metric("rank of the true partner", f"{best}" if best == worst else f"{best} to {worst}")
    middle.metric("among", f"{found.gallery:,} items")
    right.metric("chance: mean rank", f"{(found.gallery + 1) / 2:,.1f}")
    st.text("partner: " + ", ".join(plain(side.id_at(int(row)), 60) for row in found.partners[:5]))


def _lines(
    found: Neighbours, side: Embeddings, entry: Entry, counts: np.ndarray | None
) -> list[dict[str, Any]]:
    lines = []
    for place, (row, near) in enumerate(zip(found.rows, found.cosines, strict=True), 1):
        line = {"rank": place, "id": str(side.id_at(int(row))), "cosine": round(float(near), 4)}
        line["picture"] = things.thumbnail_of(things.media_of(side, int(row), entry.path))
        line["partner"] = "yes" if row in found.partners else ""
        if counts is not None:
            line["found by (N10)"] = int(counts[row])
        lines.append(line | things.words_of(side, int(row)))
    return lines


def page() -> None:
    """Show the page."""
    st.header("Query")
    source, target, fitted = shell.choose_pair()
    by = shell.choose_pairing(source, target)
    if not shell.joined(source, target, fitted):
        return
    left, right = st.columns(2)
    with left:
        direction = shell.choose("Direction", ["source to target", BACK], "direction")
    with right:
        k = int(shell.choose("Neighbours", [str(k) for k in SHOWN], "k", default="10"))
    pairs, map_ = shell.pairs_of(source, target, by), shell.alignment(fitted)
    asks, gives, links = (
        (source, target, pairs.links) if direction != BACK else (target, source, pairs.links[:, ::-1])
    )
    side, gallery = shell.space(asks), shell.space(gives)
    query, row = _ask(side, asks)
    partners = links[links[:, 0] == row, 1] if row is not None else np.empty(0, np.int64)
    with shell.told():
        found = neighbours(query, gallery, partners, map_, k=k, backward=direction == BACK)
    if row is not None:
        with st.container(border=True):
            st.text(f"asked: {plain(side.id_at(row))}  ({modality_of(side, 0)})")
            for name, cell in things.words_of(side, row).items():
                st.text(f"{name}: {cell}")
            things.show_medium(things.media_of(side, row, asks.path))
        _tell_rank(found, gallery)
    counts = None
    if direction != BACK:
        try:
            counts = shell.hubs(source, target, by, fitted)
        except AlignkitError as error:
            st.text(str(error))
    st.subheader("Nearest")
    lines = _lines(found, gallery, gives, counts)
    things.table(lines, "neighbours")
    if counts is not None:
        mean = counts.sum() / len(counts)
        st.text(
            f"N10: how many queries find the item among their ten nearest; {mean:.1f} on average. "
            f"Hits far above that are hubs: they stand near everything."
        )
    _cards(found, gallery, gives, lines)


def _cards(found: Neighbours, gallery: Embeddings, entry: Entry, lines: list[dict[str, Any]]) -> None:
    shown = [
        (line, medium)
        for line, row in zip(lines, found.rows, strict=True)
        if (medium := things.media_of(gallery, int(row), entry.path)) is not None
    ]
    columns = st.columns(3)
    for spot, (line, medium) in enumerate(shown[: things.CARDS]):
        with columns[spot % 3]:
            words = [str(line[name]) for name in (*LABELS, *CAPTIONS) if line.get(name)]
            things.card(
                medium, f"{line['rank']}. {plain(line['id'])}", [f"cosine {line['cosine']:.3f}", *words]
            )


page()
