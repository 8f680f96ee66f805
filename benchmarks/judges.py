"""The Fréchet distance beside the matrix square root that others take it by, where rows are few and many.

    python benchmarks/judges.py [--d 512]

One process, one thread, seconds of the wall clock, the best of three. The goal at 100 rows is 20 times.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from _machine import machine_line
from scipy.linalg import sqrtm
from threadpoolctl import threadpool_limits

from alignkit.judges._frechet import frechet
from alignkit.judges.kad import kad

GOAL = 20.0


def by_root(x: np.ndarray, y: np.ndarray) -> float:
    """Return the distance by way of a matrix square root."""
    first, second = np.cov(x.T), np.cov(y.T)
    apart = x.mean(axis=0) - y.mean(axis=0)
    root = np.real(sqrtm(first @ second))
    return float(apart @ apart + np.trace(first + second - 2 * root))


def best(ask: Callable[[], float]) -> tuple[float, float]:
    """Return the shortest of three runs, and what was returned."""
    times, value = [], 0.0
    for _ in range(3):
        start = time.perf_counter()
        value = ask()
        times.append(time.perf_counter() - start)
    return min(times), value


def main() -> None:
    """Print one line a number of rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--d", type=int, default=512)
    d = parser.parse_args().d
    print(machine_line())
    print("rows   ours, s   root, s   times   ours       root       kad, s")
    with threadpool_limits(1):
        for n in (100, 400, 2000):
            rng = np.random.default_rng(n)
            x, y = rng.normal(size=(n, d)), rng.normal(size=(n, d)) + 0.1
            (ours, value), (root, other) = (
                best(lambda a=x, b=y: frechet(a, b)),
                best(lambda a=x, b=y: by_root(a, b)),
            )
            cost, _ = best(lambda a=x, b=y: kad(a, b))
            times = f"{n:<6} {ours:<9.4f} {root:<9.4f} {root / ours:<7.1f}"
            print(f"{times} {value:<10.4f} {other:<10.4f} {cost:.4f}")
            if n == 100 and root / ours < GOAL:
                raise SystemExit(f"{root / ours:.1f} times at {n} rows: the goal is {GOAL:g}")


if __name__ == "__main__":
    main()
