"""Time exact ranks beside the bare matrix product over the same blocks, and beside other tools.

    python benchmarks/ranks.py [--n 20000] [--d 512] [--small] [--repeats 3]

Every line is measured in a process of its own, on one thread, in CPU seconds: the product before, the work,
the product after. Memory is the growth of the largest resident size over the loaded inputs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _machine import machine_line, peak_mb, table, timed

KS = (1, 5, 10)
TOP = 100  # what tools that need a candidate list are given
Work = Callable[[np.ndarray, np.ndarray], dict[str, float]]


def floor(x: np.ndarray, y: np.ndarray) -> None:
    """Multiply the same blocks that alignkit multiplies, and do nothing else."""
    from alignkit.retrieval.exact.tiles import Tiles, spans

    tiles = Tiles()
    out = np.empty(tiles.queries * tiles.gallery, x.dtype)
    for left, right in spans(0, len(y), tiles.gallery):
        for start, stop in spans(0, len(x), tiles.queries):
            scores = out[: (stop - start) * (right - left)].reshape(stop - start, right - left)
            np.matmul(x[start:stop], y[left:right].T, out=scores)


def _summary(above: np.ndarray, tied: np.ndarray) -> dict[str, float]:
    return {
        "mrr": float((1 / (1 + above)).mean()),
        **{f"hit@{k}": float((above < k).mean()) for k in KS},
        "tied": int((tied > 0).sum()),
    }


def one_direction(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    from alignkit.retrieval.exact.positives import Positives
    from alignkit.retrieval.exact.ranks import rank

    ranks = rank(x, y, Positives.diagonal(len(x)))
    return _summary(ranks.above, ranks.tied)


def both_directions(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    from alignkit.retrieval.exact.positives import Positives
    from alignkit.retrieval.exact.ranks import rank_both

    forward, backward = rank_both(x, y, Positives.diagonal(len(x)))
    return _summary(forward.above, forward.tied + backward.tied)


def without_information(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    from alignkit.retrieval.exact.positives import Positives
    from alignkit.retrieval.exact.ranks import rank_both

    others = np.random.default_rng(1).permutation(len(y))
    links = np.stack([np.arange(len(x)), others], axis=1)
    forward, backward = rank_both(x, y, Positives.from_links(links, len(x), len(y)))
    return _summary(forward.above, forward.tied + backward.tied)


def scored(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    from alignkit.retrieval.exact.positives import Positives
    from alignkit.retrieval.scoring import score_retrieval

    result = score_retrieval(x, y, Positives.diagonal(len(x)))
    return {name: score.value for name, score in result.forward.items()}


def five_positives(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    from alignkit.retrieval.exact.positives import Positives
    from alignkit.retrieval.exact.ranks import rank_both

    n = len(x) // 5
    owners = np.repeat(np.arange(n), 5)
    positives = Positives.from_links(np.stack([owners, np.arange(len(owners))], axis=1), n, len(y))
    # between its five partners, and as far away again: about four deviations above the other items
    queries = y[: 5 * n].reshape(n, 5, -1).mean(axis=1) + x[:n]
    forward, _ = rank_both(queries, y, positives)
    return {"tied": int((forward.tied > 0).sum())}


def clip_benchmark(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Take the k largest of the full score matrix and mark them one-hot, as its recall code does."""
    import torch

    scores = torch.from_numpy(x) @ torch.from_numpy(y).T
    positive = torch.eye(len(x), dtype=torch.bool)
    found = {}
    for k in KS:
        recall = []
        for start in range(0, len(x), 64):
            top = torch.topk(scores[start : start + 64], k, dim=1)[1]
            marked = torch.nn.functional.one_hot(top, num_classes=len(y))
            right = (marked * positive[start : start + 64, None]).sum(dim=(1, 2))
            recall.append(right / positive[start : start + 64].sum(dim=1))
        found[f"hit@{k}"] = float((torch.cat(recall) > 0).float().mean())
    return found


def argsort(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    scores = x @ y.T
    place = np.argmax(np.argsort(-scores, axis=1) == np.arange(len(x))[:, None], axis=1)
    return _summary(place, np.zeros(1))


def faiss_flat(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    import faiss

    index = faiss.IndexFlatIP(y.shape[1])
    index.add(y)
    found = index.search(x, TOP)[1] == np.arange(len(x))[:, None]
    place = np.where(found.any(axis=1), found.argmax(axis=1), np.inf)
    return _summary(place, np.zeros(1))


def _candidates(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    import faiss

    index = faiss.IndexFlatIP(y.shape[1])
    index.add(y)
    return index.search(x, TOP)


def torchmetrics_top(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    import torch
    from torchmetrics.retrieval import RetrievalHitRate, RetrievalMRR

    scores, items = _candidates(x, y)
    wanted = torch.from_numpy(items == np.arange(len(x))[:, None]).ravel()
    rows = torch.arange(len(x)).repeat_interleave(TOP)
    # shifted by one: it drops positives whose score is not above 0
    values = torch.from_numpy(scores).ravel() + 1
    metrics = {"mrr": RetrievalMRR(), **{f"hit@{k}": RetrievalHitRate(top_k=k) for k in KS}}
    return {name: float(metric(values, wanted, indexes=rows)) for name, metric in metrics.items()}


def ranx_top(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    import ranx

    scores, items = _candidates(x, y)
    run = {
        f"q{q}": {f"d{d}": float(s) for d, s in zip(items[q], scores[q], strict=True)} for q in range(len(x))
    }
    qrels = {f"q{q}": {f"d{q}": 1} for q in range(len(x))}
    names = {"mrr": "mrr", **{f"hit@{k}": f"hit_rate@{k}" for k in KS}}
    answer = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), list(names.values()))
    return {ours: float(answer[theirs]) for ours, theirs in names.items()}


# name -> (what runs, what it yields, modules loaded before memory is measured, share of all queries)
WORKS: dict[str, tuple[Work, str, tuple[str, ...], float]] = {
    "alignkit, one direction": (one_direction, "exact ranks, ties", ("alignkit.retrieval.exact.ranks",), 1),
    "alignkit, both directions": (
        both_directions,
        "exact ranks, ties",
        ("alignkit.retrieval.exact.ranks",),
        1,
    ),
    "alignkit, both, partners at random": (
        without_information,
        "exact ranks, ties; most close calls",
        ("alignkit.retrieval.exact.ranks",),
        1,
    ),
    "alignkit, n/5 queries of 5": (
        five_positives,
        "exact, both directions",
        ("alignkit.retrieval.exact.ranks",),
        0.2,
    ),
    "alignkit, scored": (scored, "+ metrics, intervals, chance", ("alignkit.retrieval.scoring",), 1),
    "FAISS flat, k=100": (faiss_flat, "truncated", ("faiss",), 1),
    "CLIP_benchmark's recall": (clip_benchmark, "hit@k only", ("torch",), 1),
    "full argsort": (argsort, "ranks, no ties", (), 1),
    "torchmetrics on top 100": (torchmetrics_top, "truncated", ("faiss", "torch", "torchmetrics"), 1),
    "ranx on top 100": (ranx_top, "truncated", ("faiss", "ranx"), 1),
}


def measure(name: str, folder: Path) -> None:
    """Measure one work in this process and print the numbers as JSON."""
    work, _, modules, share = WORKS[name]
    for module in modules:
        __import__(module)
    x, y = (np.load(folder / f"{side}.npy") for side in "xy")
    _, before, _ = timed(lambda: floor(x[: int(len(x) * share)], y))
    resident = peak_mb()
    answer, cpu, wall = timed(lambda: work(x, y))
    extra = peak_mb() - resident
    _, after, _ = timed(lambda: floor(x[: int(len(x) * share)], y))
    print(json.dumps({"cpu": cpu, "wall": wall, "floor": (before + after) / 2, "extra": extra, **answer}))


def _in_own_process(name: str, folder: Path) -> dict[str, float]:
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    command = [sys.executable, "-W", "ignore", __file__, "--measure", name, "--folder", str(folder)]
    done = subprocess.run(command, env=os.environ | threads, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--d", type=int, default=512)
    parser.add_argument("--small", action="store_true", help="2,000 rows: a minute in all")
    parser.add_argument("--repeats", type=int, default=3, help="of alignkit's lines")
    parser.add_argument("--measure", choices=WORKS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.folder)
        return
    n = 2000 if options.small else options.n
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rng = np.random.default_rng(0)
        x = rng.standard_normal((n, options.d), dtype=np.float32)
        y = x + 6 * rng.standard_normal((n, options.d), dtype=np.float32)
        for side, rows in (("x", x), ("y", y)):
            np.save(folder / f"{side}.npy", rows / np.linalg.norm(rows, axis=1, keepdims=True))
        del x, y, rows
        print(machine_line("numpy", "torch", "faiss-cpu", "torchmetrics", "ranx"))
        print(f"{n:,} x {n:,} x {options.d} float32, one positive each, seed 0; CPU seconds of one thread\n")
        lines = [_line(name, folder, options.repeats) for name in WORKS]
    print(table(["", "CPU s", "x floor", "spread", "extra MB", "mrr", "hit@10", "yields"], lines))


def _line(name: str, folder: Path, repeats: int) -> list[str]:
    runs = [_in_own_process(name, folder) for _ in range(repeats if name.startswith("alignkit") else 1)]
    ratios = sorted(run["cpu"] / run["floor"] for run in runs)
    run, shown = runs[0], f"{ratios[0]:.3f}-{ratios[-1]:.3f}" if len(ratios) > 1 else ""
    cells = [f"{run[key]:.4f}" if key in run else "" for key in ("mrr", "hit@10")]
    middle = ratios[len(ratios) // 2]
    print(f"{name}: x {middle:.3f}", file=sys.stderr)
    return [name, f"{run['cpu']:.2f}", f"{middle:.3f}", shown, f"{run['extra']:.0f}", *cells, WORKS[name][1]]


if __name__ == "__main__":
    main()
