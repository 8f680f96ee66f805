"""A fit from two half-precision files on disk, beside the bare product and the bare reading, in one run.

The goal is at most 1.3 times (product + reading once) in CPU seconds, in O(d^2) memory. The product is X'Y
in float64 for a rotation and, for ridge, which needs X'X and Y'Y as well, the one symmetric product of the
stacked rows (two thirds of three plain products); both on blocks of these very rows that lie in memory as
float64, of the size that multiplies fastest, spread over the run and scaled up to all rows. The default
frame, unit-center-unit, reads twice; its ratio is to one reading all the same.

Scratch: 4 x 512 bytes a pair (10,000,000 pairs: 20 GB), removed afterwards; fewer pairs, said so, where the
disk has less. The targets are a planted linear map of the sources with noise.
Run: python benchmarks/streaming.py [--rows 10000000] [--folder DIR] [--jobs 1] [--only unit-center-unit]
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
from _machine import machine_line, peak_mb, table, timed
from moments import PrivateMemory, read
from scipy.linalg import blas
from threadpoolctl import threadpool_limits

from alignkit.aligners._from_shards import fit_shards, interval_scores, resample, score_folds, score_grid
from alignkit.formats import open_embeddings
from alignkit.workflows.streaming import Streamed, Study, fit_stream

DIM, SPARE, PIECE = 512, 2 << 30, 16_384
PRODUCT_BLOCKS = 1024, 200  # rows of a block, blocks that are timed
GOAL = 1.3
FITS = (
    ("procrustes", "center"),
    ("procrustes", "unit-center"),
    ("procrustes", "unit-center-unit"),
    ("ridge", "unit-center"),
)


class SparseWatch(PrivateMemory):
    """Look twice a second: on a busy machine a run is long, and what the watcher uses is counted with it."""

    def watch(self) -> None:
        while not self.done.wait(0.5):
            self.peak = max(self.peak, self.now())


def rows_that_fit(wanted: int, folder: Path) -> int:
    """Return how many pairs the disk holds beside 2 GB that stay free."""
    fit = max(0, shutil.disk_usage(folder).free - SPARE) // (4 * DIM)
    return min(wanted, fit)


def write(folder: Path, rows: int) -> tuple[Path, Path]:
    """Write sources off the origin and targets that are a linear map of them plus noise, block by block."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0].astype(np.float32)
    spectrum = (np.arange(1, DIM + 1) ** -0.4).astype(np.float32)
    scales = np.linspace(1.5, 0.5, DIM, dtype=np.float32)
    plan = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0].astype(np.float32) * scales
    paths = folder / "x.npy", folder / "y.npy"
    x, y = (np.lib.format.open_memmap(p, "w+", np.float16, (rows, DIM)) for p in paths)
    for start in range(0, rows, PIECE):
        count = min(PIECE, rows - start)
        latent = rng.standard_normal((count, DIM), dtype=np.float32) * spectrum
        x[start : start + count] = latent @ axes + 0.05
        noise = rng.standard_normal((count, DIM), dtype=np.float32)
        y[start : start + count] = latent @ plan + 0.2 * noise - 0.1
    x.flush(), y.flush()
    return paths


def product_seconds(paths: tuple[Path, Path], rows: int, *, symmetric: bool) -> float:
    """Return the CPU seconds of the product over all rows, from blocks of these rows held as float64."""
    block, count = PRODUCT_BLOCKS
    x, y = (np.load(path, mmap_mode="r")[:block].astype(np.float64) for path in paths)
    block = len(x)
    both = np.hstack([x, y]).T if symmetric else None
    out = np.zeros((2 * DIM,) * 2 if symmetric else (DIM, DIM), order="F")

    def work() -> None:
        nonlocal out
        for _ in range(count):
            if both is None:
                out = blas.dgemm(1.0, x.T, y.T, beta=1.0, c=out, trans_b=1, overwrite_c=1)
            else:
                out = blas.dsyrk(1.0, both, beta=1.0, c=out, lower=1, overwrite_c=1)

    with threadpool_limits(1):
        return timed(work)[1] * rows / (block * count)


def measured(paths: tuple[Path, Path], method: str, normalize: str, jobs: int) -> tuple[Streamed, list[str]]:
    """Fit once; return what came out and a row of the table."""
    symmetric = method == "ridge"
    source, target = (open_embeddings(str(path)) for path in paths)
    product = product_seconds(paths, len(source), symmetric=symmetric)
    reading = timed(lambda: read(*paths))[1]
    params = {"normalize": normalize} | ({"alpha": 1.0} if symmetric else {})
    bare = Study(folds=0, replicates=0)
    with SparseWatch() as memory:
        fitted, cpu, wall = timed(
            lambda: fit_stream(source, target, method=method, params=params, study=bare, jobs=jobs)
        )
    product = (product + product_seconds(paths, len(source), symmetric=symmetric)) / 2  # before and after
    name = f"{method}, {normalize}, passes: {fitted.report.context['passes']}"
    numbers = [f"{number:.1f}" for number in (product, reading, cpu, wall)]
    ratio, used = cpu / (product + reading), memory.peak - memory.before
    return fitted, [name, *numbers, f"{ratio:.2f}", f"{used:.0f}"]


def afterwards(fitted: Streamed) -> list[list[str]]:
    """Time what the shards give without the rows: folds, a grid of penalties, 200 replicates."""
    aligner, framed = fitted.alignment.aligner, fitted.shards
    with threadpool_limits(1):
        steps = {
            "  the map again, from the shards": lambda: fit_shards(aligner, framed),
            "  5 folds": lambda: score_folds(aligner, framed, 5, 0),
            "  41 penalties x 5 folds": lambda: score_grid(framed, 5, 0),
            "  200 replicates": lambda: interval_scores(
                aligner, framed, resample(aligner, framed, 200, 0, 1)
            ),
        }
        times = {name: timed(step)[1:] for name, step in steps.items()}
    return [[name, "", "", f"{cpu:.1f}", f"{wall:.1f}", "", ""] for name, (cpu, wall) in times.items()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=None, help="where the scratch goes")
    parser.add_argument("--jobs", type=int, default=1, help="threads that read shards side by side")
    parser.add_argument(
        "--only", default="", help="the fits whose name holds this word, like unit-center-unit"
    )
    options = parser.parse_args()
    print(machine_line("numpy", "scipy"))
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        rows = rows_that_fit(options.rows, folder)
        if rows < options.rows:
            print(f"the disk holds scratch for {rows:,} of {options.rows:,} pairs: measuring those")
        paths = write(folder, rows)
        results = []
        chosen = [fit for fit in FITS if options.only in " ".join(fit)]
        for method, normalize in chosen:
            fitted, row = measured(paths, method, normalize, options.jobs)
            results.append(row)
            if method == "ridge":
                results += afterwards(fitted)
    size = rows * DIM * 4 / 1e9
    print(f"{rows:,} pairs of {DIM} + {DIM} float16 dimensions, {size:.1f} GB; CPU seconds, wall of the fit")
    header = ("fit", "product", "read", "fit CPU", "fit wall", f"ratio (goal {GOAL})", "MB")
    print(table(header, results))
    print(
        f"MB: memory without file pages, beyond the start; peak of the process with pages {peak_mb():.0f} MB"
    )


if __name__ == "__main__":
    main()
