"""`fit` of Procrustes on 100,000 pairs of 512 dimensions, beside the product and the SVD that it needs.

The goal is at most 1.3 times (product + SVD). The product counted is X'Y in float64 on rows that lie in
memory as float64 already: one product, although the default frame needs the means first and so reads the
rows twice, converts and normalises them. Three frames are shown; medians of the repeats.
Run: python benchmarks/procrustes.py [--rows 100000]
"""

import argparse
from statistics import median

import numpy as np
from _machine import machine_line, table, timed
from scipy.linalg import blas

from alignkit.aligners.procrustes import Procrustes
from alignkit.moments import BLOCK

DIM, REPEATS = 512, 3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    print(machine_line("numpy", "scipy", "scikit-learn"))
    rng = np.random.default_rng(0)
    X, Y = (rng.normal(size=(rows, DIM)).astype(np.float32) + 0.5 for _ in range(2))
    x, y = (np.asfortranarray(side[:BLOCK].T, dtype=np.float64) for side in (X, Y))

    def product() -> np.ndarray:
        out = np.zeros((DIM, DIM), order="F")
        for _ in range(-(-rows // BLOCK)):
            out = blas.dgemm(1.0, x, y, beta=1.0, c=out, trans_b=1, overwrite_c=1)
        return out

    cross = product()
    work = {"float64 product X'Y": product, "SVD of 512 x 512": lambda: np.linalg.svd(cross)}
    for normalize in ("none", "center", "unit-center", "unit-center-unit"):
        work[f"fit, {normalize}"] = lambda n=normalize: Procrustes(normalize=n).fit(X, Y)
    cpu: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(REPEATS):
        for name, step in work.items():
            cpu[name].append(timed(step)[1])
    floor = sum(median(cpu[name]) for name in list(work)[:2])
    rows_ = [
        (
            name,
            f"{median(times):.2f}",
            f"{min(times):.2f}",
            f"{max(times):.2f}",
            f"{median(times) / floor:.2f}",
        )
        for name, times in cpu.items()
    ]
    print(f"{rows:,} pairs of {DIM} float32 dimensions, CPU seconds of {REPEATS} repeats; goal 1.30")
    print(table(("what", "median", "least", "most", "/ (product + SVD)"), rows_))


if __name__ == "__main__":
    main()
