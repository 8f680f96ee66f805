"""The CSLS index beside plain cosine: recall against exact CSLS, cost of a query, hubs, words found.

Two made vocabularies, mapped by Procrustes: 20,000 x 300 and a larger one. Queries are the test words, the
bank is every other source word. For each kind the plain index is searched at the least effort that finds .99
of its own exact first ten, and again at the effort of the CSLS index: "cost" is CPU seconds over those of the
second, the least of interleaved repeats each, since that is the same work in one dimension less. "rows met"
counts the gallery rows that were compared with a query: unlike seconds, it is the same on any machine. The
goal is recall@10 of at least .99 at a cost of at most 1.05, and a smaller worst hub: the row that most
queries have among their first ten. Products by faiss stand beside ours. One thread. Needs the generator.

A last table weighs what faiss keeps of planted clusters, 100,000 x 512, against what it finds: bytes of its
file, seconds to build it, queries a CPU second beside the floor (a matrix product with every row, whose
scores nobody reads), and recall@10 on other queries than the index was tuned on. No generator is needed.

    python benchmarks/index.py [--generator FILE] [--larger N] [--planted N] [--only-planted]
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
from _machine import machine_line, table, timed

from alignkit.aligners.refinement import Refinement
from alignkit.retrieval.search import _faiss
from alignkit.retrieval.search._tuning import shares
from alignkit.retrieval.search.index import Index, build_index
from alignkit.statistics.bounded import share_interval

GENERATOR = Path(__file__).parents[2] / "shared" / "benchmarks" / "make_word_pair.py"
FEW, PANEL = 3, 8192
REPEATS, DEPTH, LARGER, LARGER_DIM = 9, 10, 100_000, 128
PLANTED, PLANTED_DIM, CLUSTERS, ASKED, TUNING = 100_000, 512, 2_000, 1_000, 800
SPREAD = 0.8  # of the rows about their cluster's centre, in lengths of the centre
KINDS = ("flat", "ivf", "IVF256,SQ8", "IVF256,PQ64", "PQ64")
WEIGHED = ["", "faiss MB", "build CPU s", "effort", "recall@10", "interval", "queries/s", "of the floor"]
HEADER = ["", "build CPU s", "effort", "recall@10", "rows met", "query CPU s", "cost", "worst hub", "P@1"]


class World:
    """Rows of the joint frame: a gallery, a bank, queries that are not in it, and their translations."""

    def __init__(self, generator: Path, n: int, d: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            make = [sys.executable, str(generator), "--out", folder, "--n", str(n), "--d", str(d)]
            subprocess.run([*make, "--text", "0"], check=True, stdout=subprocess.DEVNULL)
            with np.load(Path(folder) / "pair.npz") as made:
                X, Y, train, test = (made[part] for part in ("X", "Y", "train", "test"))
        fitted = Refinement(rounds=0).fit_vocabulary(X, Y, train)
        sources, self.gallery = fitted.project_source(X), fitted.project_target(Y)
        words = np.unique(test[:, 0])
        self.queries = sources[words]
        self.bank = np.delete(sources, words, axis=0)
        self.golds = [set(test[test[:, 0] == word, 1]) for word in words]

    def line(self, name: str, run: "Run", truth: np.ndarray) -> list[str]:
        """Return one line of the table; ``truth`` holds the exact first ten under the same correction."""
        rows = run.rows
        recall = (rows[:, :, None] == truth[:, None, :]).any(axis=1).mean()
        hub = np.bincount(rows.ravel()).max()
        right = np.mean(
            [first in golds for first, golds in zip(rows[:, 0].tolist(), self.golds, strict=True)]
        )
        met = round(run.met / len(rows)) or len(self.gallery)
        build = f"{run.build:.1f}" if run.build else ""
        cells = [build, run.effort or "", f"{recall:.4f}", met, f"{min(run.cpu):.3f}", run.cost, hub]
        return [name, *map(str, cells), f"{100 * right:.2f}"]


class Run:
    """One way to search, its seconds over the repeats, and what it found."""

    def __init__(self, work: Callable[[], np.ndarray], build: float = 0, effort: int = 0) -> None:
        self.work, self.build, self.effort = work, build, effort
        self.cpu: list[float] = []
        for stats in (faiss.cvar.indexIVF_stats, faiss.cvar.hnsw_stats):
            stats.reset()
        self.rows = work()
        self.met = faiss.cvar.indexIVF_stats.ndis + faiss.cvar.hnsw_stats.ndis
        self.cost = ""

    def repeat(self) -> None:
        self.cpu.append(timed(self.work)[1])

    def compare(self, other: "Run") -> None:
        self.cost = f"{min(self.cpu) / min(other.cpu):.3f}"


def runs_of(world: World, kind: str) -> dict[str, Run]:
    """Build both indexes of one kind and search them in turn."""

    def searching(index: Index) -> Callable[[], np.ndarray]:
        return lambda: index.search(world.queries, DEPTH).rows

    plain, plain_s, _ = timed(
        lambda: build_index(world.gallery, world.bank, kind=kind, hub_correction="none")
    )
    csls, csls_s, _ = timed(lambda: build_index(world.gallery, world.bank, kind=kind))
    if kind == "flat":
        runs = {
            "flat, cosine": Run(searching(plain), plain_s),
            "flat, CSLS": Run(searching(csls), csls_s),
            "faiss flat, cosine": Run(faiss_flat(plain, world.queries)),
            "faiss flat, CSLS": Run(faiss_flat(csls, world.queries)),
        }
    else:
        effort = csls.settings["effort"]
        same = replace(plain, settings=plain.settings | {"effort": effort})
        runs = {
            f"{kind}, cosine": Run(searching(plain), plain_s, plain.settings["effort"]),
            f"{kind}, cosine at the effort of CSLS": Run(searching(same), effort=effort),
            f"{kind}, CSLS": Run(searching(csls), csls_s, effort),
        }
    for _ in range(REPEATS):
        for run in runs.values():
            run.repeat()
    names = list(runs)
    for name in names[1 if kind == "flat" else 2 :: 2]:
        runs[name].compare(runs[names[names.index(name) - 1]])
    return runs


def faiss_flat(index: Index, queries: np.ndarray) -> Callable[[], np.ndarray]:
    flat = faiss.IndexFlatIP(index.vectors.shape[1])
    flat.add(index.vectors)
    return lambda: flat.search(index.prepared(queries), DEPTH)[1]


def planted(n: int) -> list[np.ndarray]:
    """Return a gallery, rows to tune on, and queries, all about the same centres."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CLUSTERS, PLANTED_DIM)).astype(np.float32)
    made = []
    for rows in (n, TUNING, ASKED):
        noise = SPREAD * rng.standard_normal((rows, PLANTED_DIM), np.float32)
        made.append(centres[rng.integers(0, CLUSTERS, rows)] + noise)
    return made


def weigh(n: int) -> None:
    """Print what every kind of index takes and finds on planted clusters."""
    gallery, bank, queries = planted(n)
    unit = build_index(gallery, hub_correction="none")
    asked = unit.prepared(queries)

    def product() -> None:
        for start in range(0, n, PANEL):
            np.matmul(asked, unit.vectors[start : start + PANEL].T)

    floor = min(timed(product)[1] for _ in range(FEW))
    lines = [["the floor", "", "", "", "", "", f"{ASKED / floor:.0f}", "1.00"]]
    truth = unit.search(queries, DEPTH).scores
    for kind in KINDS:
        index, build, _ = timed(
            lambda kind=kind: build_index(gallery, bank, kind=kind, hub_correction="none")
        )
        runs = [timed(lambda index=index: index.search(queries, DEPTH)) for _ in range(FEW)]
        seconds = min(cpu for _, cpu, _ in runs)
        recall = float(shares(runs[0][0].scores, truth).mean())
        low, high = share_interval(recall, ASKED)
        size = unit.vectors.nbytes if kind == "flat" else len(_faiss.to_bytes(index.searcher))
        cells = [f"{size / 1e6:.1f}", f"{build:.1f}", index.settings.get("effort", ""), f"{recall:.4f}"]
        speed = [f"[{low:.3f}, {high:.3f}]", f"{ASKED / seconds:.0f}", f"{floor / seconds:.2f}"]
        lines.append([kind, *map(str, cells), *speed])
    print(f"\n{n:,} x {PLANTED_DIM}, {CLUSTERS:,} clusters, {ASKED:,} queries, tuned on {TUNING // 2} others")
    print(table(WEIGHED, lines), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--generator", type=Path, default=GENERATOR)
    parser.add_argument(
        "--larger", type=int, default=LARGER, help="words of the larger vocabularies; 0: none"
    )
    parser.add_argument("--planted", type=int, default=PLANTED, help="rows about planted centres; 0: none")
    parser.add_argument("--only-planted", action="store_true", help="leave the vocabularies out")
    options = parser.parse_args()
    print(machine_line("numpy", "faiss-cpu"))
    if not options.only_planted:
        vocabularies(options)
    if options.planted:
        weigh(options.planted)


def vocabularies(options: argparse.Namespace) -> None:
    """Print the tables of the made vocabularies."""
    if not options.generator.is_file():
        print(f"skipped: {options.generator} is absent; pass --generator with the script that makes the data")
        return
    for n, d in ((20_000, 300), (options.larger, LARGER_DIM)):
        if not n:
            continue
        world, lines, truth = World(options.generator, n, d), [], {}
        for kind in ("flat", "ivf", "hnsw"):
            for name, run in runs_of(world, kind).items():
                correction = "CSLS" if name.endswith(", CSLS") else "cosine"
                lines.append(world.line(name, run, truth.setdefault(correction, run.rows)))
        print(f"\n{n:,} x {d}, {len(world.queries):,} queries, a bank of {len(world.bank):,} sources")
        print(table(HEADER, lines), flush=True)


if __name__ == "__main__":
    if os.environ.get("OMP_NUM_THREADS") != "1":  # the libraries read it when they are loaded
        threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | threads)
    main()
