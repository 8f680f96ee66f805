"""Share of generated items that a classifier, learnt from the real ones, names as they were meant."""

import numpy as np
from scipy.stats import beta

from alignkit.judges._base import Judge, Samples
from alignkit.reports import Score
from alignkit.statistics.intervals import bootstrap_interval


class ClassifierAccuracy(Judge):
    """Fit a multinomial logistic regression on the reference rows and name the generated ones.

    Rows are standardised by the reference. The reference must not hold the items that the generated ones
    were made from, nor what the decoder was fitted on where that can leak. Interval: exact (Clopper and
    Pearson) where every row stands alone, a bootstrap over groups otherwise. Chance: always naming the
    class that most generated items were meant to be.

    Examples
    --------
    >>> rows, labels = np.repeat(10 * np.eye(3), 5, axis=0), np.repeat(np.arange(3), 5)
    >>> samples = Samples(rows, rows + 0.1, reference_labels=labels, generated_labels=labels)
    >>> ClassifierAccuracy().judge(samples).value
    1.0
    """

    needs = "labels"
    better = "higher"
    interval = "exact binomial; percentile bootstrap over groups where rows have them"
    chance = "always naming the commonest class"

    def refusal(self, samples: Samples) -> str | None:
        """Return why these samples cannot be judged; None where they can."""
        missing = super().refusal(samples)
        if missing is None and len(np.unique(np.asarray(samples.reference_labels))) < 2:
            return "the reference rows are all of one class"
        return missing

    def _score(self, samples: Samples, seed: int) -> Score:
        from sklearn.linear_model import LogisticRegression

        real, made = samples.reference, samples.generated
        labels, wanted = np.asarray(samples.reference_labels), np.asarray(samples.generated_labels)
        centre, spread = real.mean(axis=0), real.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        judge = LogisticRegression(max_iter=3000).fit((real - centre) / spread, labels)
        hits = (judge.predict((made - centre) / spread) == wanted).astype(np.float64)
        low, high = _exact(hits) if samples.groups is None else _by_groups(hits, samples.groups, seed)
        common = np.unique(wanted, return_counts=True)[1].max() / len(wanted)
        return Score(float(hits.mean()), low, high, n=len(hits), chance=float(common))


def _exact(hits: np.ndarray) -> tuple[float, float]:
    right, n = int(hits.sum()), len(hits)
    low = float(beta.ppf(0.025, right, n - right + 1)) if right else 0.0
    return low, float(beta.ppf(0.975, right + 1, n - right)) if right < n else 1.0


def _by_groups(hits: np.ndarray, groups: np.ndarray, seed: int) -> tuple[float, float]:
    low, high = bootstrap_interval(hits[:, None], groups, seed=seed)[:, 0]
    return float(low), float(high)
