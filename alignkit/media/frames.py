"""Films as items: which pictures of them are seen, and how their rows become one row or stay many."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from alignkit.errors import ParameterError
from alignkit.pooling import POOLINGS

Film: TypeAlias = Callable[[], Iterator[tuple[float, np.ndarray]]]  # plays it from its beginning

KEEP = "keep"
FRAME_POOLS = (*POOLINGS, KEEP)
DIRECTIONLESS = ("mean_unit", "mean", "max")  # what these make of unit rows has not length 1
MOST = 1000.0  # pictures a second: times in ids have three decimals


@dataclass(frozen=True, slots=True)
class Frames:
    """Say how films are seen: ``rate`` pictures a second, and what becomes of their rows.

    Parameters
    ----------
    rate
        Pictures for a second of film, above 0 and at most 1000; picture ``k`` is what a viewer sees
        ``k / rate`` seconds after the first.
    pool
        ``"mean_unit"``: the mean of the rows at length 1, as im2wav conditions on a film; ``"mean"`` and
        ``"max"``: of the rows as they are; ``"first"``, ``"middle"``, ``"last"``: one picture alone;
        ``"keep"``: every row. A picture counts as a film of one frame.

    Raises
    ------
    ParameterError
        If there is no such rate or pooling.

    References
    ----------
    Sheffer and Adi (2023), *I hear your true colors: image guided audio generation* (im2wav).

    Examples
    --------
    >>> frames = Frames(2.0, "keep")
    >>> frames.kept, frames.name("a.mp4", 3)
    (True, 'a.mp4#1.500')
    """

    rate: float
    pool: str = "mean_unit"

    def __post_init__(self) -> None:
        if not (0 < self.rate <= MOST and math.isfinite(self.rate)):
            raise ParameterError(f"frames is {self.rate}: give pictures for a second, above 0, at most 1000.")
        if self.pool not in FRAME_POOLS:
            raise ParameterError(
                f"no pooling of frames is named {self.pool!r}: choose one of {', '.join(FRAME_POOLS)}."
            )

    @property
    def kept(self) -> bool:
        """Whether every picture has a row of its own."""
        return self.pool == KEEP

    def name(self, film: object, number: int) -> str:
        """Return the id of a film's picture, counted from 0: the film's, and the time in seconds."""
        return f"{film}#{self.time(number):.3f}"

    def time(self, number: int) -> float:
        """Return when a picture is seen, in seconds after the first."""
        return number / self.rate

    def chosen(self, film: Film) -> Iterator[np.ndarray]:
        """Yield the pictures of a film that are to be encoded; one at a time is held.

        For ``"middle"`` the film is played twice: the first time only counts.

        Examples
        --------
        >>> film = lambda: iter([(0.0, "a"), (0.5, "b"), (1.0, "c"), (1.5, "d")])
        >>> [list(Frames(2, pool).chosen(film)) for pool in ("middle", "last", "mean")]
        [['b'], ['d'], ['a', 'b', 'c', 'd']]
        """
        if self.pool == "last":
            yield from (picture for _, picture in deque(film(), maxlen=1))
            return
        count = sum(1 for _ in film()) if self.pool == "middle" else 0
        only = {"first": 0, "middle": (count - 1) // 2}.get(self.pool)
        for number, (_, picture) in enumerate(film()):
            if only in (None, number):
                yield picture
            if number == only:
                return

    def to_json(self) -> dict[str, Any]:
        """Return what a recipe says of it."""
        return {"rate": self.rate, "pool": self.pool}
