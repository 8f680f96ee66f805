"""Which pairs make which batch, and their framed rows on the device."""

from typing import Any

import numpy as np

from alignkit.translators._pair_table import PairTable
from alignkit.translators._plan import Plan

Tensor = Any  # torch is imported where it is used, and may be absent


class Batches:
    """Some pairs of a table, dealt into batches anew every epoch: the seed and the epoch decide how."""

    def __init__(self, torch: Any, device: str, table: PairTable, learn: np.ndarray, plan: Plan) -> None:
        self.torch, self.device, self.table, self.learn = torch, device, table, learn
        self.seed, self.pairs = plan.seed, len(learn)
        self.count = max(1, -(-len(learn) // plan.batch))
        self._dealt = -1, np.zeros(0, np.int64)
        # what no two pairs have in common need not be compared
        self._repeated = [
            torch.tensor(items, device=device) for items in table.items if len(np.unique(items)) < len(items)
        ]
        self._here: list[Tensor] | None = None
        if table.kept is not None:
            self._here = [torch.tensor(side, device=device) for side in table.kept]

    def rows(self, epoch: int, place: int) -> np.ndarray:
        """Return the pairs of a batch, whose sizes differ by one at most."""
        if self._dealt[0] != epoch:
            order = np.random.default_rng((self.seed, epoch)).permutation(self.pairs)
            self._dealt = epoch, self.learn[order]
        first, last = (number * self.pairs // self.count for number in (place, place + 1))
        return self._dealt[1][first:last]

    def framed(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return the framed rows of both sides."""
        if self._here is not None:
            where = self.torch.tensor(rows, device=self.device)
            return self._here[0][where], self._here[1][where]
        X, Y = (self.torch.tensor(side, device=self.device) for side in self.table.batch(rows))
        return X, Y

    def same(self, rows: np.ndarray) -> Tensor:
        """Return which pairs of the batch share an item or a group; none does with itself."""
        torch = self.torch
        shared = torch.zeros((len(rows), len(rows)), dtype=torch.bool, device=self.device)
        for items in self._repeated:
            mine = items[torch.tensor(rows, device=self.device)]
            shared |= mine[:, None] == mine[None, :]
        return shared.fill_diagonal_(False)

    def weight(self, rows: np.ndarray) -> Tensor:
        """Return the weight of every pair of the batch."""
        return self.torch.tensor(self.table.weight[rows], dtype=self.torch.float32, device=self.device)
