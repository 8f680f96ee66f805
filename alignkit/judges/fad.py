"""Fréchet audio distance of generated rows from real ones (Kilgour et al. 2019); of pictures, FID."""

import numpy as np

from alignkit.judges._base import Judge, Samples
from alignkit.judges._blocks import jackknife_interval, left_out, null_band, random_splits
from alignkit.judges._frechet import frechet
from alignkit.reports import Score


class Fad(Judge):
    """Return the Fréchet distance of the two clouds, rows taken as the embedder gave them.

    Biased upwards where rows are few: samples of one distribution are at a distance of about d² / n times
    their scale. So the interval is that of the expectation *at these numbers of rows*, and the chance level
    is the distance of random splits of the pooled rows at the same sizes: compare with it, never with 0 or
    with another N; `fad_inf` takes the bias off, and `kad` has none.

    References
    ----------
    Kilgour et al. (2019), *Fréchet Audio Distance*; Heusel et al. (2017) for pictures.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> score = Fad().judge(Samples(rng.normal(size=(60, 4)), rng.normal(size=(50, 4)) + 2.0))
    >>> score.value > score.chance_high
    True
    """

    needs = "clouds"
    better = "lower"
    interval = "t interval of a jackknife over 20 blocks of each side, for the expectation at this N"
    chance = "random splits of the pooled rows at the same N"

    def _score(self, samples: Samples, seed: int) -> Score:
        real, made = samples.reference, samples.generated
        value = frechet(real, made)
        low, high = jackknife_interval(value, *left_out(real, made, frechet, seed))
        pooled = np.concatenate([real, made])
        null = [frechet(pooled[s], pooled[~s]) for s in random_splits(len(real), len(made), seed)]
        level, least, most = null_band(np.array(null))
        return Score(
            value, max(low, 0.0), high, n=len(made), chance=level, chance_low=least, chance_high=most
        )
