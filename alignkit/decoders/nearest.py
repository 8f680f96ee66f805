"""Return the known item whose embedding lies nearest: the honest floor under anything that draws."""

from typing import ClassVar, Literal

import numpy as np

from alignkit.decoders._base import Decoder
from alignkit.shapes import Vectors

BLOCK = 1024


class Nearest(Decoder):
    """Return, for each vector, the item of the fitted row with the largest cosine; of equals, the first.

    It cannot draw what it has never seen, and everything it returns is real: a generator that sounds
    better than this has to show that it also *matches* better.

    Examples
    --------
    >>> from alignkit.spaces import Embeddings
    >>> known = Embeddings(np.eye(2))
    >>> Nearest().fit(known, np.array(["left", "right"])).decode(Embeddings(np.array([[1.0, 2.0]]))).tolist()
    ['right']
    """

    returns: ClassVar[Literal["drawn", "retrieved"]] = "retrieved"
    direction_only = True

    def _fit(self, rows: Vectors, items: np.ndarray) -> None:
        self.rows_, self.items_ = rows, items

    def _decode(self, rows: Vectors) -> np.ndarray:
        starts = range(0, len(rows), BLOCK)
        found = [np.argmax(rows[start : start + BLOCK] @ self.rows_.T, axis=1) for start in starts]
        return self.items_[np.concatenate(found)]
