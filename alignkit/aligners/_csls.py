"""Match rows by cross-domain similarity local scaling, CSLS (Conneau et al. 2018), from one sweep."""

from dataclasses import dataclass

import numpy as np

from alignkit.aligners._both_nearest import TILE_BYTES, Nearest, nearest_both, tiles
from alignkit.aligners._torch_nearest import TorchProducts
from alignkit.devices import torch_device
from alignkit.shapes import SourceRows, TargetRows

NEIGHBOURS = 10  # of the paper
KEPT = 32  # candidates of every line: enough to certify nearly all of them at little cost

AGAIN = 4  # tiles computed again are this much smaller, since they are looked at in float64


@dataclass(frozen=True, slots=True)
class Matches:
    """The best partner of every line by CSLS, its plain cosine, and how many lines were computed again."""

    indices: np.ndarray
    cosines: np.ndarray
    recomputed: int


@dataclass(frozen=True, slots=True)
class Csls:
    """CSLS matches in both directions, and each line's mean cosine to its nearest neighbours.

    The criterion of source i and target j is ``2 cos(i, j) - source_means[i] - target_means[j]``.
    """

    targets: Matches
    sources: Matches
    source_means: np.ndarray
    target_means: np.ndarray


def csls(
    A: SourceRows, B: TargetRows, *, k: int = NEIGHBOURS, kept: int = KEPT, tile: int = TILE_BYTES
) -> Csls:
    """Return the CSLS match of every row of ``A`` among the rows of ``B``, and the other way round.

    Rows are unit rows; a row of zeros has cosine 0 with all. The order is: one sweep keeps every line's
    ``kept`` best cosines; the first ``k`` give the means; each line's best candidate is certified if no
    entry outside its candidates can reach it, otherwise that line alone is computed again. Cosines are
    float32, the criterion float64; the lower index wins a tie. The threads change no bit; ``kept``, the
    tiles and a torch device (see `on_device`, where a second pass takes the place of certificates) change
    cosines by the rounding of float32, and so a match only where two differ by less.

    References
    ----------
    Conneau et al. (2018), *Word translation without parallel data*, section 2.3.

    Examples
    --------
    >>> found = csls(np.eye(3), np.eye(3)[[2, 0, 1]], k=1)
    >>> found.targets.indices.tolist(), found.sources.indices.tolist()
    ([1, 2, 0], [2, 0, 1])
    """
    if (device := torch_device()) is not None:
        return _csls_by_torch(TorchProducts(A, B, device=device, tile=tile), k)
    A, B = (np.ascontiguousarray(side, np.float32) for side in (A, B))
    rows, columns = nearest_both(A, B, max(k, kept), tile=tile)
    source_means, target_means = (_means(side.scores[:, :k]) for side in (rows, columns))
    targets = _Search(rows, target_means)
    if len(again := targets.open):
        for start, left, scores in tiles(A[again], B, tile=tile // AGAIN):
            targets.improve(again[start : start + len(scores)], scores, left)
    sources = _Search(columns, source_means)
    if len(again := sources.open):
        for start, left, scores in tiles(A, B[again], tile=tile // AGAIN):
            sources.improve(again[left : left + scores.shape[1]], scores.T, start)
    return Csls(targets.matches(), sources.matches(), source_means, target_means)


def _csls_by_torch(products: TorchProducts, k: int) -> Csls:
    means = [_means(scores) for _, scores in products.nearest_both(k)]
    # all lines are looked at a second time: on a card a pass costs less than looking for the doubtful ones
    targets, sources = (Matches(*found, recomputed=len(found[0])) for found in products.csls(*means))
    return Csls(targets, sources, *means)


def _means(scores: np.ndarray) -> np.ndarray:
    return scores.mean(axis=1, dtype=np.float64)


class _Search:
    """The best partner of every line so far; ``means`` are those of the partners."""

    def __init__(self, kept: Nearest, means: np.ndarray) -> None:
        self.means = means
        criterion = 2 * kept.scores.astype(np.float64) - means[kept.indices]
        self.best = criterion.max(axis=1)
        level = criterion == self.best[:, None]
        self.indices = np.where(level, kept.indices, len(means)).min(axis=1)
        self.cosines = kept.scores[
            np.arange(len(level)), (kept.indices == self.indices[:, None]).argmax(axis=1)
        ]
        # an entry that was not kept is no greater than the last one kept, and no partner's mean is below
        # the smallest; equality would leave a tie open
        certain = self.best > 2 * kept.scores[:, -1].astype(np.float64) - means.min()
        everyone = kept.indices.shape[1] == len(means)
        self.open = np.flatnonzero(~certain) if not everyone else np.empty(0, np.int64)
        self.best[self.open] = -np.inf

    def improve(self, lines: np.ndarray, scores: np.ndarray, offset: int) -> None:
        """Look at all entries of some lines from the partner ``offset`` on; calls go from low to high."""
        criterion = 2 * scores.astype(np.float64) - self.means[offset : offset + scores.shape[1]]
        first = criterion.argmax(axis=1)
        here = np.arange(len(lines))
        found = criterion[here, first]
        better = found > self.best[lines]
        lines, first, here = lines[better], first[better], here[better]
        self.best[lines] = found[better]
        self.indices[lines], self.cosines[lines] = first + offset, scores[here, first]

    def matches(self) -> Matches:
        return Matches(self.indices, self.cosines, len(self.open))
