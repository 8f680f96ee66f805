"""Say whether a mapped row lies where a decoder has seen rows: its distance to a bank of real ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from alignkit.shapes import Vectors
from alignkit.spaces import Embeddings

MOST = 4000  # rows of the bank that are compared with one another
FAR = 0.99  # share of the bank's own rows that lie nearer to the bank than a row that is warned of


@dataclass(frozen=True, slots=True)
class Bank:
    """Hold unit rows and the sorted cosine distance of each to the nearest of the others."""

    rows: Vectors
    distances: np.ndarray

    @classmethod
    def of(cls, bank: Embeddings, *, seed: int = 0) -> "Bank":
        """Return the bank, a seeded sample of it where it is large."""
        rows = _unit(bank.array(np.dtype(np.float64)))
        if len(rows) > MOST:
            rows = rows[np.sort(np.random.default_rng([seed, 21]).permutation(len(rows))[:MOST])]
        cosines = rows @ rows.T
        np.fill_diagonal(cosines, -np.inf)
        return cls(rows, np.sort(1 - cosines.max(axis=1)) if len(rows) > 1 else np.zeros(0))

    def judge(self, mapped: Embeddings) -> tuple[list[dict[str, Any]], list[str]]:
        """Return, for each row, its distance and the share of the bank that lies nearer; and warnings.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> around = Embeddings(rng.normal(size=(200, 3)) * 0.1 + [1, 0, 0])
        >>> Bank.of(around).judge(Embeddings(np.array([[1.0, 0, 0], [0, 1.0, 0]])))[1][0][:19]
        'the mapped row of 1'
        """
        nearest = 1 - (_unit(mapped.array(np.dtype(np.float64))) @ self.rows.T).max(axis=1)
        shares = np.searchsorted(self.distances, nearest) / max(len(self.distances), 1)
        facts = [
            {
                "id": str(mapped.id_at(row)),
                "distance": float(nearest[row]),
                "farther_than": float(shares[row]),
            }
            for row in range(len(nearest))
        ]
        warnings = [
            f"the mapped row of {each['id']} lies off the decoder's bank: cosine distance "
            f"{each['distance']:.3f} from the nearest real row, more than {100 * each['farther_than']:.0f} "
            "% of these keep from one another; what is drawn from it may be nothing"
            for each in facts
            if each["farther_than"] > FAR
        ]
        return facts, warnings


def _unit(rows: Vectors) -> Vectors:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
