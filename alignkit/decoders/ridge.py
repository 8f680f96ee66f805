"""Draw an item as a linear function of its embedding (Hoerl and Kennard 1970)."""

from typing import ClassVar, Literal

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from alignkit.decoders._base import Decoder
from alignkit.errors import ParameterError
from alignkit.shapes import Vectors


class Ridge(Decoder):
    """Return the items that a ridge regression from embedding to item predicts.

    Order: rows to unit length, items laid flat, both centred by their means over the fitted rows, then
    ``W = (X'X + alpha n I)^-1 X'Y`` in closed form. Items are numbers of one shape (pixels, spectra); the
    answer is a conditional mean, so what an embedding does not tell comes out blurred rather than
    invented. ``alpha`` is relative to the mean square of a row.

    References
    ----------
    Hoerl and Kennard (1970), *Ridge regression*.

    Examples
    --------
    >>> from alignkit.spaces import Embeddings
    >>> seen = Embeddings(np.array([[1.0, 0], [0, 1]]))
    >>> Ridge(alpha=0.0).fit(seen, np.array([10.0, 20.0])).decode(seen).round(6).tolist()
    [10.0, 20.0]
    """

    returns: ClassVar[Literal["drawn", "retrieved"]] = "drawn"
    direction_only = True

    def __init__(self, *, alpha: float = 1e-3) -> None:
        self.alpha = alpha

    def _fit(self, rows: Vectors, items: np.ndarray) -> None:
        if not self.alpha >= 0:
            raise ParameterError(f"alpha must be at least 0, got {self.alpha}.")
        flat = items.reshape(len(items), -1).astype(np.float64)
        self.row_mean_, self.item_mean_ = rows.mean(axis=0), flat.mean(axis=0)
        X, Y = rows - self.row_mean_, flat - self.item_mean_
        gram = X.T @ X
        floor = np.finfo(float).eps * len(gram) * np.trace(gram)  # alpha 0 on rows that span too little
        gram[np.diag_indices_from(gram)] += self.alpha * len(X) + floor
        self.matrix_ = cho_solve(cho_factor(gram, overwrite_a=True), X.T @ Y)

    def _decode(self, rows: Vectors) -> np.ndarray:
        flat = (rows - self.row_mean_) @ self.matrix_ + self.item_mean_
        return flat.reshape(len(rows), *self.card.item_shape)
