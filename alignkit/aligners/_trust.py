"""Judge a map without any labels: its matches look like translations, or like chance."""

from dataclasses import dataclass

import numpy as np

from alignkit.aligners._csls import NEIGHBOURS, csls
from alignkit.aligners._rotation import rotation_of
from alignkit.aligners._unit import unit_rows
from alignkit.shapes import SourceVectors, TargetRows, Vectors

MOST = 2000  # rows of the source that are looked at
LEAST = 0.7  # probability below which a run is called failed: a wrong map costs more than a further run
ROUNDS = 5  # of fitting to chance matches: what any self-learning could make of nothing
AXES = 128  # most principal axes that are looked at: rotations cost their cube
DRAWS = 3  # wrong rotations; the best of them is chance
SMALLEST = 1e-3  # gain in cosine that chance is granted at least
LARGEST = 20.0  # of the ratio: beyond it nothing is learnt from more
SAME = 0.25  # share of equal matches from which on two maps are one
# intercept, logarithm of csls, cycle, cka: the logistic fit of benchmarks/trust.py to 40 planted worlds, none
# below zero; beside the other two, cka added nothing
COEFFICIENTS = (-2.66, 6.13, 1.23, 0.0)


@dataclass(frozen=True, slots=True)
class Trust:
    """What can be said about a map without a pair that is known to be right.

    Everything is measured against chance: rotations that agree with the covariances and are otherwise
    wrong, fitted in a few rounds to the matches that they happen to make; the best of them. One that is
    led to the very matches of the map is no chance but a witness, and is left out; where all are, chance
    is a wrong rotation that was not fitted.

    Attributes
    ----------
    csls
        How far the mean cosine of the CSLS matches rises above the wrong rotation, as a multiple of how
        far that one rises by fitting; 1 is chance, and what a run that failed reaches.
    cycle
        Share of the matches that are mutual, less that of chance, in [-1, 1].
    cka
        Unbiased linear CKA between the rows and their matches, less that of chance.
    probability
        Of a sound map, in [0, 1], from these three.
    """

    csls: float
    cycle: float
    cka: float
    probability: float

    @property
    def failed(self) -> bool:
        """Whether a wrong map is too likely for this one to be used."""
        return not self.probability >= LEAST

    def sentence(self) -> str:
        """Return one sentence for people: the verdict, the three numbers and, where it failed, the mend."""
        facts = (
            f"matches rise {self.csls:.2f} times as far above a wrong rotation as chance does, "
            f"{100 * self.cycle:+.0f} points of them are mutual beside chance, and their CKA lies "
            f"{self.cka:+.2f} beside chance"
        )
        if not self.failed:
            return f"the map is sound with a probability of {self.probability:.0%}: {facts}."
        return (
            f"the run has failed as far as can be told without pairs (its map is sound with a probability of "
            f"{self.probability:.0%}, and {LEAST:.0%} are asked for): "
            f"{facts}; give some pairs that are known, more rows, more restarts or another seed."
        )

    def array(self) -> np.ndarray:
        """Return the four numbers, float64, for files."""
        return np.array([self.csls, self.cycle, self.cka, self.probability])

    @classmethod
    def from_array(cls, values: np.ndarray) -> "Trust":
        """Return the trust that `array` was taken from."""
        return cls(*(float(value) for value in values))


def trust_of(
    source: SourceVectors,
    target: TargetRows,
    images: Vectors,
    *,
    ordered: bool = False,
    neighbours: int = NEIGHBOURS,
    most: int = MOST,
    seed: int = 0,
) -> Trust:
    """Return how far a map can be trusted that takes the framed ``source`` rows to ``images``.

    The order is: take the first ``most`` rows of both sides where they are ``ordered`` by frequency, or
    else a sample of the source; match by CSLS, rotate the images once onto the mutual matches, match
    again; do the same, a few rounds longer, from wrong rotations that agree with the rows' covariances;
    compare with the best of these. Rotating first puts maps that were fitted to their matches and maps
    that were not on one footing.
    A run counts as failed if it finds less than half of the partners that Procrustes finds with all
    pairs; the probability is of that, for runs that came to rest on their own matches. It costs about
    twenty sweeps of the rows.

    Where there are few rows for the dimensions, or noise hides the partners even from the true map, a
    right map looks like chance, and is not trusted. The same seed gives the same answer.
    """
    rng = np.random.default_rng(seed)
    if ordered:
        source, images, target = source[:most], images[:most], target[:most]
    elif len(source) > most:
        some = np.sort(rng.choice(len(source), most, replace=False))
        source, images = source[some], images[some]
    images, targets = _principal(np.asarray(images, np.float64), np.asarray(target, np.float64))
    own = _look(images, targets, neighbours)
    own = _look(own.turned(images, targets), targets, neighbours)
    wrong = [unit_rows(images @ rotation) for rotation in _wrong_rotations(images, targets, rng)]
    start = _look(wrong[0], targets, neighbours)
    fitted = [_fitted(rows, targets, neighbours) for rows in wrong]
    strange = [look for look in fitted if float(np.mean(look.there == own.there)) < SAME]
    chance = max(strange, key=lambda look: look.level, default=start)
    gain = max(chance.level - start.level, SMALLEST)
    rise = float(np.clip((own.level - start.level) / gain, 0.0, LARGEST))
    measures = rise, own.cycle - chance.cycle, own.cka - chance.cka
    return Trust(*measures, probability_of(*measures))


def probability_of(rise: float, cycle: float, cka: float) -> float:
    """Return the probability of a sound map from what `Trust` measures."""
    logit = float(np.dot(COEFFICIENTS, (1.0, np.log(rise + 0.1), cycle, cka)))
    return float(1 / (1 + np.exp(-np.clip(logit, -50, 50))))


@dataclass(frozen=True, slots=True)
class _Look:
    """The matches of some images: their mean cosine, share of mutual ones, CKA; all, and the mutual ones."""

    level: float
    cycle: float
    cka: float
    there: np.ndarray
    mutual: np.ndarray

    def turned(self, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return images rotated onto the mutual matches."""
        return unit_rows(images @ rotation_of(images, targets, self.mutual)) if len(self.mutual) else images


def _look(images: np.ndarray, targets: np.ndarray, neighbours: int) -> _Look:
    found = csls(images, targets, k=neighbours)
    there = found.targets.indices
    rows = np.arange(len(there))
    mutual = found.sources.indices[there] == rows
    return _Look(
        float(found.targets.cosines.mean(dtype=np.float64)),
        float(mutual.mean()),
        unbiased_cka(images, targets[there]),
        there,
        np.stack([rows, there], axis=1)[mutual],
    )


def _principal(images: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return unit rows of both sides along the strongest axes that they have together."""
    images, targets = unit_rows(images), unit_rows(targets)
    if images.shape[1] <= AXES:
        return images, targets
    both = images.T @ images / len(images) + targets.T @ targets / len(targets)
    axes = np.linalg.eigh(both)[1][:, -AXES:]
    return unit_rows(images @ axes), unit_rows(targets @ axes)


def _fitted(images: np.ndarray, targets: np.ndarray, neighbours: int) -> _Look:
    """Return what some images come to when they are fitted to their own matches for a few rounds."""
    look = _look(images, targets, neighbours)
    for _ in range(ROUNDS):
        look = _look(look.turned(images, targets), targets, neighbours)
    return look


def _wrong_rotations(images: np.ndarray, targets: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Return rotations that agree with the second moments of the rows and with nothing else.

    The first one mirrors the images along their own principal axes at random, the others lay these axes
    on those of the targets, with random signs.
    """
    own, theirs = (np.linalg.eigh(rows.T @ rows)[1] for rows in (images, targets))
    signs = rng.choice([-1.0, 1.0], (DRAWS, own.shape[1]))
    return [(own * sign) @ axes.T for sign, axes in zip(signs, [own] + [theirs] * (DRAWS - 1), strict=True)]


def unbiased_cka(X: np.ndarray, Y: np.ndarray) -> float:
    """Return the linear CKA of paired rows from unbiased HSIC estimates; 0 where there are too few rows."""
    if len(X) < 4:
        return 0.0
    own = _hsic(X, X) * _hsic(Y, Y)
    return float(np.clip(_hsic(X, Y) / np.sqrt(own), -1, 1)) if own > 0 else 0.0


def _hsic(X: np.ndarray, Y: np.ndarray) -> float:
    """Return the unbiased HSIC (Song et al. 2012, eq. 5) of two linear kernels, without making them."""
    n = len(X)
    x, y = np.einsum("nd,nd->n", X, X), np.einsum("nd,nd->n", Y, Y)
    rows_x, rows_y = X @ X.sum(axis=0) - x, Y @ Y.sum(axis=0) - y  # the kernels' sums without diagonals
    trace = np.sum((X.T @ Y) ** 2) - x @ y
    total = rows_x.sum() * rows_y.sum() / ((n - 1) * (n - 2))
    return float((trace + total - 2 / (n - 2) * (rows_x @ rows_y)) / (n * (n - 3)))
