"""What every page shares: the folder, cached handles, choices that live in the address, and empty states."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from alignkit import AlignkitError, Alignment, Embeddings, load_alignment, open_embeddings
from alignkit.explorer.captions import for_markdown
from alignkit.explorer.catalogue import Catalogue, Entry, find_artifacts
from alignkit.explorer.media import MediaFolder
from alignkit.explorer.scenes import BY_ID, UNPAIRED, pair_up
from alignkit.explorer.server import ROOT
from alignkit.explorer.standings import Standings, hub_counts, standings
from alignkit.pairs import Pairs
from explorer_pages import commands

NONE = "none"
FRESH = 5  # seconds after which the folder is looked at again


def root() -> Path:
    """Return the folder that is shown."""
    return Path(os.environ.get(ROOT, "."))


@st.cache_resource(ttl=FRESH, show_spinner="Looking through the folder")
def _catalogue(folder: str) -> Catalogue:
    return find_artifacts(folder)


def catalogue() -> Catalogue:
    """Return what lies under the folder."""
    return _catalogue(str(root()))


@st.cache_resource(max_entries=32, show_spinner=False)
def _space(path: str, stamp: str) -> Embeddings:  # noqa: ARG001 - the stamp is part of the cache's key
    return open_embeddings(path)


@st.cache_resource(max_entries=32, show_spinner=False)
def _alignment(path: str, stamp: str) -> Alignment:  # noqa: ARG001
    return load_alignment(path)


def space(entry: Entry) -> Embeddings:
    """Return the handle of a space: vectors stay on disk."""
    return _space(str(entry.path), entry.stamp)


def alignment(entry: Entry | None) -> Alignment | None:
    """Return the alignment of an entry."""
    return None if entry is None else _alignment(str(entry.path), entry.stamp)


@st.cache_resource
def media() -> MediaFolder:
    """Return the one resolver of media."""
    return MediaFolder(root())


def list_folder() -> None:
    """Show in the sidebar what is there, and what is broken with its sentence."""
    found = catalogue()
    with st.sidebar:
        st.text(f"{found.root.name}: {found.told() or 'nothing'}")
        if found.broken:
            with st.expander(f"{len(found.broken)} broken", icon=":material/error:"):
                for entry in found.broken:
                    st.markdown(f"{for_markdown(entry.name)}  \n{fault_of(entry)}")
        if found.cut:
            st.warning(f"More than {len(found.entries)} artifacts: the rest is left out.")


def need(count: int, kind: Any, command: str) -> list[Entry]:
    """Return the entries of a kind; with fewer than ``count``, say the command and stop the page."""
    entries = catalogue().of(kind)
    if len(entries) < count:
        what = {0: "No", 1: "Only one"}.get(len(entries), f"Only {len(entries)}")
        st.info(f"{what} {kind} under this folder. Make one with:")
        st.code(command, language="sh")
        st.stop()
    return entries


@contextmanager
def told() -> Iterator[None]:
    """Show an expected error as its sentence, and stop the page."""
    try:
        yield
    except AlignkitError as error:
        st.error(for_markdown_long(str(error)))
        st.stop()


def fault_of(entry: Entry) -> str:
    """Return why an artifact is broken, escaped, with paths that start in the explored folder."""
    return for_markdown_long(entry.fault.replace(f"{catalogue().root}{os.sep}", ""))


def dark() -> bool:
    """Say whether the page is dark; before the browser has said so it is taken for white."""
    return st.context.theme.type == "dark"


def for_markdown_long(text: str) -> str:
    """Return a whole sentence, escaped."""
    return " ".join(for_markdown(word) for word in text.split())


def choose(
    label: str,
    options: Sequence[str],
    key: str,
    *,
    default: str = "",
    shown: Callable[[str], str] = str,
    place: Any = st,
    help: str | None = None,
) -> str:
    """Return the chosen option; it stands in the address, and an address that names it chooses it."""
    options = list(options)
    _from_address(key, lambda word: word in options, default if default in options else options[0], options)
    value = place.selectbox(label, options, key=key, format_func=shown, help=help)
    st.query_params[key] = value
    return value


def slide(label: str, key: str, default: float, *, help: str | None = None) -> float:
    """Return a share between 0 and 1 that stands in the address."""

    def known(word: str) -> bool:
        try:
            return 0 <= float(word) <= 1
        except ValueError:
            return False

    if key not in st.session_state:
        word = st.query_params.get(key, "")
        st.session_state[key] = float(word) if known(word) else default
    value = st.slider(label, 0.0, 1.0, step=0.05, key=key, help=help)
    st.query_params[key] = f"{value:g}"
    return value


def switch(label: str, key: str, *, default: bool, place: Any = st, help: str | None = None) -> bool:
    """Return a yes or no that stands in the address."""
    if key not in st.session_state:
        st.session_state[key] = {"1": True, "0": False}.get(st.query_params.get(key, ""), default)
    value = place.toggle(label, key=key, help=help)
    st.query_params[key] = "1" if value else "0"
    return value


def words(label: str, key: str, *, help: str | None = None) -> str:
    """Return a line of text that stands in the address."""
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(key, "")[:500]
    value = st.text_input(label, key=key, help=help, max_chars=500)
    put(key, value)
    return value


def put(key: str, value: str) -> None:
    """Write a word into the address, or take it out where it is empty."""
    if value:
        st.query_params[key] = value
    elif key in st.query_params:
        del st.query_params[key]


def _from_address(key: str, good: Callable[[str], bool], default: str, options: list[str]) -> None:
    if key not in st.session_state:
        word = st.query_params.get(key, default)
        st.session_state[key] = word if good(word) else default
    elif st.session_state[key] not in options:
        st.session_state[key] = default


def choose_pair(*, need_pair: bool = True) -> tuple[Entry, Entry, Entry | None]:
    """Let source, target and an alignment between them be chosen in the sidebar."""
    spaces = need(1, "space", "alignkit demo --out DIR")
    by_name = {entry.name: entry for entry in spaces}
    first, second = _defaults(spaces)
    with st.sidebar:
        source = by_name[choose("Source", list(by_name), "source", default=first)]
        target = by_name[choose("Target", list(by_name), "target", default=second)]
        maps = maps_between(source, target)
        names = [entry.name for entry in maps]
        straight = source.facts["space"].meets(target.facts["space"])
        options = [NONE, *names] if straight or not names else [*names, NONE]
        name = choose("Alignment", options, "alignment", help="Maps that join these two spaces.")
    if need_pair:
        need_two()
    return source, target, next((entry for entry in maps if entry.name == name), None)


def need_two() -> None:
    """Stop the page, with the command that makes another space, where there is one only."""
    if len(catalogue().of("space")) < 2:
        st.info("Only one space under this folder: this page shows two. Make another one with:")
        st.code("alignkit embed ITEMS --encoder NAME --modality text --out DIR/other.space", language="sh")
        st.stop()


def maps_between(source: Entry, target: Entry) -> list[Entry]:
    """Return the alignments that join two spaces."""
    return [
        entry
        for entry in catalogue().of("alignment")
        if entry.facts["source"].meets(source.facts["space"])
        and entry.facts["target"].meets(target.facts["space"])
    ]


def _defaults(spaces: list[Entry]) -> tuple[str, str]:
    """Return the first two spaces that an alignment joins, or the first two that meet, or the first two."""
    for source in spaces:
        for target in spaces:
            if source is not target and maps_between(source, target):
                return source.name, target.name
    for source in spaces:
        for target in spaces:
            if source is not target and source.facts["space"].meets(target.facts["space"]):
                return source.name, target.name
    return spaces[0].name, spaces[min(1, len(spaces) - 1)].name


def choose_pairing(source: Entry, target: Entry) -> str:
    """Let it be chosen by what rows of the two sides belong together."""
    shared = [name for name in source.facts["columns"] if name in target.facts["columns"]]
    with st.sidebar:
        return choose(
            "Partners share their",
            [BY_ID, *shared, UNPAIRED],
            "pairs",
            help="Which rows of source and target belong together: equal ids, or equal values in a column.",
        )


def pairs_of(source: Entry, target: Entry, by: str) -> Pairs:
    """Return the pairs of two spaces."""
    return pair_up(space(source), space(target), by)


@st.cache_data(max_entries=24, show_spinner="Ranking every query among all items")
def _standings(key: tuple[str, ...], _pairs: Pairs, _alignment: Alignment | None) -> Standings:  # noqa: ARG001
    return standings(_pairs, _alignment)


@st.cache_data(max_entries=24, show_spinner="Counting how often each item is found")
def _hubs(key: tuple[str, ...], _pairs: Pairs, _alignment: Alignment | None) -> np.ndarray:  # noqa: ARG001
    return hub_counts(_pairs, _alignment).occurrences


def ranks(source: Entry, target: Entry, by: str, fitted: Entry | None) -> Standings:
    """Return where every source row's partner stands."""
    return _standings(key_of(source, target, fitted, by), pairs_of(source, target, by), alignment(fitted))


def hubs(source: Entry, target: Entry, by: str, fitted: Entry | None) -> np.ndarray:
    """Return how often each target row is among the ten nearest of a source row."""
    return _hubs(key_of(source, target, fitted, by), pairs_of(source, target, by), alignment(fitted))


def key_of(*parts: "Entry | str | None") -> tuple[str, ...]:
    """Return what results of these artifacts are cached by."""
    return tuple(
        part if isinstance(part, str) else f"{part.path}@{part.stamp}" if part else NONE for part in parts
    )


def joined(source: Entry, target: Entry, fitted: Entry | None) -> bool:
    """Say whether the two can be compared: they share a space, or a map leads from one to the other."""
    if fitted is not None or source.facts["space"].meets(target.facts["space"]):
        return True
    st.info(
        f"{for_markdown(source.name)} has {source.facts['dim']} dimensions of its own space, "
        f"{for_markdown(target.name)} {target.facts['dim']} of another, and no alignment under this "
        "folder joins the two. Make one with:"
    )
    st.code(commands.fitting(source, target), language="sh")
    return False
