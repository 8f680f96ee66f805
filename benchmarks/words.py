"""Word translation on two made vocabularies of 20,000 x 300: quality, CPU seconds and memory of a whole job.

A job reads the arrays, fits on the 5,380 training pairs with both vocabularies at hand, and scores the
1,500 test words by nearest neighbour and by CSLS over all 20,000 targets; a word is right where any of its
translations is. Each job has a process of its own with one thread. The last two columns are the p-values of
McNemar's exact test, on CSLS P@1, against two presets: those of the published tools MUSE and vecmap. The
tools themselves, on the same data, measured before: MUSE 75.07 / 80.87 / 83.73 (NN) and 79.80 / 85.53 /
87.20 (CSLS) without refinement, 80.87 / 86.67 / 88.13 (CSLS) with it, in 436 CPU s and 653 MB; vecmap NN
79.00, CSLS 82.40; fastText's RCSLS with a working line search NN 82.0, CSLS 85.27. The goals are at most
45 CPU s and 600 MB for the refinement, and a CSLS P@1 of 86.0 for the best preset. No parameter was chosen
on the test words: `ridge`, `cca_cv` and `refined_cca` choose theirs by training pairs held out in turn.
Needs the generator of the data.

    python benchmarks/words.py [--generator FILE]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from _machine import cpu_seconds, machine_line, peak_mb, table
from scipy.stats import binomtest

from alignkit.aligners._both_nearest import nearest
from alignkit.aligners.cca import CanonicalCorrelation
from alignkit.aligners.cca_cv import CrossValidatedCorrelation
from alignkit.aligners.rcsls import Rcsls
from alignkit.aligners.refinement import Refinement
from alignkit.aligners.ridge import Ridge
from alignkit.presets import preset

GENERATOR = Path(__file__).parents[2] / "shared" / "benchmarks" / "make_word_pair.py"
MUSE, VECMAP = "preset muse-supervised", "preset vecmap-supervised"
JOBS = {
    "Procrustes, raw rows": lambda: Refinement(rounds=0, normalize="none"),
    "Procrustes": lambda: Refinement(rounds=0),
    "ridge": Ridge,
    MUSE: preset("muse-supervised").make,
    "refinement": lambda: Refinement(max_rank=10_000),
    VECMAP: preset("vecmap-supervised").make,
    "preset vecmap-aaai18": preset("vecmap-aaai18").make,
    "preset rcsls": preset("rcsls").make,
    "rcsls": Rcsls,
    "cca": CanonicalCorrelation,
    "cca_cv": CrossValidatedCorrelation,
    "preset alignkit-supervised": preset("alignkit-supervised").make,
}
DEPTHS = (1, 5, 10)


def measure(name: str, folder: Path) -> None:
    """Do one job in this process and print its numbers as JSON."""
    X, Y, train, test = (np.load(folder / f"{part}.npy") for part in ("X", "Y", "train", "test"))
    fitted = JOBS[name]().fit_vocabulary(X, Y, train)
    fitting = cpu_seconds()
    P, Q = (unit(side) for side in (fitted.project_source(X), fitted.project_target(Y)))
    queries, place = np.unique(test[:, 0], return_inverse=True)
    means = nearest(Q, P, 10).scores.mean(axis=1)
    blocks = []
    for some in np.array_split(np.arange(len(queries)), 10):
        mine = np.isin(place, some)
        cosines = P[queries[some]] @ Q.T
        words, golds = place[mine] - some[0], test[mine, 1]
        blocks.append([ranks(scores, words, golds) for scores in (cosines, 2 * cosines - means)])
    plain, scaled = (np.concatenate(column) for column in zip(*blocks, strict=True))
    hits = [[round(float(100 * (rank < depth).mean()), 2) for depth in DEPTHS] for rank in (plain, scaled)]
    print(
        json.dumps(
            {
                "fit": fitting,
                "cpu": cpu_seconds(),
                "peak": peak_mb(),
                "nn": hits[0],
                "csls": hits[1],
                "right": (scaled == 0).tolist(),
            }
        )
    )


def ranks(scores: np.ndarray, words: np.ndarray, golds: np.ndarray) -> np.ndarray:
    """Return for every word how many targets beat the best of its translations."""
    best = np.full(len(scores), -np.inf, np.float32)
    np.maximum.at(best, words, scores[words, golds])
    return (scores > best[:, None]).sum(axis=1)


def unit(V: np.ndarray) -> np.ndarray:
    return (V / np.linalg.norm(V, axis=1, keepdims=True)).astype(np.float32)


def in_own_process(name: str, folder: Path) -> dict:
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    command = [sys.executable, __file__, "--measure", name, "--folder", str(folder)]
    done = subprocess.run(command, env=os.environ | threads, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--generator", type=Path, default=GENERATOR)
    parser.add_argument("--measure", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.folder)
        return
    if not options.generator.is_file():
        print(f"skipped: {options.generator} is absent; pass --generator with the script that makes the data")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make = [sys.executable, str(options.generator), "--out", name, "--text", "0"]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        with np.load(folder / "pair.npz") as made:
            for part in ("X", "Y", "train", "test"):
                np.save(folder / f"{part}.npy", made[part])
        print(machine_line("numpy", "scipy"))
        found = {name: in_own_process(name, folder) for name in JOBS}
    header = ["", "CPU s", "of it fit", "peak MB", "NN P@1", "P@5", "P@10", "CSLS P@1", "P@5", "P@10"]
    lines = [line(name, run, [found[MUSE], found[VECMAP]]) for name, run in found.items()]
    print(table([*header, "p to MUSE", "p to vecmap"], lines))


def line(name: str, run: dict, references: list[dict]) -> list[str]:
    cells = [f"{value:.2f}" for value in (*run["nn"], *run["csls"])]
    values = [mcnemar(np.array(run["right"]), np.array(other["right"])) for other in references]
    return [name, f"{run['cpu']:.1f}", f"{run['fit']:.1f}", f"{run['peak']:.0f}", *cells, *values]


def mcnemar(ours: np.ndarray, theirs: np.ndarray) -> str:
    won, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    return f"{binomtest(won, won + lost).pvalue:.1g}" if won + lost else ""


if __name__ == "__main__":
    main()
