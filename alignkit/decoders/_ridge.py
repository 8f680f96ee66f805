"""Ridge regression from unit rows to flat items, by whichever of two closed forms is smaller."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from alignkit.errors import ParameterError
from alignkit.shapes import Vectors


@dataclass(frozen=True, slots=True)
class Regression:
    """Hold the fitted means and the matrix between what is left of them."""

    row_mean: np.ndarray
    item_mean: np.ndarray
    matrix: np.ndarray

    @classmethod
    def fit(cls, rows: Vectors, flat: np.ndarray, alpha: float) -> "Regression":
        """Return ``W = (X'X + alpha n I)^-1 X'Y`` of centred rows; with fewer rows than dimensions its dual.

        Raises
        ------
        ParameterError
            If ``alpha`` times the number of rows leaves the range of numbers.
        """
        if not np.isfinite(float(alpha) * len(rows)):
            raise ParameterError(f"alpha is {alpha!r}, too large for {len(rows)} rows: choose a smaller one.")
        row_mean, item_mean = rows.mean(axis=0), flat.mean(axis=0)
        X, Y = rows - row_mean, flat - item_mean
        dual = len(X) < X.shape[1]
        gram = X @ X.T if dual else X.T @ X
        floor = np.finfo(float).eps * len(gram) * np.trace(gram)  # alpha 0 on rows that span too little
        gram[np.diag_indices_from(gram)] += alpha * len(X) + max(floor, np.finfo(float).tiny)
        factor = cho_factor(gram, overwrite_a=True)
        matrix = X.T @ cho_solve(factor, Y) if dual else cho_solve(factor, X.T @ Y)
        return cls(row_mean, item_mean, matrix)

    def predict(self, rows: Vectors) -> np.ndarray:
        """Return one flat item a row."""
        return (rows - self.row_mean) @ self.matrix + self.item_mean
