"""The gap report beside one n x n matrix product, and single measures beside the published scripts' way.

    python benchmarks/gap.py [--n 20000] [--d 512] [--peer-rows 5000] [--stream 0]

One process, one thread, CPU seconds; goals are for the default sizes. The published ways are restated here
from their formulas: RMG through n x n matrices and a Python loop over all captions (Schrodi et al. 2025, the
COCO path), unbiased CKA through n x n kernels (Huh et al. 2024). Both are timed in float32, as they are used;
"apart" is how far they lie from ours in float64 on the first 2,000 rows, the 1e-6 left out that the published
CKA adds below the line. ``--stream 10000000`` adds the moment-based set on so many rows from memory maps
(100,000 rows of scratch, mapped again and again).
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _machine import machine_line, table, timed
from moments import PrivateMemory
from threadpoolctl import threadpool_limits

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._measure_all import measure_clouds
from alignkit.gaps.linear_cka import linear_cka
from alignkit.gaps.relative_modality_gap import relative_modality_gap
from alignkit.rows import ShardedRows
from alignkit.spaces import Embeddings
from alignkit.workflows import measure_gap

GOALS = {"report": 4.0, "memory": 300, "rmg": 100, "cka": 50}
BELOW, CHECKED = 1e-6, 2_000  # what the published CKA adds to the denominator; rows of the comparison
SHARD = 100_000


def sides(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two noisy views of one cloud with a gap, at length 1."""
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((n, d), np.float32)
    apart = rng.standard_normal(d, np.float32) / 2
    views = (latent + 0.5 * rng.standard_normal((n, d), np.float32) + sign * apart for sign in (1, -1))
    x, y = (view / np.linalg.norm(view, axis=1, keepdims=True) for view in views)
    return x, y


def floor(x: np.ndarray, y: np.ndarray) -> None:
    """Multiply every row with every other, in tiles."""
    for i in range(0, len(x), 1024):
        for j in range(0, len(y), 4096):
            x[i : i + 1024] @ y[j : j + 4096].T


def published_rmg(x: np.ndarray, y: np.ndarray) -> float:
    """Return the RMG of one caption an image as the published script goes about it."""
    import torch

    images, texts = torch.from_numpy(x), torch.from_numpy(y)
    n = len(x)
    others = torch.ones((n, n)).bool()
    for row in torch.arange(n)[:, None]:  # which captions are another image's: made, and not used
        for i in row:
            others[i.item(), i.item()] = False
    matching = 1 - ((images * texts).sum(dim=1).mean() + 1) / 2
    spread = []
    for side in (images, texts):
        cosines = (side @ side.T).fill_diagonal_(0)
        spread.append(1 - (cosines.sum() / (n * n - n) + 1) / 2)
    return float(matching / (matching + (spread[0] + spread[1]) / 2))


def published_cka(x: np.ndarray, y: np.ndarray, below: float = BELOW) -> float:
    """Return the unbiased linear CKA through both kernels (Song et al. 2012, equation 5)."""
    import torch

    def hsic(k: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
        k, m = k.clone().fill_diagonal_(0), m.clone().fill_diagonal_(0)
        n = len(k)
        value = (k * m.T).sum() + k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 * (k @ m).sum() / (n - 2)
        return value / (n * (n - 3))

    k, m = (side @ side.T for side in (torch.from_numpy(x), torch.from_numpy(y)))
    return float(hsic(k, m) / (torch.sqrt(hsic(k, k) * hsic(m, m)) + below))


def apart(peer: Callable[..., float], own: Callable[..., float], pair: tuple[np.ndarray, np.ndarray]) -> str:
    """Return how far two ways to one value lie from each other where both compute in float64."""
    sides = [side[:CHECKED].astype(np.float64) for side in pair]
    sides = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides]
    theirs = peer(*sides, below=0.0) if peer is published_cka else peer(*sides)
    return f"apart {abs(theirs - own(*sides)):.0e}"


def kept(ratio: float, goal: float, *, most: bool = False) -> str:
    """Return a goal, and whether it was missed."""
    return f"(goal {goal:g}{', MISSED' if (ratio > goal if most else ratio < goal) else ''})"


def stream(rows: int, d: int, folder: Path) -> list[object]:
    """Measure what adds up on so many rows from memory maps."""
    x, y = sides(min(SHARD, rows), d)
    maps = []
    for name, side in (("x", x), ("y", y)):
        np.save(folder / f"{name}.npy", side.astype(np.float16))
        mapped = np.load(folder / f"{name}.npy", mmap_mode="r")
        maps.append(Embeddings(ShardedRows([mapped] * (rows // len(mapped))), name=name))
    del x, y
    with PrivateMemory() as memory:
        report, cpu, wall = timed(lambda: measure_gap(*maps, pairs=True, curve=False))
    found = report.sections["measures"]["frechet_distance"]
    extra = memory.peak - memory.before
    return [
        f"{rows:,} rows stream by",
        f"{cpu:.1f}",
        f"{wall:.1f} s wall",
        f"{extra:.0f} MB",
        f"{found.value:.6f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--d", type=int, default=512)
    parser.add_argument("--peer-rows", type=int, default=5_000, help="of the CKA through kernels")
    parser.add_argument("--stream", type=int, default=0, help="rows of the streamed report; 0: none")
    options = parser.parse_args()
    print(machine_line("numpy", "torch"))
    x, y = sides(options.n, options.d)
    few = x[: options.peer_rows], y[: options.peer_rows]
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        _, base, _ = timed(lambda: floor(x, y))
        with PrivateMemory() as memory:
            _, cpu, _ = timed(lambda: measure_clouds(Clouds.paired(x, y)))
        used = memory.peak - memory.before
        rows = [
            [f"one n x n product, n = {options.n:,}", f"{base:.2f}", "1.00 x", "", ""],
            [
                "default report",
                f"{cpu:.2f}",
                f"{cpu / base:.2f} x {kept(cpu / base, GOALS['report'], most=True)}",
                f"{used:.0f} MB {kept(used, GOALS['memory'], most=True)}",
                "",
            ],
        ]
        for name, peer, own, pair in (
            ("rmg", published_rmg, relative_modality_gap, (x, y)),
            ("cka", published_cka, linear_cka, few),
        ):
            theirs, slow, _ = timed(lambda peer=peer, pair=pair: peer(*pair))
            ours, fast, _ = timed(lambda own=own, pair=pair: own(*pair))
            rows.append([f"{name}, published, n = {len(pair[0]):,}", f"{slow:.2f}", "", "", f"{theirs:.9f}"])
            goal = f"{slow / fast:.0f} x faster {kept(slow / fast, GOALS[name])}"
            rows.append([f"{name}, alignkit", f"{fast:.3f}", goal, apart(peer, own, pair), f"{ours:.9f}"])
        if options.stream:
            rows.append(stream(options.stream, options.d, Path(folder)))
    print(table(["what", "CPU s", "ratio", "memory, or apart", "value"], rows))


if __name__ == "__main__":
    main()
