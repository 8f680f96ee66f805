"""Encoders whose network is one thing, read from their weights when it is first needed."""

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alignkit.encoders._base import Encoder, Prepared
from alignkit.encoders._once import Once
from alignkit.encoders._placing import placing
from alignkit.encoders._weights import digest_of_state
from alignkit.errors import DataError
from alignkit.shapes import Vectors


class LoadedEncoder(Encoder):
    """Read a torch module once; a leaf says what it is called (``title``) and how it is read (``_load``)."""

    title: ClassVar[str]

    def __init__(
        self, *, weights: Path | str | None = None, device: str = "cpu", dtype: str = "float32"
    ) -> None:
        super().__init__(weights=weights, device=device, dtype=dtype)
        self._ready = Once(self._read)

    @property
    def _net(self) -> Any:  # Any: a torch module
        return self._ready()[0]

    @property
    def _place(self) -> tuple[str, Any]:  # Any: a torch.dtype
        return placing(self.device, self.dtype, self.title)

    @abstractmethod
    def _load(self) -> Any:
        """Return the module in evaluation mode, where and as its weights are stored."""

    def _read(self) -> tuple[Any, str]:
        place = self._place  # before a large file is read
        net = self._load()
        return net.to(*place), digest_of_state(net.state_dict())

    def _given(self, what: str = "the file") -> Path | str:
        """Return the weights; raise DataError, saying what they are, where none were given."""
        if self.weights is None:
            raise DataError(f"{self.title} needs its weights, {self.card.weights}: give {what}.")
        return self.weights

    def _dim(self) -> int:
        dim = self.card.dim
        if dim is None:
            raise TypeError(f"the card of {type(self).__name__} states no dimension: fill _dim")
        return dim

    def _revision(self) -> str:
        return self._ready()[1]


def rows_by_shape(batch: list[Prepared], dim: int, run: Callable[[np.ndarray], Vectors]) -> Vectors:
    """Return a row an item, in order, from calls of ``run`` on items of one shape each.

    Examples
    --------
    >>> rows_by_shape([np.ones(2), np.ones(3), np.ones(2)], 1, lambda same: same[:, :1] * len(same)).tolist()
    [[2.0], [1.0], [2.0]]
    """
    shapes = [each.shape for each in batch]
    rows = np.empty((len(batch), dim), np.float32)
    for shape in sorted(set(shapes)):
        places = [place for place, other in enumerate(shapes) if other == shape]
        rows[places] = run(np.stack([batch[place] for place in places]))
    return rows
