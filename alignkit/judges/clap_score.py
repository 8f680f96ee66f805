"""CLAP score: the mean cosine of a sound and its text, or of any two partners, between -1 and 1."""

import numpy as np

from alignkit.judges._cosines import Partners


class ClapScore(Partners):
    """Return the mean cosine of partners; nothing is clamped.

    Only comparable between encodings by the same checkpoint: name it beside the number.

    Examples
    --------
    >>> from alignkit.judges._base import Samples
    >>> ClapScore().judge(Samples(np.eye(2), 3 * np.eye(2), paired=True)).value
    1.0
    """

    def _of(self, cosines: np.ndarray) -> np.ndarray:
        return cosines
