"""Prepare items in threads while the model encodes the ones before, in order and with a bounded lead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar, cast

from alignkit.errors import DataError

T = TypeVar("T")
_END = object()


def prepared(
    prepare: Callable[[int], T], rows: Iterable[int], *, workers: int, lead: int
) -> Iterator[tuple[int, T | DataError]]:
    """Yield (row, what ``prepare`` made of it) in the order of ``rows``; a DataError is yielded, not raised.

    At most ``lead`` items are prepared ahead, so memory does not grow with their number. Without workers
    everything happens in this thread. Any other exception ends the work.

    Examples
    --------
    >>> list(prepared(lambda row: row * row, [1, 2, 3], workers=2, lead=2))
    [(1, 1), (2, 4), (3, 9)]
    """

    def attempt(row: int) -> T | DataError:
        try:
            return prepare(row)
        except DataError as error:
            return error

    if workers == 0:
        yield from ((row, attempt(row)) for row in rows)
        return
    left = iter(rows)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="alignkit-prepare")
    try:
        waiting: deque[tuple[int, Future[T | DataError]]] = deque(
            (row, pool.submit(attempt, row)) for row in islice(left, max(1, lead))
        )
        while waiting:
            row, future = waiting.popleft()
            result = future.result()
            for following in islice(left, 1):
                waiting.append((following, pool.submit(attempt, following)))
            yield row, result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def ahead(things: Iterable[T], lead: int) -> Iterator[T]:
    """Yield ``things``, which are made in a thread of their own, at most ``lead`` of them too early.

    With a lead of 0 everything happens in this thread. What the making raises is raised here, in its turn.

    Examples
    --------
    >>> list(ahead(iter("abc"), 2))
    ['a', 'b', 'c']
    """
    if lead == 0:
        yield from things
        return
    source = iter(things)
    pool = ThreadPoolExecutor(1, thread_name_prefix="alignkit-ahead")
    try:
        waiting = deque(pool.submit(next, source, _END) for _ in range(lead))
        while (thing := waiting.popleft().result()) is not _END:
            waiting.append(pool.submit(next, source, _END))
            yield cast(T, thing)  # the end is no T
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
