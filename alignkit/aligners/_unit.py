"""Directions of rows in their frames: what cosines, ranks and neighbours are taken of."""

import numpy as np

from alignkit.shapes import Vectors


def unit_rows(V: Vectors) -> Vectors:
    """Return the rows divided by their lengths; a row of zeros stays as it is."""
    lengths = np.sqrt(np.einsum("nd,nd->n", V, V))
    return V / np.where(lengths > 0, lengths, 1)[:, None]
