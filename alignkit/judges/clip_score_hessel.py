"""CLIPScore as it was defined: 2.5 max(cosine, 0), between 0 and 2.5 (Hessel et al. 2021)."""

import numpy as np

from alignkit.judges._cosines import Partners


class ClipScoreHessel(Partners):
    """Return the mean of 2.5 max(cosine, 0) over partners.

    References
    ----------
    Hessel et al. (2021), *CLIPScore: a reference-free evaluation metric for image captioning*, eq. 1.

    Examples
    --------
    >>> from alignkit.judges._base import Samples
    >>> ClipScoreHessel().judge(Samples(np.eye(2), np.array([[1.0, 0], [0, -1]]), paired=True)).value
    1.25
    """

    def _of(self, cosines: np.ndarray) -> np.ndarray:
        return 2.5 * np.maximum(cosines, 0.0)
