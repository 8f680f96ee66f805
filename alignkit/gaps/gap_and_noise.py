"""Partners as a constant gap plus noise: how much of their distance is either (C3, Zhang et al. 2024)."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from alignkit.gaps._base import HEADLINE
from alignkit.gaps._clouds import Clouds
from alignkit.gaps._item_blocks import item_blocks
from alignkit.gaps._replicas import NULLS, Replicas, n_blocks
from alignkit.gaps._replicated import Replicated
from alignkit.reports import Score
from alignkit.shapes import SourceRows, TargetRows, Vectors
from alignkit.statistics.blocks import student_interval

GROUP = 100  # pairs a group, of the authors' notebook
CHUNK = 4096


def gap_and_noise(x: SourceRows, y: TargetRows) -> float:
    """Return the share of partners' mean squared distance that one constant gap makes up, without bias.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 4))
    >>> round(gap_and_noise(np.ones((40, 4)), -np.ones((40, 4))), 6), gap_and_noise(x, x)
    (1.0, 0.0)
    """
    return GapAndNoise().measure(x, y)


@dataclass(frozen=True, slots=True)
class Halves:
    """Hold sums over pairs: of both sides' rows, of squared distances, and of squares along the gap."""

    n: int
    x: np.ndarray
    y: np.ndarray
    squares: float
    along: tuple[float, float]


class GapAndNoise(Replicated[Halves]):
    r"""Return :math:`\lVert\Delta\rVert^2 / \overline{\lVert x_i - y_i\rVert^2}` of unit rows.

    Of :math:`x_i - y_i = \Delta + \epsilon_i` the share of the mean square that the constant gap explains,
    which moving one side removes; the rest is noise, which it cannot. In [-1, 1], without bias: about 0 where
    there is no gap. Parts, each one of the published checks in closed form, free of the order of rows:

    ``gap_length``, in [0, 2]: the length of the mean of x - y. ``noise``: the standard deviation of the
    residuals, per dimension (its mean is 0 by definition). ``direction_cosine``, in [-1, 1]: the cosine to
    expect between the mean x - y of two groups of 100 pairs, :math:`\lVert\Delta\rVert^2 /
    (\lVert\Delta\rVert^2 + tr \Sigma / 100)`; near 1 the gap is the same everywhere, about 0 there is none.
    ``along_gap``, in [0, 1]: the root mean square cosine of the gap to the differences of rows within a
    modality, weighted by their length, meaned over both; 0 is the published claim that the gap is orthogonal
    to either, and :math:`1 / \sqrt{d}` what it is where spread is the same in all directions.

    Linear in rows. Needs pairs, of which one an item is measured. The null level exchanges the sides of
    partners at random: noise and partners stay, the constant part goes.

    References
    ----------
    Zhang et al. (2024), *Connect, collapse, corrupt: learning cross-modal tasks with uni-modal data*, ICLR,
    section 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(200, 16))
    >>> parts = GapAndNoise().measure_parts(x, x + 0.1 * rng.normal(size=(200, 16)))
    >>> abs(parts[""]) < 0.05, round(parts["noise"], 2)  # a length of 4 is scaled to 1
    (True, 0.03)
    """

    parts = (HEADLINE, "gap_length", "noise", "direction_cosine", "along_gap")
    needs_pairs = True
    null = "the sides of partners exchanged at random"
    limits = (-1.0, 1.0)
    part_limits: ClassVar = {
        "gap_length": (0.0, 2.0),
        "noise": (0.0, np.inf),
        "along_gap": (0.0, 1.0),
    }

    def null_of(self, clouds: Clouds, rng: np.random.Generator) -> dict[str, float]:
        """Return the values after the sides of random partners were exchanged."""
        one = clouds.matched(0)
        stays = rng.random((len(one.x), 1)) < 0.5
        x, y = np.where(stays, one.x, one.y), np.where(stays, one.y, one.x)
        return self._of(_halves(x, y, np.ones((1, len(x))), np.ones((0, len(x))))[0])

    def _read(self, clouds: Clouds) -> Halves:
        one = clouds.matched(0)
        return _halves(one.x, one.y, np.ones((1, len(one.x))), np.ones((0, len(one.x))))[0]

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[Halves]:
        one = clouds.matched(seed)
        count, n = n_blocks(one), len(one.x)
        blocks = item_blocks(one, count, seed)[0]
        kept = np.concatenate([np.ones((1, n)), (blocks != np.arange(count)[:, None]).astype(float)])
        signs = np.array(
            [np.random.default_rng([seed, 5, draw]).choice([-1.0, 1.0], size=n) for draw in range(NULLS)]
        )
        found = _halves(one.x, one.y, kept, signs)
        return Replicas(found[0], found[1 : count + 1], found[count + 1 :])

    def of_replicas(self, replicas: Replicas[Halves], n: int) -> dict[str, Score]:
        """Return each part's score; the cosine's interval is that of constant part against noise, bent alike.

        The cosine has a kink where there is no gap: a variance of its own says little there.
        """
        scores = super().of_replicas(replicas, n)
        left_out = np.array([_against_noise(one) for one in replicas.left_out])
        whole = _against_noise(replicas.whole)
        if np.isfinite([whole, *left_out]).all():
            ends = student_interval(whole, left_out, (-np.inf, np.inf))
            low, high = map(_cosine, ends)
            scores["direction_cosine"] = replace(scores["direction_cosine"], low=low, high=high)
        return scores

    def _of(self, read: Halves) -> dict[str, float]:
        squared, constant, noise = _parts(read)
        mean = read.squares / read.n
        shares = [
            _share(along, total, read.n) for along, total in zip(read.along, (read.x, read.y), strict=True)
        ]
        return {
            HEADLINE: constant / mean if mean > 0 else 0.0,
            "gap_length": float(np.sqrt(squared)),
            "noise": float(np.sqrt(noise / len(read.x))),
            "direction_cosine": _cosine(_against_noise(read)),
            "along_gap": float(np.mean(np.sqrt(shares))),
        }


def _parts(read: Halves) -> tuple[float, float, float]:
    """Return the squared length of the gap, the same without what sampling adds, and the noise."""
    gap = (read.x - read.y) / read.n
    squared = float(gap @ gap)
    noise = max(read.n * (read.squares / read.n - squared) / (read.n - 1), 0.0)
    return squared, squared - noise / read.n, noise


def _against_noise(read: Halves) -> float:
    """Return the constant part against the noise; 0 where there is neither."""
    _, constant, noise = _parts(read)
    if noise > 0:
        return constant / noise
    return np.inf if constant > 0 else 0.0


def _cosine(against_noise: float) -> float:
    """Return the cosine to expect between two groups of pairs, from the constant part against the noise."""
    if np.isinf(against_noise):
        return 1.0
    return max(against_noise / (max(against_noise, 0.0) + 1 / GROUP), -1.0)


def _share(along: float, total: np.ndarray, n: int) -> float:
    """Return the share of a side's spread (of rows of length 1) that lies along the gap."""
    spread = n - float(total @ total) / n
    return float(np.clip(along / spread, 0, 1)) if spread > np.finfo(float).eps * n else 0.0


def _halves(x: Vectors, y: Vectors, kept: np.ndarray, signs: np.ndarray) -> list[Halves]:
    """Return the sums over the pairs of each row of ``kept`` (0 or 1), then over all with sides exchanged."""
    weights = np.concatenate([kept, signs, np.ones((1, len(x)))])
    x_sums, y_sums = _weighted_sums(weights, x), _weighted_sums(weights, y)
    both, moved = x_sums[-1] + y_sums[-1], (x_sums - y_sums)[len(kept) : -1]
    x_totals = np.concatenate([x_sums[: len(kept)], (both + moved) / 2])
    y_totals = np.concatenate([y_sums[: len(kept)], (both - moved) / 2])
    gaps = x_totals - y_totals
    lengths = np.linalg.norm(gaps, axis=1, keepdims=True)
    along = np.divide(gaps, lengths, out=np.zeros_like(gaps), where=lengths > 0)
    shadows = [_projected(rows, along) for rows in (x, y)]
    squares = 2 - 2 * np.einsum("nd,nd->n", x, y, dtype=np.float64)
    out = []
    for place in range(len(gaps)):
        first, second = (shadow[:, place] for shadow in shadows)
        if place < len(kept):
            inside = kept[place] > 0
            first, second, apart = first[inside], second[inside], squares[inside]
        else:
            stays = signs[place - len(kept)] > 0
            first, second, apart = np.where(stays, first, second), np.where(stays, second, first), squares
        spreads = _spread(first), _spread(second)
        out.append(Halves(len(first), x_totals[place], y_totals[place], float(apart.sum()), spreads))
    return out


def _spread(places: np.ndarray) -> float:
    return float(((places - places.mean()) ** 2).sum())


def _weighted_sums(weights: np.ndarray, rows: Vectors) -> np.ndarray:
    """Return weights @ rows in double precision, without a copy of all rows in it."""
    out = np.zeros((len(weights), rows.shape[1]))
    for start in range(0, len(rows), CHUNK):
        out += weights[:, start : start + CHUNK] @ rows[start : start + CHUNK].astype(np.float64)
    return out


def _projected(rows: Vectors, directions: np.ndarray) -> np.ndarray:
    parts = [
        rows[start : start + CHUNK].astype(np.float64) @ directions.T for start in range(0, len(rows), CHUNK)
    ]
    return np.concatenate(parts)
