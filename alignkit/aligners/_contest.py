"""One run from one seed without pairs: play an epoch, judge the map without labels, refine the best one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from threadpoolctl import ThreadpoolController

from alignkit.aligners._adversary import Game, Rules
from alignkit.aligners._csls import Csls, csls
from alignkit.aligners._dictionary import Dictionary, images_of, pairs_of, rotation_onto
from alignkit.aligners._unit import unit_rows
from alignkit.aligners._vocabulary import Vocabulary
from alignkit.errors import DataError

JUDGED = 10_000  # frequent rows whose matches the criterion looks at
NO_MATCH = -1.0  # the criterion where none of these has a match among as many: the lowest cosine


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to play, how fast the matrix learns, and how the best one is refined."""

    rules: Rules
    frequent: int | None
    epochs: int
    rate: float
    decay: float
    shrink: float
    least_rate: float
    rounds: int
    dictionary: Dictionary
    neighbours: int
    max_rank: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A matrix, its criterion, and the matches that it makes."""

    matrix: np.ndarray
    criterion: float
    found: Csls


@dataclass(frozen=True, slots=True)
class Outcome:
    """The best matrix of a run; the criterion and the rate of every epoch, then of every round (rate 0)."""

    matrix: np.ndarray
    history: np.ndarray


class Contest:
    """Two vocabularies and a plan; `run` plays it from a seed.

    ``ordered``: the frequent rows come first. Otherwise no row is left out for its rank.
    """

    def __init__(self, known: Vocabulary, plan: Plan, *, ordered: bool) -> None:
        self.known, self.plan = known, plan
        self.max_rank, self.frequent, self.judged = (
            (plan.max_rank, plan.frequent, JUDGED) if ordered else (None, None, None)
        )
        self.targets = unit_rows(known.target).astype(np.float32)

    def run(self, seed: int) -> Outcome:
        """Return the best matrix by the criterion, of the epochs and of the rounds after them."""
        played, rates = self._play(seed)
        current = best = max(played, key=lambda judged: judged.criterion)  # the first of equal ones
        history = [(judged.criterion, rate) for judged, rate in zip(played, rates, strict=True)]
        for count in range(1, self.plan.rounds + 1):
            links = pairs_of(current.found, self.plan.dictionary, self.max_rank)
            current = self._judge(rotation_onto(self.known, links, count, self.max_rank))
            history.append((current.criterion, 0.0))
            best = current if current.criterion > best.criterion else best
        return Outcome(best.matrix, np.array(history))

    def _play(self, seed: int) -> tuple[list[Judged], list[float]]:
        """Return the map after every epoch, and the rate at which it was learnt."""
        plan, rate, fell = self.plan, self.plan.rate, False
        game = Game(self.known.source[: self.frequent], self.known.target[: self.frequent], plan.rules, seed)
        played: list[Judged] = []
        rates: list[float] = []
        for epoch in range(1, plan.epochs + 1):
            with one_thread():
                matrix = game.epoch(rate)
            if not np.isfinite(matrix).all():
                raise DataError(
                    f"epoch {epoch} left the range of float32: give smaller rates, or rows of shorter length."
                )
            played.append(self._judge(matrix))
            rates.append(rate)
            rate = max(plan.least_rate, rate * plan.decay)
            if played[-1].criterion < max(judged.criterion for judged in played):
                rate *= plan.shrink if fell else 1.0
                fell = True
            if rate < plan.least_rate:
                break
        return played, rates

    def _judge(self, matrix: np.ndarray) -> Judged:
        """Return the mean cosine of the frequent rows' CSLS matches among as many rows, and all matches."""
        found = csls(images_of(self.known.source, matrix), self.targets, k=self.plan.neighbours)
        links = pairs_of(found, "forward", self.judged)
        cosines = found.targets.cosines[links[:, 0]]
        criterion = float(cosines.mean(dtype=np.float64)) if len(links) else NO_MATCH
        return Judged(matrix, criterion, found)


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold torch's loops, and every BLAS, to one thread of the processor: then sums have one order."""
    with ThreadpoolController().limit(limits=1):
        yield
