"""What every decoder offers: it states the space that it reads, and turns vectors of it into items."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from alignkit.errors import DataError
from alignkit.shapes import Vectors
from alignkit.spaces import Embeddings, Space


@dataclass(frozen=True, slots=True)
class Card:
    """Say what a decoder reads and what it gives: the facts to check before its output is judged.

    ``direction_only`` is whether lengths are ignored; ``item_shape`` the shape of one item; ``returns``
    whether items are made (``"drawn"``) or found among known ones (``"retrieved"``).
    """

    space: Space
    direction_only: bool
    item_shape: tuple[int, ...]
    returns: Literal["drawn", "retrieved"]


class Decoder(ABC):
    """Decode vectors of one space: `fit` on embeddings with their items, then `decode` any vectors.

    Public methods live here; a leaf fills ``_fit`` and ``_decode``.
    """

    returns: ClassVar[Literal["drawn", "retrieved"]]
    direction_only: ClassVar[bool]
    card: Card

    def fit(self, embeddings: Embeddings, items: np.ndarray) -> "Decoder":
        """Learn from embeddings and the item behind each row (first axis: rows).

        Raises
        ------
        DataError
            If there is not one item per row, or a row has no direction where only directions count.
        """
        items = np.asarray(items)
        if len(items) != len(embeddings):
            raise DataError(
                f"{embeddings.name} has {len(embeddings)} rows but {len(items)} items came with them: "
                "pass one item per row, in the same order."
            )
        embeddings.check(direction=self.direction_only)
        self.card = Card(embeddings.space, self.direction_only, items.shape[1:], self.returns)
        self._fit(self._prepared(embeddings.array(np.dtype(np.float64))), items)
        return self

    def decode(self, embeddings: Embeddings) -> np.ndarray:
        """Return one item per row of ``embeddings``; a row's item depends on no other row.

        Raises
        ------
        SpaceMismatchError
            If the rows come from another space than the decoder was fitted to.
        DataError
            If the decoder was not fitted, or a row is not finite or has no direction.
        """
        if not hasattr(self, "card"):
            raise DataError(f"this {type(self).__name__} decoder knows no items yet: call fit first.")
        self.card.space.check_meets(embeddings.space, f"the {type(self).__name__} decoder")
        embeddings.check(direction=self.direction_only)
        return self._decode(self._prepared(embeddings.array(np.dtype(np.float64))))

    def _prepared(self, rows: Vectors) -> Vectors:
        if not self.direction_only:
            return rows
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    @abstractmethod
    def _fit(self, rows: Vectors, items: np.ndarray) -> None: ...

    @abstractmethod
    def _decode(self, rows: Vectors) -> np.ndarray: ...
