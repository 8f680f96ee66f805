"""Draw a picture as a linear function of its embedding (Hoerl and Kennard 1970)."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from alignkit._params import check_amount
from alignkit.decoders._base import Drawing, Fitted
from alignkit.decoders._card import Card, Facts
from alignkit.decoders._ridge import Regression
from alignkit.shapes import Vectors
from alignkit.spaces import Space


class PixelRidge(Fitted):
    """Return the pictures that a ridge regression from embedding to pixels predicts.

    Order: rows to unit length, items laid flat, both centred by their means over the fitted rows, then
    ``W = (X'X + alpha n I)^-1 X'Y`` in closed form. Items are numbers of one shape; uint8 pictures come
    back as uint8, rounded and kept in range. The answer is a conditional mean, so what an embedding does
    not tell comes out blurred rather than invented. ``alpha`` is relative to the mean square of a row.

    References
    ----------
    Hoerl and Kennard (1970), *Ridge regression*.

    Examples
    --------
    >>> from alignkit.spaces import Embeddings
    >>> seen = Embeddings(np.array([[1.0, 0], [0, 1]]))
    >>> PixelRidge(alpha=0.0).fit(seen, np.array([10.0, 20.0])).decode(seen).round(6).tolist()
    [10.0, 20.0]
    """

    deterministic: ClassVar[bool] = True
    facts: ClassVar[Facts] = replace(
        Fitted.facts, gives="image", size="that of the bank's pictures: --size points a side, else 64"
    )

    def __init__(self, *, alpha: float = 1e-3) -> None:
        check_amount("alpha", alpha)
        self.alpha = alpha

    def _card(self, space: Space, items: np.ndarray) -> Card:
        picture = items.dtype == np.uint8 and items.ndim == 4 and items.shape[3] == 3
        return self.facts.card(space, gives="image" if picture else "item", item_shape=items.shape[1:])

    def _fit(self, rows: Vectors, items: np.ndarray) -> None:
        self.bytes_ = items.dtype == np.uint8
        self.regression_ = Regression.fit(rows, items.reshape(len(items), -1).astype(np.float64), self.alpha)

    def _decode(self, rows: Vectors, how: Drawing) -> np.ndarray:  # noqa: ARG002 - nothing is drawn by chance
        items = self.regression_.predict(rows).reshape(len(rows), *self.card.item_shape)
        return np.clip(np.rint(items), 0, 255).astype(np.uint8) if self.bytes_ else items
