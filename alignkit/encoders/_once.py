"""Values that are made when they are first asked for, and only once, whichever thread asks."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Call ``make`` at the first call and return what it returned at all; a call that raised counts for none.

    Items are prepared in several threads, and each may be the first that needs the weights.

    Examples
    --------
    >>> ready = Once(lambda: print("read") or 7)
    >>> ready(), ready()
    read
    (7, 7)
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make, self._lock = make, Lock()
        self._made: list[T] = []

    def __call__(self) -> T:
        """Return the value."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]
