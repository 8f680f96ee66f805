"""Faiss indexes on graphics cards: which cards, what they can search, and the way there and back.

A card proposes rows as the processor does, and what it proposes is scored again by whole rows in float64. So
a card changes which rows are proposed, by its own rounding, and never a score or an order.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from alignkit.errors import DataError, MissingExtraError, ParameterError

CAP = 2048  # neighbours, and lists probed, that a search on a card can keep
INSTALL = "pip uninstall faiss-cpu, then pip install 'alignkit[faiss-gpu]'"
GRAPHS = ("IndexHNSW", "IndexNSG", "IndexNNDescent")


@dataclass(frozen=True, slots=True)
class Cards:
    """Name graphics cards by their numbers, none for the current one, and how they keep an index.

    Several cards hold a part of it each; with ``float16`` whole rows take half the memory there.
    """

    numbers: tuple[int, ...]
    float16: bool = False


_CURRENT: ContextVar[Cards | None] = ContextVar("alignkit_faiss_cards", default=None)


@contextmanager
def on_cards(device: str, *, float16: bool = False) -> Iterator[None]:
    """Let faiss train, fill and search indexes on graphics cards inside the ``with`` block.

    ``device`` is ``"cpu"``, ``"cuda"`` (the first card), ``"cuda:1"``, or ``"cuda:0,1"``: an index is then
    parted between these cards. Indexes are kept and written as those of the processor. Searches for more
    than 2,048 candidates or lists run on the processor, since a card keeps no more.

    Raises
    ------
    ParameterError
        If ``device`` names no card of this machine, or float16 is asked of the processor.
    MissingExtraError
        If faiss is not installed, or in the edition for processors alone.

    Examples
    --------
    >>> with on_cards("cpu"):
    ...     print(current_cards())
    None
    """
    cards = cards_of(device, float16=float16)
    if cards is not None:
        check_cards(device, cards)
    token = _CURRENT.set(cards)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_cards() -> Cards | None:
    """Return the cards that faiss works on, or None for the processor."""
    return _CURRENT.get()


def cards_of(device: str, *, float16: bool = False) -> Cards | None:
    """Return what ``device`` names: cards, or None for the processor.

    Examples
    --------
    >>> cards_of("cuda:0,2"), cards_of("cpu")
    (Cards(numbers=(0, 2), float16=False), None)
    """
    found = re.fullmatch(r"cpu|cuda(?::(\d+(?:,\d+)*))?", device)
    if not found:
        raise ParameterError(f"device is {device!r}: choose cpu, cuda, cuda:NUMBER or cuda:NUMBER,NUMBER.")
    if device == "cpu":
        if float16:
            raise ParameterError("float16 is for rows on a graphics card: name one with --device cuda.")
        return None
    numbers = tuple(int(number) for number in (found[1] or "0").split(","))
    if len(set(numbers)) < len(numbers):
        raise ParameterError(f"device is {device!r}: name every card once.")
    return Cards(numbers, float16)


def check_cards(device: str, cards: Cards) -> None:
    """Raise, saying why, unless faiss can work on these cards."""
    try:
        import faiss
    except ImportError as error:
        raise MissingExtraError(
            f"device {device} needs faiss for graphics cards: pip install 'alignkit[faiss-gpu]'."
        ) from error
    if not hasattr(faiss, "StandardGpuResources"):
        raise MissingExtraError(
            f"device {device} needs faiss for graphics cards, and the one here is for processors: {INSTALL}."
        )
    count = faiss.get_num_gpus()
    if count == 0:
        raise ParameterError(
            f"faiss sees no graphics card: device {device} needs an NVIDIA card and its driver; choose cpu "
            "otherwise."
        )
    if max(cards.numbers) >= count:
        raise ParameterError(f"device is {device!r}, but faiss sees {count}: the last is cuda:{count - 1}.")


def moved(faiss: Any, index: Any, cards: Cards) -> Any:  # Any: faiss carries no types
    """Return a copy of a faiss index on cards, a part on each where there are several.

    Raises
    ------
    ParameterError
        If faiss has no such index for cards.
    DataError
        If a card has too little memory.
    """
    _refuse_graphs(faiss, index)
    options = faiss.GpuMultipleClonerOptions()
    options.useFloat16 = cards.float16
    options.shard = len(cards.numbers) > 1
    try:
        return faiss.index_cpu_to_gpus_list(index, co=options, gpus=list(cards.numbers))
    except RuntimeError as error:
        said = str(error).strip().splitlines()[0].rpartition(": ")[2].rstrip(".")
        if "alloc" in str(error):
            raise DataError(
                f"the cards {cards.numbers} have too little memory for this index (faiss said: {said}): name "
                "more cards, pass --float16, or choose device cpu."
            ) from error
        raise ParameterError(
            f"faiss cannot hold this index on a graphics card (it said: {said}): leave --device out, or "
            "choose another kind, like ivf or IVF1024,PQ64."
        ) from error


def _refuse_graphs(faiss: Any, index: Any) -> None:
    inner = faiss.downcast_index(index)
    while isinstance(inner, faiss.IndexPreTransform):
        inner = faiss.downcast_index(inner.index)
    if type(inner).__name__.startswith(GRAPHS):
        raise ParameterError(
            "this index is a graph, which faiss searches on the processor alone: leave --device out, or "
            "choose another kind, like ivf or IVF1024,PQ64."
        )


def to_learn(faiss: Any, index: Any, cards: Cards) -> Any:
    """Return an empty index on the first of the cards, to be trained and filled and brought back.

    Float16 waits for the search: what is learned and stored keeps its digits.
    """
    there = moved(faiss, index, Cards(cards.numbers[:1]))
    if hasattr(index, "cp") and hasattr(there, "cp"):
        for name in ("spherical", "niter", "min_points_per_centroid"):
            setattr(there.cp, name, getattr(index.cp, name))
    return there


def can_keep(k: int, effort: int) -> bool:
    """Say whether a card can look for so many candidates in so many lists."""
    return max(k, effort) <= CAP


class Carded:
    """A faiss index, and its copy on graphics cards that proposes in its place."""

    def __init__(self, faiss: Any, index: Any, cards: Cards) -> None:
        self.index, self.there = index, moved(faiss, index, cards)
        self.d, self.ntotal = index.d, index.ntotal

    def candidates(self, faiss: Any, queries: np.ndarray, k: int, effort: int) -> np.ndarray:
        """Return the ``k`` rows that the copy proposes for each query."""
        with suppress(RuntimeError):  # an index without lists has no nprobe
            faiss.GpuParameterSpace().set_index_parameter(self.there, "nprobe", effort)
        return self.there.search(np.ascontiguousarray(queries), k)[1]
