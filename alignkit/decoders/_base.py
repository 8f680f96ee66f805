"""What every decoder offers: it states the space that it reads, and turns vectors of it into items."""

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from alignkit.decoders._card import Card, Facts
from alignkit.errors import DataError, ParameterError
from alignkit.shapes import Vectors
from alignkit.spaces import Embeddings, Space

UNIT_TOLERANCE = 1e-2
RAW_FACTOR = 3.0  # a raw row that is so many times too short or too long is a row of another norm


@dataclass(frozen=True, slots=True)
class Drawing:
    """Say how rows are drawn: a seed for each, which of several drawings, how many steps, how strongly."""

    seeds: tuple[int, ...]
    draw: int = 0
    steps: int | None = None
    guidance: float | None = None


class Decoder(ABC):
    """Decode vectors of one space into items; a row's item depends on no other row.

    A decoder is ready from the start (it has weights) or learns from embeddings with their items (then it
    is a `Fitted`). Public methods live here; a leaf states its ``facts``, makes its ``card`` of them, checks
    its options as it is made, and fills ``_decode``.
    """

    deterministic: ClassVar[bool] = False
    facts: ClassVar[Facts] = Facts()
    card: Card

    def decode(
        self,
        embeddings: Embeddings,
        *,
        seed: int = 0,
        draw: int = 0,
        steps: int | None = None,
        guidance: float | None = None,
    ) -> np.ndarray:
        """Return one item per row of ``embeddings``.

        Each row has a generator of its own, from ``seed``, ``draw`` and the row's id: the same item comes
        out whatever else is decoded beside it. ``draw`` counts several items of one row; those that find
        items give the next best.

        Raises
        ------
        SpaceMismatchError
            If the rows come from another space than the decoder reads.
        DataError
            If the decoder was not fitted, or a row is not finite, has no direction or the wrong length.
        ParameterError
            If ``steps``, ``guidance`` or ``draw`` make no sense here.
        """
        card = self.ready()
        name = f"the {type(self).__name__} decoder"
        if draw < 0 or (steps is not None and (card.steps is None or steps < 1)):
            raise ParameterError(f"{name} takes no draw {draw} of {steps} steps: leave them out.")
        if guidance is not None and card.guidance is None:
            raise ParameterError(f"{name} has no guidance: leave it out.")
        card.space.check_meets(embeddings.space, name)
        embeddings.check(direction=True)
        rows = embeddings.array(np.dtype(np.float64))
        self._check_lengths(rows, embeddings)
        if card.direction_only:
            rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        seeds = tuple(item_seed(seed, draw, embeddings.id_at(row)) for row in range(len(rows)))
        steps, guidance = steps or card.steps, card.guidance if guidance is None else guidance
        return self._decode(rows, Drawing(seeds, draw, steps, guidance))

    def calibrate(self, embeddings: Embeddings) -> Embeddings:
        """Return the rows at the length that this decoder reads; directions stay.

        Unit for decoders of unit rows, the decoder's own root mean square length for raw ones. What a map
        makes of a row has a length that says nothing to the decoder.

        Raises
        ------
        DataError
            If a row has no direction.
        """
        card = self.ready()
        if card.direction_only:
            return embeddings
        embeddings.check(direction=True)
        rows = embeddings.array(np.dtype(np.float64))
        length = 1.0 if card.reads == "unit" or card.length is None else card.length
        rows = rows * (length / np.linalg.norm(rows, axis=1, keepdims=True))
        space = replace(embeddings.space, norm="unit" if card.reads == "unit" else "raw")
        return Embeddings(
            rows, ids=embeddings.ids if embeddings.has_ids else None, space=space, name=embeddings.name
        )

    def ready(self) -> Card:
        """Return the card, or raise DataError where the decoder knows nothing yet."""
        if not hasattr(self, "card"):
            raise DataError(f"this {type(self).__name__} decoder knows no items yet: call fit first.")
        return self.card

    def most_draws(self) -> int | None:
        """Return how many items a row can have; None where there is no end to them."""
        return None

    def _check_lengths(self, rows: Vectors, embeddings: Embeddings) -> None:
        card = self.card
        if card.direction_only:
            return
        wanted = 1.0 if card.reads == "unit" or card.length is None else card.length
        off = np.linalg.norm(rows, axis=1) / wanted
        low, high = (
            (1 - UNIT_TOLERANCE, 1 + UNIT_TOLERANCE) if card.reads == "unit" else (1 / RAW_FACTOR, RAW_FACTOR)
        )
        bad = np.flatnonzero((off < low) | (off > high))
        if len(bad):
            row = int(bad[0])
            raise DataError(
                f"{embeddings.name}: row {row} has length {off[row] * wanted:.4g}, but {card.space} reaches "
                f"the {type(self).__name__} decoder with length {wanted:.4g}: calibrate the rows first."
            )

    @abstractmethod
    def _decode(self, rows: Vectors, how: Drawing) -> np.ndarray: ...


class Fitted(Decoder):
    """A decoder that learns from rows and their items: `fit`, then `decode` any rows of the same space.

    A leaf fills ``_fit``, states its ``facts``, and, where the items decide more than a shape, ``_card``.
    """

    facts: ClassVar[Facts] = Facts(
        space="that of --bank", weights="none: it learns from --bank", licence="that of the bank's items"
    )

    def fit(self, embeddings: Embeddings, items: np.ndarray) -> "Fitted":
        """Learn from embeddings and the item behind each row (first axis: rows); lengths are ignored.

        Raises
        ------
        DataError
            If there is not one item per row, or a row has no direction.
        """
        items = np.asarray(items)
        if len(items) != len(embeddings):
            raise DataError(
                f"{embeddings.name} has {len(embeddings)} rows but {len(items)} items came with them: "
                "pass one item per row, in the same order."
            )
        if not len(items):
            raise DataError(f"{embeddings.name} has no rows: a decoder learns from at least one.")
        embeddings.check(direction=True)
        rows = embeddings.array(np.dtype(np.float64))
        card = self._card(embeddings.space, items)
        self._fit(rows / np.linalg.norm(rows, axis=1, keepdims=True), items)
        self.card = card
        return self

    def _card(self, space: Space, items: np.ndarray) -> Card:
        return self.facts.card(space, item_shape=items.shape[1:])

    @abstractmethod
    def _fit(self, rows: Vectors, items: np.ndarray) -> None: ...


def item_seed(seed: int, draw: int, name: str | int) -> int:
    """Return 63 bits that belong to one drawing of one item, whatever is drawn beside it.

    Examples
    --------
    >>> item_seed(0, 0, "dog") == item_seed(0, 0, "dog"), item_seed(0, 0, "dog") == item_seed(0, 1, "dog")
    (True, False)
    """
    text = f"{seed}/{draw}/{name}".encode(errors="surrogateescape")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "little") >> 1
