"""Audition: what was made from mapped rows, beside truth and floor; blind votes stored beside it."""

from typing import Any

import pandas as pd
import streamlit as st

from alignkit import AlignkitError
from alignkit.explorer.auditions import TIE, Audition, blind_order, load_audition, tally, vote, votes
from alignkit.explorer.captions import plain
from alignkit.explorer.catalogue import Entry
from explorer_pages import shell, things

COMMAND = "alignkit audition X.space --alignment a.alignment --decoder nearest --out DIR/heard"
SHOWN = 8
FIRST = "mapped"
FLOORS = ("floor", "shuffled", "control")  # what it is judged against, where there is one


def _medium(found: Audition, name: str) -> Any:
    try:
        return shell.media().find(name, found.folder)
    except AlignkitError as error:
        st.text(str(error))
        return None


def _side_by_side(found: Audition) -> None:
    names = [item.id for item in found.items]
    start = (
        int(shell.choose("From item", [str(n) for n in range(0, len(names), SHOWN)], "from"))
        if len(names) > SHOWN
        else 0
    )
    for item in found.items[start : start + SHOWN]:
        st.text(plain(item.id))
        columns = st.columns(len(found.variants))
        for column, variant in zip(columns, found.variants, strict=True):
            with column, st.container(border=True):
                st.text(variant)
                for name in item.media.get(variant, ()):
                    things.show_medium(_medium(found, name))


def _blind(found: Audition, entry: Entry) -> None:
    """Show two variants of one item as A and B, and store which is preferred."""
    st.subheader("Blind A/B")
    left, right = st.columns(2)
    variants = list(found.variants)
    with left:
        first = shell.choose("One variant", variants, "first", default=FIRST)
    with right:
        rest = [name for name in variants if name != first]
        floor = next((name for name in FLOORS if name in rest), "")
        second = shell.choose("Another", rest, "second", default=floor)
    cast = votes(found)
    judged = {one["item"] for one in cast if {one["A"], one["B"]} == {first, second}}
    both = [item for item in found.items if item.media.get(first) and item.media.get(second)]
    open_ = [item for item in both if item.id not in judged]
    st.progress(
        len(judged & {item.id for item in both}) / max(1, len(both)), f"{len(judged)} of {len(both)} judged"
    )
    if open_:
        item = open_[0]
        order = blind_order(item.id, (first, second), len(judged) // max(1, len(both)))
        st.text(f"Which is nearer to {plain(item.id)}?")
        for column, letter, variant in zip(st.columns(2), "AB", order, strict=True):
            with column, st.container(border=True):
                st.text(letter)
                things.show_medium(_medium(found, item.media[variant][0]))
        buttons = st.columns(3)
        for column, choice, label in zip(buttons, ("A", TIE, "B"), ("A", "no difference", "B"), strict=True):
            column.button(label, key=f"vote-{choice}", on_click=_vote, args=(found, item.id, order, choice))
    elif both:
        st.success("Every item is judged.")
    if st.session_state.get("vote-fault"):
        st.error(shell.for_markdown_long(st.session_state.pop("vote-fault")))
    result = tally(cast, first, second)
    if result.wins + result.losses + result.ties:
        with st.expander("Result so far (it unblinds)"):
            st.text(
                f"{first} preferred {result.wins}, {second} {result.losses}, no difference {result.ties}; "
                f"p = {result.p:.3g} (two-sided exact test, ties left out)"
            )
            st.dataframe(pd.DataFrame(cast), hide_index=True)
            st.text(f"stored in {entry.name}/votes.jsonl")


def _vote(found: Audition, item: str, order: tuple[str, str], choice: str) -> None:
    try:
        vote(found, item, order, choice)
    except AlignkitError as error:
        st.session_state["vote-fault"] = str(error)


def page() -> None:
    """Show the page."""
    st.header("Audition")
    entries = shell.need(1, "audition", COMMAND)
    name = shell.choose("Audition", [entry.name for entry in entries], "audition")
    entry = next(entry for entry in entries if entry.name == name)
    with shell.told():
        found = load_audition(entry.path)
    st.text(f"{len(found.items)} items; variants: {', '.join(found.variants)}")
    for sentence in found.context.get("warnings") or ():
        st.text(f"warning: {plain(sentence, 400)}")
    scores = found.context.get("scores")
    if isinstance(scores, dict) and scores:
        st.dataframe(
            pd.DataFrame([{"score": name, **cells} for name, cells in scores.items()]), hide_index=True
        )
    listen, judge = st.tabs(["Side by side", "Vote"])
    with judge:
        _blind(found, entry)
    with listen:
        _side_by_side(found)


page()
