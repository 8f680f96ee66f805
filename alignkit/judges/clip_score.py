"""CLIP score as im2wav prints it: 100 times the mean cosine, not clamped (Sheffer and Adi 2023)."""

import numpy as np

from alignkit.judges._cosines import Partners


class ClipScore(Partners):
    """Return 100 times the mean cosine of partners: a picture's CLIP row, a sound's Wav2CLIP row.

    Not Hessel's score of the same name, which clamps and scales by 2.5: see `clip_score_hessel`.

    References
    ----------
    Sheffer and Adi (2023), *I hear your true colors: image guided audio generation*.

    Examples
    --------
    >>> from alignkit.judges._base import Samples
    >>> ClipScore().judge(Samples(np.eye(2), -np.eye(2), paired=True)).value
    -100.0
    """

    def _of(self, cosines: np.ndarray) -> np.ndarray:
        return 100.0 * cosines
