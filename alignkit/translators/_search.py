"""Find by held-out pairs how many epochs a network is to be trained for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from alignkit.errors import ParameterError
from alignkit.translators._checkpoints import Arrays, Checkpoints
from alignkit.translators._network import Network
from alignkit.translators._pair_table import PairTable
from alignkit.translators._plan import Plan
from alignkit.translators._training import Training

MOST_JUDGED = 2000  # held-out pairs that are ranked after every epoch

Solve = Callable[[np.ndarray], Arrays]  # the arrays before the first step, from some pairs of the table


@dataclass(frozen=True, slots=True)
class Found:
    """The map of the last training, the epochs that it is of, and a row for every epoch that was judged."""

    arrays: Arrays
    epochs: int
    history: np.ndarray
    first: float  # held-out rank of the start


@dataclass(frozen=True, slots=True)
class Search:
    """Hold what every training of one map has in common."""

    network: Network
    table: PairTable
    plan: Plan
    solve: Solve
    kept: Checkpoints

    def run(self) -> Found:
        """Train as the plan says: on a part, judged by the rest, and then on all; or in several folds.

        With one fold a part of the pairs is held out, and the epoch is taken that ranks these best. With
        more, every part is held out in turn, and the epoch is that of the best mean; where the mean does
        not exceed that of the start by more than its standard error over the folds, the map is the start
        of all pairs.

        Raises
        ------
        ParameterError
            If pairs are to be held out, and all share a row or a group.
        """
        plan, table = self.plan, self.table
        every = np.arange(len(table)), np.zeros(0, np.int64)
        if not plan.validation:
            return self._train(every, "search")
        if plan.folds == 1:
            splits = [table.split(plan.validation, MOST_JUDGED)]
        else:
            splits = table.folds(plan.folds, MOST_JUDGED)
        if not splits or not len(splits[0][1]):
            raise ParameterError(
                "validation must hold out some pairs, but all of them share a row or a group: set "
                "validation=0, which trains for all epochs."
            )
        found = self._train(splits[0], "search")
        if plan.folds > 1:
            more = (self._train(split, f"search{n}") for n, split in enumerate(splits[1:], start=2))
            found = _mean([found, *more])
        elif not plan.refit:
            return found
        last = self._train(every, "refit", found.epochs)
        return Found(last.arrays, found.epochs, found.history, found.first)

    def _train(self, split: tuple[np.ndarray, np.ndarray], phase: str, epochs: int | None = None) -> Found:
        learn, judged = split
        arrays, progress = Training(self.network, self.table, self.plan, learn).run(
            self.solve(learn), self.plan.epochs if epochs is None else epochs, judged, self.kept, phase
        )
        history = np.array(progress.history).reshape(-1, 3)
        return Found(arrays, progress.best_epoch, history, progress.first)


def _mean(folds: list[Found]) -> Found:
    """Return the mean history of several folds, as far as all of them went, and the epoch to stop at."""
    shortest = min(len(each.history) for each in folds)
    histories = np.stack([each.history[:shortest] for each in folds])
    first = np.array([each.first for each in folds])
    epochs = best_epoch(np.hstack([first[:, None], histories[:, :, 1]]))
    return Found(folds[0].arrays, epochs, histories.mean(axis=0), float(first.mean()))


def best_epoch(curves: np.ndarray) -> int:
    """Return where the mean of the curves is highest, or 0 where its rise lies within its standard error.

    ``curves`` holds the held-out rank of every fold (row) before the first epoch and after each.

    Examples
    --------
    >>> best_epoch(np.array([[0.5, 0.6, 0.7], [0.4, 0.52, 0.6]]))
    2
    >>> best_epoch(np.array([[0.5, 0.6], [0.5, 0.41]]))
    0
    """
    gains = curves - curves[:, :1]
    mean, epoch = gains.mean(axis=0), int(gains.mean(axis=0).argmax())
    spread = gains[:, epoch].std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else 0.0
    return epoch if mean[epoch] > spread else 0
