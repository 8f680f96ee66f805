"""What a bank of queries says of every gallery item, in one pass over blocks of their cosines."""

import numpy as np

from alignkit.retrieval._unit import Block, UnitRows, cosines
from alignkit.retrieval.exact.tiles import spans
from alignkit.rows import Rows
from alignkit.shapes import PerItem


class LogSums:
    """Sums of exponentials, one a line, kept so that none overflows or vanishes."""

    def __init__(self, n: int) -> None:
        self.top, self.total = np.full(n, -np.inf), np.zeros(n)

    def add(self, values: np.ndarray, lines: slice) -> None:
        """Add the exponentials of a block of values, line by line, to some lines."""
        top = np.maximum(self.top[lines], values.max(axis=1))
        self.total[lines] *= np.exp(self.top[lines] - top)
        self.total[lines] += np.exp(values - top[:, None]).sum(axis=1)
        self.top[lines] = top

    def logarithms(self) -> np.ndarray:
        """Return the logarithm of every sum."""
        return self.top + np.log(self.total)


def nearest_cosines(rows: Rows, others: Rows, k: int, block: Block) -> np.ndarray:
    """Return each unit row's ``k`` greatest cosines to the others, in ascending order, as float32."""
    nearest = np.empty((len(rows), k), np.float32)
    for left, right in spans(0, len(rows), block.gallery):
        part = rows[left:right]
        kept = np.empty((len(part), 0), np.float32)
        for start, stop in spans(0, len(others), block.queries):
            found = cosines(part, others[start:stop]).astype(np.float32)
            kept = np.concatenate([kept, found], axis=1)
            if kept.shape[1] > k:
                kept = np.partition(kept, -k, axis=1)[:, -k:]
        nearest[left:right] = np.sort(kept, axis=1)
    return nearest


def nearest_mean(rows: Rows, others: Rows, k: int, block: Block) -> PerItem:
    """Return each unit row's mean cosine to the ``k`` nearest of the others: CSLS's r."""
    return nearest_cosines(rows, others, k, block).mean(axis=1, dtype=np.float64)


def log_mean_exp(bank: UnitRows, gallery: UnitRows, beta: float, block: Block) -> PerItem:
    """Return for each item the logarithm of the mean over the bank of exp(beta cosine).

    Items run down the rows and sums along them, so that equal items get equal sums in any block.
    """
    sums = LogSums(len(gallery))
    for left, right in spans(0, len(gallery), block.gallery):
        items = gallery[left:right]
        for start, stop in spans(0, len(bank), block.queries):
            sums.add(beta * cosines(items, bank[start:stop]), slice(left, right))
    return sums.logarithms() - np.log(len(bank))


def moments(rows: UnitRows, others: UnitRows, block: Block) -> tuple[PerItem, PerItem]:
    """Return mean and standard deviation (of n, not n - 1) of each row's cosines to all others."""
    means, deviations = np.empty(len(rows)), np.empty(len(rows))
    for left, right in spans(0, len(rows), block.gallery):
        part = rows[left:right]
        total, squares = np.zeros(len(part)), np.zeros(len(part))
        for start, stop in spans(0, len(others), block.queries):
            found = cosines(part, others[start:stop])
            total += found.sum(axis=1)
            squares += np.square(found).sum(axis=1)
        means[left:right] = total / len(others)
        spread = squares / len(others) - np.square(means[left:right])
        deviations[left:right] = np.sqrt(np.maximum(spread, 0))
    return means, deviations
