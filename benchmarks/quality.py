"""Held-out retrieval of every method on real pairs, beside chance, no map and shuffled pairs.

Five 70/30 splits; P@k is hit@k over a gallery of the held-out targets, in the joint frame. Each cell is
the mean over the seeds; the range over seeds stands behind P@1. "shuffled" fits on wrongly paired training
rows and is scored on right ones: what a map wins by anything but the pairing. "identity" is no map at all.
Behind P@1 of a network stands its MRR less that of the best linear map of the table: 95 % interval and P of a
paired test over the held-out queries of all seeds, sign flips by connected component, Holm over the networks.
The best linear map is chosen by these very scores, which favours it.

``--networks`` leaves the other methods out and takes two more worlds; it may name some networks. On one core
AudioCaps with all of them takes some four minutes, a world of LVIS with ``residual`` alone about as long.

    python benchmarks/quality.py [--data FOLDER] [--seeds 5] [--first-seed 0] [--only AudioCaps]
        [--networks [residual,mlp]]
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1] / "analyses"))
from _worlds import more_worlds, worlds

from alignkit.aligners import METHODS
from alignkit.aligners._linear import LinearAligner
from alignkit.errors import AlignkitError
from alignkit.pairs import Pairs
from alignkit.spaces import Embeddings
from alignkit.statistics.significance import holm, sign_flip
from alignkit.workflows import Protocol, evaluate, fit

METRICS = ("hit@1", "hit@5", "mrr")
HELD_OUT = 0.3
NETWORKS = (
    *("residual", "mlp", "clip2clap-linear", "clip2clap-2layer", "clip2clap-4layer"),
    "clip2clap-4layer-faithful",
)
FRAMES = ("unit", "unit-center", "unit-center-unit")  # procrustes in each; the others in their own


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = os.environ.get("ALIGNKIT_DATA", Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0, help="5: splits that nothing was tuned on")
    parser.add_argument("--only", default="", help="part of the title of the pairs to run")
    parser.add_argument(
        "--networks",
        nargs="?",
        const=",".join(NETWORKS),
        help="networks and linear maps alone; comma-separated, all if none is named",
    )
    options = parser.parse_args()
    if not options.data.is_dir():
        sys.exit(f"{options.data} is absent: pass --data with the folder of real embeddings")
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    known = more_worlds(options.data) if options.networks else worlds(options.data)
    titles = [title for title in known if options.only.lower() in title.lower()]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), get_context("spawn")) as pool:
        for text in pool.map(partial(table, options.data, seeds, options.networks), titles):
            print(text, flush=True)


def table(data: Path, seeds: range, networks: str | None, title: str) -> str:
    """Return the printed table of one world; BLAS gets one thread, for the worlds run side by side."""
    with threadpool_limits(1):
        pairs = more_worlds(data)[title]()
        lines = [
            f"\n{title}: {len(pairs)} pairs, {pairs.source.dim} -> {pairs.target.dim} dimensions",
            f"  {'':<34}{'P@1':>6}{'P@5':>7}{'MRR':>7}   P@1 over {len(seeds)} seeds",
        ]
        found = [] if networks else rows(pairs, seeds)
        found += against_linear(pairs, seeds, tuple(networks.split(",")) if networks else NETWORKS)
        return "\n".join(lines + [f"  {name:<34}{row}" for name, row in found])


def rows(pairs: Pairs, seeds: range) -> list[tuple[str, str]]:
    """Return one printed row per method, with the controls that it must beat."""
    table = []
    for method in (name for name in METHODS.names() if not METHODS.get(name).trained):
        for normalize in FRAMES if method == "procrustes" else (None,):
            name = method if normalize is None else f"{method}, {normalize}"
            try:
                found = np.array([held_out(pairs, method, normalize, seed) for seed in seeds])
            except AlignkitError as refusal:
                table.append((name, f"  refused: {str(refusal)[:60]} ..."))
                continue
            table.append((name, cells(found)))
    shuffled = np.array([shuffled_pairs(pairs, seed) for seed in seeds])
    table.append(("procrustes on shuffled pairs", cells(shuffled)))
    n = round(HELD_OUT * len(pairs))
    harmonic = float(np.sum(1 / np.arange(1, n + 1)))
    table.append((f"chance among {n}", f"{1 / n:6.3f} {5 / n:6.3f} {harmonic / n:6.3f}"))
    return table


def against_linear(pairs: Pairs, seeds: range, asked: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the row of the best linear map, and one per network with its paired test against it."""
    linear = [name for name in METHODS.names() if issubclass(METHODS.get(name), LinearAligner)]
    runs, refused = {}, []
    for method in (*linear, *asked):
        try:
            runs[method] = [per_query(pairs, method, seed) for seed in seeds]
        except AlignkitError as refusal:
            refused.append((method, f"  refused: {str(refusal)[:60]} ..."))
    values = {name: np.concatenate([run[0] for run in found]) for name, found in runs.items()}
    best = max((name for name in runs if name in linear), key=lambda name: values[name][:, -1].mean())
    groups = np.concatenate([run[1] for run in runs[best]])
    networks = [name for name in asked if name in runs]
    tests = [sign_flip(values[name][:, -1], values[best][:, -1], groups) for name in networks]
    table = [(f"best linear: {best}", cells(by_seed(runs[best])))]
    for name, test, p in zip(networks, tests, holm([test.p for test in tests]), strict=True):
        less = f"{test.value:+.3f} [{test.low:+.3f}, {test.high:+.3f}] P {p:.2g}"
        table.append((name, f"{cells(by_seed(runs[name]))}   MRR less best linear {less}"))
    won = [name for name, test in zip(networks, tests, strict=True) if test.low is not None and test.low > 0]
    verdict = f"better than {best}: {', '.join(won)}" if won else f"no network is better than {best}"
    return [*table, *refused, (verdict, "")]


def by_seed(runs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    return np.array([values.mean(axis=0) for values, _ in runs])


def per_query(pairs: Pairs, method: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the metrics of every held-out query, forward, and the component that it belongs to."""
    fitted = fit(pairs.source, pairs.target, pairs=pairs, method=method, test=HELD_OUT, seed=seed)
    assert fitted.test is not None
    rows = fitted.test.restricted()
    protocol = Protocol(metrics=METRICS, resamples=0)
    scored = evaluate(rows.source, rows.target, pairs=rows, alignment=fitted.alignment, protocol=protocol)
    component = dict(zip(map(tuple, pairs.links.tolist()), pairs.components().tolist(), strict=True))
    labels = np.empty(len(rows.source), np.int64)
    labels[rows.links[:, 0]] = [component[tuple(link)] for link in fitted.test.links.tolist()]
    return np.stack([scored.tables["forward"][name].to_numpy() for name in METRICS], axis=1), labels


def cells(found: np.ndarray) -> str:
    """Return the means of three metrics and the range of the first over seeds."""
    return (
        " ".join(f"{mean:6.3f}" for mean in found.mean(axis=0))
        + f"   {found[:, 0].min():.3f} to {found[:, 0].max():.3f}"
    )


def held_out(pairs: Pairs, method: str, normalize: str | None, seed: int) -> list[float]:
    """Return the held-out metrics of one fit, forward, in the method's own frame where none is named."""
    fitted = fit(
        pairs.source,
        pairs.target,
        pairs=pairs,
        method=method,
        test=HELD_OUT,
        seed=seed,
        params={} if normalize is None else {"normalize": normalize},
        metrics=METRICS,
    )
    return [fitted.report.sections["forward"][name].value for name in METRICS]


def shuffled_pairs(pairs: Pairs, seed: int) -> list[float]:
    """Return the metrics of a rotation fitted on wrong pairs, on the right held-out pairs."""
    train, test = pairs.split(HELD_OUT, seed)
    order = np.random.default_rng(seed).permutation(len(train))
    wrong = np.stack([train.links[:, 0], train.links[order, 1]], axis=1)
    fitted = fit(pairs.source, pairs.target, pairs=Pairs(pairs.source, pairs.target, wrong), test=0)
    restricted = test.restricted()
    sides: tuple[Embeddings, Embeddings] = restricted.source, restricted.target
    scores = evaluate(*sides, pairs=restricted, alignment=fitted.alignment, metrics=METRICS).report.sections[
        "forward"
    ]
    return [scores[name].value for name in METRICS]


if __name__ == "__main__":
    main()
