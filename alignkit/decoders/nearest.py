"""Return the known item whose embedding lies nearest: the honest floor under anything that draws."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from alignkit.decoders._base import Drawing, Fitted
from alignkit.decoders._card import Facts
from alignkit.errors import ParameterError
from alignkit.shapes import Vectors

BLOCK = 1024


class Nearest(Fitted):
    """Return, for each vector, the item of the fitted row with the largest cosine; of equals, the first.

    A second drawing of a row is the second nearest, and so on. It cannot draw what it has never seen, and
    everything it returns is real: a generator that sounds better than this has to show that it also
    *matches* better.

    Examples
    --------
    >>> from alignkit.spaces import Embeddings
    >>> known = Embeddings(np.eye(2))
    >>> Nearest().fit(known, np.array(["left", "right"])).decode(Embeddings(np.array([[1.0, 2.0]]))).tolist()
    ['right']
    """

    facts: ClassVar[Facts] = replace(Fitted.facts, returns="retrieved")

    def most_draws(self) -> int | None:
        """Return how many items there are."""
        return len(self.rows_)

    def _fit(self, rows: Vectors, items: np.ndarray) -> None:
        self.rows_, self.items_ = rows, items

    def _decode(self, rows: Vectors, how: Drawing) -> np.ndarray:
        if how.draw >= len(self.rows_):
            raise ParameterError(
                f"there are {len(self.rows_)} items and number {how.draw + 1} was asked for: draw fewer."
            )
        found = []
        for start in range(0, len(rows), BLOCK):
            cosines = rows[start : start + BLOCK] @ self.rows_.T
            if how.draw:
                found.append(np.argsort(-cosines, axis=1, kind="stable")[:, how.draw])
            else:
                found.append(np.argmax(cosines, axis=1))
        return self.items_[np.concatenate(found)]
