"""Time bootstrap intervals beside the bare matrix product over as many counts, and beside other tools.

    OMP_NUM_THREADS=1 python benchmarks/intervals.py [--n 20000] [--resamples 10000] [--small] [--repeats 3]

Four metrics (mrr, hit@1, hit@5, hit@10) of ``n`` queries, CPU seconds, median of the repeats.
The floor multiplies counts by values and draws nothing.
Tools that would take minutes do fewer resamples, and their time is scaled: they cost the same for each.
"""

import argparse
import sys
from collections.abc import Callable

import numpy as np
from _machine import machine_line, table, timed
from scipy.stats import bootstrap

from alignkit.statistics.intervals import bootstrap_interval

KS = (1, 5, 10)
BLOCK = 13  # resamples at a time: 2 MB of counts for 20,000 queries
Work = Callable[[np.ndarray, int], np.ndarray | None]


def values_of(n: int, *, continuous: bool) -> np.ndarray:
    """Return reciprocal ranks and hits; ``continuous`` gives every query a reciprocal rank of its own."""
    rng = np.random.default_rng(0)
    ranks = (n ** rng.random(n)).astype(int)
    reciprocal = 1 / (ranks + continuous * rng.random(n))
    return np.stack([reciprocal, *(ranks <= k for k in KS)], axis=1)


def floor(values: np.ndarray, resamples: int) -> None:
    counts = np.ones((BLOCK, len(values)))
    for _ in range(-(-resamples // BLOCK)):
        counts @ values


def percentile(values: np.ndarray, resamples: int) -> np.ndarray:
    return bootstrap_interval(values, resamples=resamples)


def bca(values: np.ndarray, resamples: int) -> np.ndarray:
    return bootstrap_interval(values, method="bca", resamples=resamples)


def numpy_multinomial(values: np.ndarray, resamples: int) -> np.ndarray:
    rng = np.random.Generator(np.random.PCG64(1))
    n = len(values)
    drawn = np.concatenate(
        [
            rng.multinomial(n, np.full(n, 1 / n), BLOCK).astype(float) @ values / n
            for _ in range(-(-resamples // BLOCK))
        ]
    )
    return np.quantile(drawn, [0.025, 0.975], axis=0)


def numpy_rows(values: np.ndarray, resamples: int) -> np.ndarray:
    """Gather rows by drawn numbers: what one writes first."""
    rng = np.random.Generator(np.random.PCG64(1))
    n = len(values)
    drawn = np.stack([values[rng.integers(0, n, n)].mean(axis=0) for _ in range(resamples)])
    return np.quantile(drawn, [0.025, 0.975], axis=0)


def scipy_(values: np.ndarray, resamples: int) -> np.ndarray:
    found = bootstrap(
        (values,), np.mean, axis=0, method="percentile", n_resamples=resamples, batch=BLOCK, vectorized=True,
        rng=np.random.default_rng(1),
    )  # fmt: skip
    return np.stack([found.confidence_interval.low, found.confidence_interval.high])


# name -> what runs, and by how much fewer resamples
WORKS: dict[str, tuple[Work, int]] = {
    "floor: product only": (floor, 1),
    "alignkit, percentile": (percentile, 1),
    "alignkit, BCa": (bca, 1),
    "numpy, rows": (numpy_rows, 20),
    "numpy, multinomial": (numpy_multinomial, 20),
    "scipy, percentile": (scipy_, 20),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--small", action="store_true", help="2,000 queries")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    n = 2000 if options.small else options.n
    print(machine_line("numpy", "scipy"))
    print(f"{n:,} queries, {options.resamples:,} resamples, 4 metrics, seed 0; CPU seconds\n")
    for continuous in (False, True):
        values = values_of(n, continuous=continuous)
        print(f"{len(np.unique(values, axis=0)):,} different rows of values")
        lines = []
        base = 0.0
        for name, (work, fewer) in WORKS.items():
            resamples = max(1, options.resamples // fewer)
            runs = [timed(lambda: work(values, resamples)) for _ in range(options.repeats)]  # noqa: B023
            spent = sorted(run[1] * options.resamples / resamples for run in runs)
            middle = spent[len(spent) // 2]
            base = base or middle
            ends = runs[0][0]
            shown = "" if ends is None else f"[{ends[0, 0]:.4f}, {ends[1, 0]:.4f}]"
            lines.append(
                [name, f"{middle:.2f}", f"{spent[0]:.2f}-{spent[-1]:.2f}", f"{middle / base:.1f}", shown]
            )
            print(name, file=sys.stderr)
        print(table(["", "CPU s", "spread", "x floor", "interval of mrr"], lines), end="\n\n")


if __name__ == "__main__":
    main()
