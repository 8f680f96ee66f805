"""What surrounds a training run and is no part of the map: where it is kept, and who watches it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Watch: TypeAlias = Callable[[int, int, float, float], None]  # epochs done, of how many, loss, held-out MRR


def _nobody(done: int, total: int, loss: float, mrr: float) -> None:
    """Watch nothing."""


@dataclass(frozen=True, slots=True)
class Session:
    """Where checkpoints of a run lie (None: nowhere), and who is told how it goes."""

    checkpoints: Path | None = None
    watch: Watch = _nobody


_ALONE = Session()
_CURRENT: ContextVar[Session] = ContextVar("alignkit_training", default=_ALONE)


@contextmanager
def training(*, checkpoints: Path | str | None = None, watch: Watch = _nobody) -> Iterator[None]:
    """Keep checkpoints of what is trained inside the ``with`` block, and tell ``watch`` how it goes.

    ``checkpoints`` is a folder, made where it is absent. A run that was killed goes on from its last
    checkpoint when the same map is fitted to the same pairs again, and ends with the same bits; another
    run is refused there. ``watch`` is called after every epoch with the epochs done, how many there are at
    most, the mean loss, and the mean reciprocal rank of held-out pairs (NaN where none are held out).
    Both stand outside a map's parameters because they change nothing about the map.

    Examples
    --------
    >>> from alignkit.testing import planted_rotation
    >>> from alignkit.translators.residual import Residual
    >>> X, Y, _ = planted_rotation(60, 4)
    >>> seen = []
    >>> with training(watch=lambda done, total, loss, mrr: seen.append((done, total))):
    ...     _ = Residual(epochs=2, hidden=4, folds=1, refit=False).fit(X, Y)
    >>> seen
    [(1, 2), (2, 2)]
    """
    token = _CURRENT.set(Session(None if checkpoints is None else Path(checkpoints), watch))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_session() -> Session:
    """Return what surrounds the run."""
    return _CURRENT.get()
