"""Run one function from several seeds side by side; the results do not depend on how many run at a time."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

import numpy as np
import scipy.linalg  # noqa: F401 - brings its own BLAS, which must be there before threads are limited
from threadpoolctl import ThreadpoolController

from alignkit._params import check_count

S = TypeVar("S")
T = TypeVar("T")


def seeds_of(seed: int, count: int) -> list[np.random.SeedSequence]:
    """Return ``count`` seeds with nothing in common, all from one; `numpy.random.default_rng` takes them.

    The first ones are the same for every ``count``, so more restarts add to the fewer.

    Examples
    --------
    >>> few, more = seeds_of(0, 2), seeds_of(0, 5)
    >>> [bool(a.generate_state(1) == b.generate_state(1)) for a, b in zip(few, more)]
    [True, True]
    """
    return np.random.SeedSequence(seed).spawn(count)


def run_restarts(function: Callable[[S], T], seeds: Sequence[S], jobs: int | None = None) -> list[T]:
    """Return ``function(seed)`` for every seed, in the order of the seeds.

    The calls run in ``jobs`` threads, every one with a single BLAS thread, so that a result is the same
    to the last bit for every ``jobs``; `numpy` and `scipy` let go of the interpreter in long products. With
    None there are as many threads as the BLAS may use, which is what the machine and the user's limits
    allow. Memory is that of ``jobs`` calls. ``function`` must not write to what the calls share.

    Raises
    ------
    ParameterError
        If ``jobs`` is neither None nor a whole number of at least 1.
    Exception
        Whatever ``function`` raised, the error of the first seed in order; calls not yet begun are dropped.

    Examples
    --------
    >>> run_restarts(lambda seed: 10 * seed, [3, 1, 2], jobs=2)
    [30, 10, 20]
    """
    check_jobs(jobs)
    blas = ThreadpoolController().select(user_api="blas")
    threads = min(_allowed(blas) if jobs is None else jobs, max(1, len(seeds)))
    with blas.limit(limits=1):
        if threads == 1:
            return [function(seed) for seed in seeds]
        with ThreadPoolExecutor(threads) as pool:
            # a thread starts with an empty context: on another device than the caller's
            calls = [pool.submit(copy_context().run, function, seed) for seed in seeds]
            try:
                return [call.result() for call in calls]
            finally:
                pool.shutdown(cancel_futures=True)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Give the BLAS one thread: products and decompositions are then the same to the last bit anywhere."""
    with ThreadpoolController().select(user_api="blas").limit(limits=1):
        yield


def check_jobs(jobs: object) -> None:
    """Raise ParameterError unless ``jobs`` is None or a number of threads."""
    if jobs is not None:
        check_count("jobs", jobs, least=1)


def _allowed(blas: ThreadpoolController) -> int:
    """Return how many threads the BLAS may use, at most one for every core of this process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, max([1, *(library["num_threads"] for library in blas.info())]))
