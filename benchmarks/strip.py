"""A strip of queries against a gallery larger than the cache, from memory maps, beside a small gallery.

The goal: CPU seconds per GFLOP of the product within 5 % of those against a gallery of 20,000 rows, under
1 GB of memory beyond the maps' pages. The time of the whole gallery against itself is extrapolated from the
strip, and said to be.

Scratch: 2 KB a row (1,000,000 rows: 2 GB), removed afterwards.
Run: python benchmarks/strip.py [--gallery 1000000] [--queries 8192] [--folder DIR]
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
from _machine import machine_line, table, timed
from moments import PrivateMemory
from threadpoolctl import threadpool_limits

from alignkit.formats import open_embeddings
from alignkit.retrieval.exact.positives import Positives
from alignkit.retrieval.exact.ranks import rank

DIM, SMALL, BLOCK = 512, 20_000, 50_000
GOAL, MEMORY_GOAL = 1.05, 1000


def write(path: Path, queries: Path, n_gallery: int, n_queries: int) -> None:
    """Write a gallery block by block, and queries that are its first rows with noise."""
    gallery = np.lib.format.open_memmap(path, "w+", np.float32, (n_gallery, DIM))
    for start in range(0, n_gallery, BLOCK):
        stop = min(start + BLOCK, n_gallery)
        rng = np.random.default_rng([0, start])
        gallery[start:stop] = rng.standard_normal((stop - start, DIM), np.float32)
    noise = np.random.default_rng(1).standard_normal((n_queries, DIM), np.float32)
    np.save(queries, gallery[:n_queries] + 4 * noise)
    gallery.flush()


def strip(gallery: Path, queries: Path, rows: int) -> tuple[float, float, float]:
    """Return CPU seconds per GFLOP, MB beyond the maps' pages, and the mean of 1 / rank."""
    asked, searched = (open_embeddings(path).vectors for path in (queries, gallery))
    searched = searched[:rows]
    links = np.stack([np.arange(len(asked))] * 2, axis=1)
    positives = Positives.from_links(links, len(asked), rows)
    with PrivateMemory() as memory:
        ranks, cpu, _ = timed(lambda: rank(asked, searched, positives))
    mrr = float((1 / (ranks.above + 1)).mean())
    return cpu / (2e-9 * len(asked) * rows * DIM), memory.peak - memory.before, mrr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gallery", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=8192)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    print(machine_line("numpy"))
    with tempfile.TemporaryDirectory(dir=options.folder) as name, threadpool_limits(1):
        gallery, queries = Path(name) / "gallery.npy", Path(name) / "queries.npy"
        free = shutil.disk_usage(name).free
        if free < 3 * DIM * 4 * options.gallery // 2:
            raise SystemExit(f"{options.gallery} rows need more than the {free / 1e9:.0f} GB free in {name}")
        write(gallery, queries, options.gallery, options.queries)
        sizes = [SMALL, options.gallery, SMALL]
        found = [strip(gallery, queries, size) for size in sizes]
    small = (found[0][0] + found[2][0]) / 2
    lines = [
        [f"{size:,}", f"{per:.4f}", f"{per / small:.3f}", f"{memory:.0f}", f"{mrr:.4f}"]
        for size, (per, memory, mrr) in zip(sizes, found, strict=True)
    ]
    print(f"{options.queries:,} queries x {DIM} float32; goals: {GOAL} x small, {MEMORY_GOAL} MB\n")
    print(table(["gallery", "CPU s/GFLOP", "x small", "MB", "mrr"], lines))
    whole = found[1][0] * 2e-9 * DIM * options.gallery**2 / 3600
    print(f"\nextrapolated, not run: {options.gallery:,} x {options.gallery:,} takes {whole:.1f} CPU hours")


if __name__ == "__main__":
    main()
