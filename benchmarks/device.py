"""The same work by numpy and by torch on a graphics card: seconds, and how far the answers lie apart.

CSLS matches of random unit rows (300 dimensions); whole fits of refinement and rcsls on a made pair of
vocabularies (20,000 x 300; needs the generator); Procrustes and the moments of half-precision pairs (512
dimensions); the adversarial game with the hyper-parameters of MUSE, as seconds for one epoch of 31,250
rounds, measured on fewer. "apart" is the largest difference: of the neighbours' means and, in brackets,
the share of rows that have another match; of the fitted matrices elsewhere. The goal is 1e-5 for maps.
Seconds are wall time, since a card's time is no processor's; CPU seconds of all threads stand beside.
--play N plays N whole epochs of the game on the made pair, refines, and prints CSLS P@1 of its test words.
Needs numpy, scipy, scikit-learn, threadpoolctl and torch; where alignkit is not installed, set
PYTHONPATH to its repository.

    python benchmarks/device.py [--device cuda] [--generator FILE] [--sizes 20000 200000] [--play 5]
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _machine import machine_line, peak_mb, table, timed

from alignkit.aligners._adversary import Game
from alignkit.aligners._csls import Csls, csls
from alignkit.aligners.adversarial import Adversarial
from alignkit.aligners.procrustes import Procrustes
from alignkit.aligners.rcsls import Rcsls
from alignkit.aligners.refinement import Refinement
from alignkit.devices import check_device, import_torch, on_device
from alignkit.moments import Moments

GENERATOR = Path(__file__).parents[2] / "shared" / "benchmarks" / "make_word_pair.py"
WORD_DIM, PAIR_DIM = 300, 512
BATCH, EPOCH = 32, 31_250  # rows of a side in a round, and rounds of an epoch, in MUSE
ROUNDS, ROUNDS_ON_CARD = 10, 3000  # of the game, that are timed
PARTS = ("csls", "words", "pairs", "game")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--generator", type=Path, default=GENERATOR)
    parser.add_argument("--sizes", type=int, nargs="*", default=[20_000, 200_000])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--play", type=int, default=0)
    options = parser.parse_args()
    check_device(options.device)
    print(machine_line("numpy", "scipy", "scikit-learn", "torch"))
    print(f"device {options.device}: {name_of(options.device)}\n")
    with on_device(options.device):
        csls(*(unit_rows(500, seed) for seed in (0, 1)))  # the first call of a card loads its libraries
    rows: list[list[str]] = []
    if "csls" in options.parts:
        rows += [csls_line(size, options.device) for size in options.sizes]
    words = made_words(options.generator) if {"words", "game"} & set(options.parts) else None
    if words and "words" in options.parts:
        rows += [fit_line(make, words, options.device) for make in (Refinement, Rcsls)]
    if "pairs" in options.parts:
        rows += pair_lines(options.rows, options.device)
    if words and "game" in options.parts:
        rows.append(game_line(words, options.device))
    print(table(["", "numpy s", "of CPU", f"{options.device} s", "of CPU", "times", "apart"], rows))
    if words and options.play:
        print(played(words, options.play, options.device))
    print(f"peak memory of the process {peak_mb():.0f} MB")


def name_of(device: str) -> str:
    return import_torch("this").cuda.get_device_name(device) if device.startswith("cuda") else "the processor"


def both(work: Callable, device: str) -> tuple[object, object, list[str]]:
    """Return what numpy and what the device gave, and the cells of their seconds."""
    expected, cpu, wall = timed(work)
    with on_device(device):
        found, there_cpu, there = timed(work)
    return expected, found, [*seconds(wall, cpu, there, there_cpu), f"{wall / there:.1f}"]


def seconds(*values: float) -> list[str]:
    return [f"{value:.2f}" for value in values]


def unit_rows(n: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, WORD_DIM)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def csls_line(size: int, device: str) -> list[str]:
    A, B = unit_rows(size, 0), unit_rows(size, 1)
    expected, found, cells = both(lambda: csls(A, B), device)
    return [f"CSLS {size:,} x {size:,} x {WORD_DIM}", *cells, matches_apart(expected, found)]


def matches_apart(a: Csls, b: Csls) -> str:
    means = max(np.abs(a.source_means - b.source_means).max(), np.abs(a.target_means - b.target_means).max())
    other = np.mean(
        [(a.targets.indices != b.targets.indices).mean(), (a.sources.indices != b.sources.indices).mean()]
    )
    return f"{means:.0e} ({other:.3%})"


def made_words(generator: Path) -> dict[str, np.ndarray] | None:
    if not generator.is_file():
        print(f"words are skipped: {generator} is absent; pass --generator with the script that makes them")
        return None
    with tempfile.TemporaryDirectory() as folder:
        make = [sys.executable, str(generator), "--out", folder, "--text", "0"]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        with np.load(Path(folder) / "pair.npz") as made:
            return {part: made[part] for part in ("X", "Y", "train", "test")}


def fit_line(make: type, words: dict[str, np.ndarray], device: str) -> list[str]:
    given = words["X"], words["Y"], words["train"]
    expected, found, cells = both(lambda: make().fit_vocabulary(*given), device)
    return [f"{make.__name__}, whole fit", *cells, f"{np.abs(expected.matrix_ - found.matrix_).max():.0e}"]


def pair_lines(rows: int, device: str) -> list[list[str]]:
    X, Y = (half_rows(rows, seed) for seed in (0, 1))
    lines = []
    expected, found, cells = both(lambda: Procrustes().fit(X, Y), device)
    apart = np.abs(expected.matrix_ - found.matrix_).max()
    lines.append([f"Procrustes, {rows:,} x {PAIR_DIM} pairs", *cells, f"{apart:.0e}"])
    expected, found, cells = both(lambda: Moments.from_arrays(X, Y), device)
    apart = np.abs(expected.cov_xy - found.cov_xy).max() / np.abs(expected.cov_xy).max()
    lines.append(["its moments alone, raw rows", *cells, f"{apart:.0e}"])
    return lines


def half_rows(rows: int, seed: int) -> np.ndarray:
    """Return random rows, the same 16,384 again and again."""
    piece = (np.random.default_rng(seed).normal(size=(16_384, PAIR_DIM)) + 0.5).astype(np.float16)
    return np.resize(piece, (rows, PAIR_DIM))


def game_line(words: dict[str, np.ndarray], device: str) -> list[str]:
    """Time one epoch from a part of it, after a first part that is not timed."""
    epochs = []
    for name in ("cpu", device):
        rounds = ROUNDS_ON_CARD if name.startswith("cuda") else ROUNDS
        plan = Adversarial(normalize="none", epoch_size=rounds * BATCH)._plan()
        with on_device(name):
            game = Game(words["X"], words["Y"], plan.rules, 0)
            game.epoch(0.1)
            _, cpu, wall = timed(lambda game=game: game.epoch(0.1))
        epochs.append((wall * EPOCH / rounds, cpu * EPOCH / rounds))
    cells = [*seconds(*epochs[0], *epochs[1]), f"{epochs[0][0] / epochs[1][0]:.1f}"]
    return [f"adversarial, an epoch of {EPOCH:,} rounds", *cells, ""]


def played(words: dict[str, np.ndarray], epochs: int, device: str) -> str:
    """Play whole epochs without pairs, refine, and say how many test words are translated rightly."""
    with on_device(device):
        game = Adversarial(normalize="none", epochs=epochs)
        fitted, _, wall = timed(lambda: game.fit_vocabulary(words["X"], words["Y"]))
        sides = (fitted.project_source(words["X"]), fitted.project_target(words["Y"]))
        there = csls(*(side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides)).targets.indices
    asked, golds = words["test"].T
    right = set(asked[there[asked] == golds])
    share = len(right) / len(np.unique(asked))
    criteria = ", ".join(f"{criterion:.4f}" for criterion in fitted.history_[:, 0])
    return (
        f"\nadversarial, {epochs} epochs and 5 rounds without pairs: CSLS P@1 {share:.2%} in {wall:.0f} s; "
        f"the criterion was {criteria}; {fitted.trust_.sentence()}"
    )


if __name__ == "__main__":
    main()
