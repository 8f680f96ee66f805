"""What a decoder reads and gives: what is known before anything is read, and once it is ready."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from alignkit.spaces import Space

Lengths: TypeAlias = Literal["direction", "unit", "raw"]
Gives: TypeAlias = Literal["audio", "image", "item"]
Returns: TypeAlias = Literal["drawn", "retrieved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Say what a decoder reads and what it gives: the facts to check before its output is judged.

    Parameters
    ----------
    space
        The space of the rows that it reads.
    reads
        What the length of a row means to it: nothing (``"direction"``: it normalises by itself), that it
        must be 1 (``"unit"``), or about ``length``, as the model gives it (``"raw"``).
    length
        Where it reads raw rows, their root mean square length in what the decoder was trained on.
    null
        The row that stands for no condition; None where there is none.
    gives
        ``"audio"`` (samples at ``rate``), ``"image"`` (uint8, height x width x 3) or ``"item"``: anything.
    item_shape
        Shape of one item.
    returns
        Whether items are made (``"drawn"``) or found among known ones (``"retrieved"``).
    rate
        Samples a second of a sound.
    steps, guidance
        What is taken if nothing is said; None where there are no steps, or no guidance.
    licence
        Terms of the weights; empty where they are the user's own.
    """

    space: Space
    reads: Lengths
    length: float | None = None
    null: np.ndarray | None = None
    gives: Gives = "item"
    item_shape: tuple[int, ...] = ()
    returns: Returns = "drawn"
    rate: int | None = None
    steps: int | None = None
    guidance: float | None = None
    licence: str = ""

    @property
    def direction_only(self) -> bool:
        """Whether lengths are ignored."""
        return self.reads == "direction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """State what is known of a decoder before it is fitted, or before its weights are read.

    Its card is made of these facts and of what only items or weights tell, so each is stated once.

    Parameters
    ----------
    space, null, rate, size
        In words, for others decide them: of which space rows are read, what stands for no condition, the
        samples a second, how large an item is.
    reads, gives, returns, steps, guidance, licence
        As on the card.
    weights
        Where the weights come from.
    """

    space: str = "not stated"
    reads: Lengths = "direction"
    null: str = "none"
    gives: Gives = "item"
    returns: Returns = "drawn"
    rate: str = "none"
    size: str = "that of the bank's items"
    steps: int | None = None
    guidance: float | None = None
    licence: str = ""
    weights: str = "not stated"

    def card(self, space: Space, **known: Any) -> Card:  # Any: fields of the card
        """Return the card of a decoder that is ready; ``known`` is what items or weights told.

        Examples
        --------
        >>> Facts(reads="unit", steps=20).card(Space(4, "toy"), item_shape=(8,)).steps
        20
        """
        stated = ("reads", "gives", "returns", "steps", "guidance", "licence")
        return Card(space=space, **{**{name: getattr(self, name) for name in stated}, **known})
