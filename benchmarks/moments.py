"""Moments of two half-precision files on disk, beside the bare products and the bare reading.

The goal is at most 1.5 times (products + reading once) and under 400 MB beyond the pages of the maps.
"Products" are timed on a block that lies in memory already, in float64, repeated as often as the files
need: once as the three matrix products that the moments hold, once as the one symmetric product of the
stacked rows, which gives the same with two thirds of the work and is the harder yardstick.
Run: python benchmarks/moments.py [--rows 2000000]
"""

import argparse
import tempfile
import threading
from pathlib import Path

import numpy as np
from _machine import machine_line, table, timed
from scipy.linalg import blas

from alignkit.aligners.procrustes import Procrustes
from alignkit.moments import BLOCK, Moments

DIM = 512


def write(path: Path, rows: int, seed: int) -> None:
    """Write random half-precision rows, the same 16,384 again and again with another sign."""
    rng = np.random.default_rng(seed)
    piece = (rng.normal(size=(16_384, DIM)) + 0.5).astype(np.float16)
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(rows, DIM))
    for start in range(0, rows, len(piece)):
        out[start : start + len(piece)] = piece[: rows - start] * rng.choice([-1, 1])
    out.flush()


def read(*paths: Path) -> int:
    """Read the files once, and do nothing with them."""
    buffer, total = bytearray(1 << 22), 0
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                total += count
    return total


def three_products(repeats: int) -> None:
    """Multiply blocks of both sides that lie in memory: x'x, x'y, y'y."""
    x, y = (np.asfortranarray(np.random.default_rng(seed).normal(size=(DIM, BLOCK))) for seed in (0, 1))
    out = [np.zeros((DIM, DIM), order="F") for _ in range(3)]
    for _ in range(repeats):
        for index, (a, b) in enumerate(((x, x), (x, y), (y, y))):
            out[index] = blas.dgemm(1.0, a, b, beta=1.0, c=out[index], trans_b=1, overwrite_c=1)


def one_symmetric_product(repeats: int) -> None:
    """Multiply the stacked block by itself, one triangle only."""
    z = np.asfortranarray(np.random.default_rng(0).normal(size=(2 * DIM, BLOCK)))
    out = np.zeros((2 * DIM, 2 * DIM), order="F")
    for _ in range(repeats):
        out = blas.dsyrk(1.0, z, beta=1.0, c=out, lower=1, overwrite_c=1)


class PrivateMemory:
    """Watch this process's memory that no file backs, in MB, while the block runs."""

    def __enter__(self) -> "PrivateMemory":
        self.before = self.peak = self.now()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()

    def watch(self) -> None:
        while not self.done.wait(0.02):
            self.peak = max(self.peak, self.now())

    @staticmethod
    def now() -> float:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2_000_000)
    rows = parser.parse_args().rows
    print(machine_line("numpy", "scipy"))
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("x.npy", "y.npy")]
        for seed, path in enumerate(paths):
            write(path, rows, seed)
        maps = [np.load(path, mmap_mode="r") for path in paths]
        repeats = -(-rows // BLOCK)
        with PrivateMemory() as memory:
            _, cpu, wall = timed(lambda: Moments.from_arrays(*maps))
        results = [("Moments.from_arrays", cpu, wall)]
        for name, work in (
            ("reading once", lambda: read(*paths)),
            ("three float64 products", lambda: three_products(repeats)),
            ("one symmetric float64 product", lambda: one_symmetric_product(repeats)),
        ):
            results.append((name, *timed(work)[1:]))
        _, cpu, wall = timed(lambda: Procrustes().fit(*maps))
        results.append(("Procrustes().fit, two passes", cpu, wall))
    print(f"{rows:,} x {DIM} + {rows:,} x {DIM} float16, CPU and wall seconds")
    print(table(("what", "CPU-s", "wall-s"), [(name, f"{c:.2f}", f"{w:.2f}") for name, c, w in results]))
    ours, reading, gemm, syrk = (cpu for _, cpu, _ in results[:4])
    print(f"ratio to three products + reading: {ours / (gemm + reading):.2f} (goal 1.50)")
    print(f"ratio to one symmetric product + reading: {ours / (syrk + reading):.2f}")
    print(f"memory beyond the maps' pages: {memory.peak - memory.before:.0f} MB (goal 400)")


if __name__ == "__main__":
    main()
