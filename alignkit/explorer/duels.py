"""Two maps on the same queries: who ranks whose partner higher, query by query."""

from dataclasses import dataclass

import numpy as np

from alignkit.alignment import Alignment
from alignkit.explorer.standings import standings
from alignkit.pairs import Pairs


@dataclass(frozen=True, slots=True)
class Duel:
    """Ranks of every query's partner by two maps; NaN without a partner.

    ``verdicts`` are 1 where the first ranks it higher, 0 at a tie, -1 where the second does, and -2 where
    there is no partner. ``p`` is the two-sided exact sign test, ties left out.
    """

    first: np.ndarray
    second: np.ndarray
    verdicts: np.ndarray
    p: float

    @property
    def gain(self) -> np.ndarray:
        """By how much the first's reciprocal rank is greater."""
        return 1 / self.first - 1 / self.second

    @property
    def wins(self) -> int:
        """Queries whose partner the first ranks higher."""
        return int((self.verdicts == 1).sum())

    @property
    def ties(self) -> int:
        """Queries whose partner both rank alike."""
        return int((self.verdicts == 0).sum())

    @property
    def losses(self) -> int:
        """Queries whose partner the second ranks higher."""
        return int((self.verdicts == -1).sum())


def duel(pairs: Pairs, first: Alignment | None, second: Alignment | None) -> Duel:
    """Rank all target rows for every source row by both maps.

    Raises
    ------
    DataError
        As `alignkit.explorer.standings.standings`.
    """
    from scipy.stats import binomtest

    ranks = [standings(pairs, fitted).ranks for fitted in (first, second)]
    known = np.isfinite(ranks[0]) & np.isfinite(ranks[1])
    verdicts = np.full(len(known), -2)
    verdicts[known] = np.sign(ranks[1][known] - ranks[0][known]).astype(int)
    wins, losses = int((verdicts == 1).sum()), int((verdicts == -1).sum())
    p = float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
    return Duel(ranks[0], ranks[1], verdicts, p)
