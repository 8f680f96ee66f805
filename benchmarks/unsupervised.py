"""Word translation without a single pair: quality, CPU seconds and memory of self-learning, over seeds.

Every seed makes its own pair of vocabularies (8,000 x 100, noise 0.4) and is a process of its own with one
thread: read, fit, score the 1,500 test words by CSLS over all targets. "supervised" is Procrustes on the
training pairs of the same data. The goal is P@1 of at least 97.0 in at most 60 CPU s and 1,000 MB for each
of 20 seeds; vecmap, measured before on the first of them, 97.40 in 504 CPU s and 375 MB. Then the same on
harder and on hopeless data, where the two sides have no word in common (the target of another seed): how
often the criterion says so, and its AUROC for "this run failed". Needs the generator of the data.

    python benchmarks/unsupervised.py [--seeds 20] [--jobs 2] [--generator FILE] [--search stochastic]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from _machine import cpu_seconds, machine_line, peak_mb, table
from scipy.stats import rankdata

from alignkit.aligners._csls import csls
from alignkit.aligners._unit import unit_rows
from alignkit.aligners.procrustes import Procrustes
from alignkit.aligners.self_learning import SEARCHES, Search, SelfLearning

GENERATOR = Path(__file__).parents[2] / "shared" / "benchmarks" / "make_word_pair.py"
EASY, HARD, HOPELESS = "easy, noise 0.4", "hard, noise 0.8", "hopeless, no word in common"
NOISE = {EASY: "0.4", HARD: "0.8", HOPELESS: "0.4"}
STRANGER = 1000  # added to the seed for a target that shares nothing
GOALS = {"P@1": 97.0, "CPU s": 60.0, "peak MB": 1000.0}


def measure(kind: str, seed: int, search: Search, generator: Path) -> None:
    """Do one job in this process and print its numbers as JSON."""
    X, Y, train, test = made(generator, seed, NOISE[kind])
    if kind == HOPELESS:
        Y = made(generator, seed + STRANGER, NOISE[kind])[1]
    before = cpu_seconds()
    fitted = SelfLearning(search=search, seed=seed).fit_vocabulary(X, Y)
    found = {"cpu": cpu_seconds() - before, "peak": peak_mb(), "rounds": len(fitted.history_)}
    found["hit"] = 0.0 if kind == HOPELESS else hit(fitted, X, Y, test)
    supervised = Procrustes().fit(X[train[:, 0]], Y[train[:, 1]])
    found["best"] = 100.0 if kind == HOPELESS else hit(supervised, X, Y, test)
    trust = fitted.trust_
    print(
        json.dumps(
            found | {"trust": trust.probability, "csls": trust.csls, "cycle": trust.cycle, "cka": trust.cka}
        )
    )


def made(generator: Path, seed: int, noise: str) -> tuple[np.ndarray, ...]:
    with tempfile.TemporaryDirectory() as folder:
        size = ["--n", "8000", "--d", "100", "--noise", noise, "--seed", str(seed)]
        make = [sys.executable, str(generator), "--out", folder, "--text", "0", *size]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        with np.load(Path(folder) / "pair.npz") as pair:
            return tuple(pair[part] for part in ("X", "Y", "train", "test"))


def hit(fitted: Procrustes | SelfLearning, X: np.ndarray, Y: np.ndarray, test: np.ndarray) -> float:
    """Return the percentage of test words whose CSLS match is one of their translations."""
    found = csls(unit_rows(fitted.project_source(X)), unit_rows(fitted.project_target(Y))).targets.indices
    right = found[test[:, 0]] == test[:, 1]
    return float(100 * right.sum() / len(np.unique(test[:, 0])))


def in_own_process(options: argparse.Namespace, job: tuple[str, int]) -> dict:
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    command = [sys.executable, __file__, "--generator", str(options.generator), "--search", options.search,
               "--measure", job[0], "--seed", str(job[1])]  # fmt: skip
    done = subprocess.run(command, env=os.environ | threads, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout) | {"kind": job[0], "seed": job[1]}


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--generator", type=Path, default=GENERATOR)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="seeds side by side")
    parser.add_argument("--kinds", nargs="+", default=["easy", "hard", "hopeless"])
    parser.add_argument("--search", default="annealed", choices=SEARCHES)
    parser.add_argument("--measure", choices=list(NOISE), help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.generator.is_file():
        print(f"skipped: {options.generator} is absent; pass --generator with the script that makes the data")
        return
    if options.measure:
        measure(options.measure, options.seed, options.search, options.generator)
        return
    print(machine_line("numpy", "scipy"))
    kinds = [kind for kind in NOISE if kind.split(",")[0] in options.kinds]
    jobs = [(kind, seed) for kind in kinds for seed in range(options.seeds)]
    with ThreadPoolExecutor(options.jobs) as pool:
        found = list(pool.map(partial(in_own_process, options), jobs))
    header = ["", "seed", "P@1", "supervised", "CPU s", "peak MB", "csls", "cycle", "cka", "trust"]
    print(table(header, [line(run) for run in found]))
    print(summary(found))


def line(run: dict) -> list[str]:
    return [run["kind"], str(run["seed"]), f"{run['hit']:.2f}", f"{run['best']:.2f}", f"{run['cpu']:.1f}",
            f"{run['peak']:.0f}",
            *(f"{run[name]:.3f}" for name in ("csls", "cycle", "cka", "trust"))]  # fmt: skip


def summary(found: list[dict]) -> str:
    """Return how many easy seeds reach the goals, and how well the criterion knew what failed."""
    lines = []
    easy = [run for run in found if run["kind"] == EASY]
    if easy:
        reached = [
            run["hit"] >= GOALS["P@1"] and run["cpu"] <= GOALS["CPU s"] and run["peak"] < GOALS["peak MB"]
            for run in easy
        ]
        lines.append(f"{EASY}: {sum(reached)} of {len(easy)} seeds reach {GOALS}")
    failed = np.array([run["hit"] < run["best"] / 2 for run in found])
    trust = np.array([run["trust"] for run in found])
    said = trust < 0.5
    lines.append(f"runs that failed: {failed.sum()}, of them said so: {(said & failed).sum()}; false alarms: "
                 f"{(said & ~failed).sum()} of {(~failed).sum()}")  # fmt: skip
    if failed.any() and not failed.all():
        ranks, p = rankdata(-trust), int(failed.sum())
        area = (ranks[failed].sum() - p * (p + 1) / 2) / (p * (len(failed) - p))
        lines.append(f"AUROC for a run that failed: {area:.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
