"""How well the label-free criterion tells runs that failed from runs that did not, and its coefficients.

Runs on planted worlds from easy to hopeless, each left alone until it rests on its own matches: from
Procrustes on all pairs, on 20 and on 60, from a random rotation, from principal axes with random signs, and
without pairs. A run failed if its CSLS P@1 is below half of that of Procrustes on all pairs, which is not
judged itself; on two clouds without a common row every run failed.
Worlds in which Procrustes itself stays below 10 % are left out: there is nothing to tell apart. The
coefficients are fitted on some worlds (--worlds) and judged on others, all of them and those in which
Procrustes finds 30 %, then on real pairs: LVIS texts and
images, LVIS texts in two encoders, YAMNet and CLAP on ESC-10, English and German words.

    python benchmarks/trust.py [--worlds 40] [--data FOLDER]
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _machine import cpu_seconds, machine_line, table
from scipy.optimize import minimize
from scipy.stats import rankdata

from alignkit.aligners._annealing import annealed_rotation
from alignkit.aligners._csls import csls
from alignkit.aligners._frame import Frame
from alignkit.aligners._rotation import rotation_of
from alignkit.aligners._row_signatures import signatures
from alignkit.aligners._stochastic_dictionary import Schedule, self_learn
from alignkit.aligners._trust import COEFFICIENTS, LEAST, trust_of
from alignkit.aligners._unit import unit_rows

CLEAR = 0.3  # P@1 of Procrustes from which on noise does not hide the partners
WORTH = 0.1  # P@1 of Procrustes below which a world is left out
NO_LINKS = np.zeros((0, 2), np.int64)
REST = Schedule(keep=1.0, patience=0, gain=1e-4, most=12)


@dataclass(frozen=True)
class World:
    """Two framed clouds, and each source row's partner, or -1; none at all where they are strangers."""

    name: str
    source: np.ndarray
    target: np.ndarray
    partners: np.ndarray
    strangers: bool = False


@dataclass(frozen=True)
class Run:
    """One map of one world: what the criterion saw, and whether the map failed in truth."""

    world: str
    way: str
    measures: tuple[float, float, float]
    probability: float
    failed: bool
    hit: float
    best: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = os.environ.get("ALIGNKIT_DATA", Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--worlds", type=int, default=40, help="planted worlds to fit to, and to judge on")
    parser.add_argument("--verbose", action="store_true", help="print every run")
    options = parser.parse_args()
    print(machine_line("numpy", "scipy"))
    fitting, judging = (
        [run for seed in seeds for run in runs(planted(seed), seed)]
        for seeds in (range(options.worlds), range(1000, 1000 + options.worlds))
    )
    found = logistic(fitting)
    print("coefficients in the module:", ", ".join(f"{value:.2f}" for value in COEFFICIENTS))
    print("fitted anew:               ", ", ".join(f"{value:.2f}" for value in found))
    real = (
        [run for world in real_worlds(options.data) for run in runs(world, 0)]
        if options.data.is_dir()
        else []
    )
    clear = [run for run in judging if run.best >= CLEAR]
    parts = {"planted, fitted to": fitting, "planted, others": judging, "of them clear": clear, "real": real}
    parts |= {
        name: [run for run in real if run.world == name] for name in dict.fromkeys(r.world for r in real)
    }
    header = ["", "runs", "failed", "AUROC", "refitted", "csls", "cycle", "cka", "false alarms", "missed"]
    print(table(header, [line(name, part, found) for name, part in parts.items() if part]))
    if options.verbose:
        rows = [[r.world, r.way, f"{r.hit:.3f}", f"{r.best:.3f}", *(f"{m:.3f}" for m in r.measures),
                 f"{r.probability:.3f}"] for r in fitting + judging + real]  # fmt: skip
        print(table(["", "way", "P@1", "Procrustes", "csls", "cycle", "cka", "probability"], rows))
    print(f"{cpu_seconds():.0f} CPU s")


def line(name: str, some: list[Run], found: np.ndarray) -> list[str]:
    failed = np.array([run.failed for run in some])
    scores = [np.array([run.probability for run in some]), design(some) @ found]
    scores += list(np.array([run.measures for run in some]).T)
    areas = [f"{auroc(-score, failed):.3f}" for score in scores]
    distrusted = scores[0] < LEAST
    alarms, missed = int((distrusted & ~failed).sum()), int((~distrusted & failed).sum())
    return [name, str(len(some)), str(int(failed.sum())), *areas, f"{alarms}/{(~failed).sum()}",
            f"{missed}/{failed.sum()}"]  # fmt: skip


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return the probability that a positive has a higher score than another one; ties count half."""
    p, n = int(positive.sum()), int((~positive).sum())
    return float((rankdata(scores)[positive].sum() - p * (p + 1) / 2) / (p * n)) if p and n else float("nan")


def design(some: list[Run]) -> np.ndarray:
    rise, cycle, cka = np.array([run.measures for run in some]).T
    return np.stack([np.ones(len(some)), np.log(rise + 0.1), cycle, cka], axis=1)


def logistic(some: list[Run]) -> np.ndarray:
    """Return a logistic fit with a little ridge, both outcomes weighted alike, no measure below zero."""
    X, sound = design(some), np.array([not run.failed for run in some])
    weights = np.where(sound, 0.5 / max(sound.sum(), 1), 0.5 / max((~sound).sum(), 1))

    def loss(b: np.ndarray) -> float:
        return float(weights @ np.logaddexp(0, np.where(sound, -1, 1) * (X @ b)) + 1e-4 * b[1:] @ b[1:])

    bounds = [(None, None)] + [(0, None)] * (X.shape[1] - 1)
    return minimize(loss, np.zeros(X.shape[1]), bounds=bounds).x


def runs(world: World, seed: int) -> Iterator[Run]:
    """Yield the runs of one world, Procrustes on all pairs first."""
    rng = np.random.default_rng(seed)
    S, T = world.source, world.target
    known = np.flatnonzero(world.partners >= 0)
    best = 1.0 if world.strangers else 0.0
    for way, rotation in ways(world, known, rng):
        hit = 0.0 if world.strangers else hits(S @ rotation, T, world.partners)
        if way == "all pairs":
            best = hit
            if best < WORTH:
                return
            continue
        seen = trust_of(S, T, S @ rotation, seed=seed)
        yield Run(
            world.name, way, (seen.csls, seen.cycle, seen.cka), seen.probability, hit < best / 2, hit, best
        )


def ways(world: World, known: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    S, T = world.source, world.target

    def rested(rotation: np.ndarray) -> np.ndarray:
        return self_learn(S, T, rotation, REST, rng)[0]

    def of(rows: np.ndarray) -> np.ndarray:
        return rotation_of(S, T, np.stack([rows, world.partners[rows]], axis=1))

    if not world.strangers:
        yield "all pairs", of(known)
        yield "all pairs, then alone", rested(of(known))
        for count in (20, 60):
            yield f"{count} pairs, then alone", rested(of(rng.choice(known, count, replace=False)))
    width = max(S.shape[1], T.shape[1])
    rotation = np.linalg.qr(rng.normal(size=(width, width)))[0][: S.shape[1], : T.shape[1]]
    yield "random, then alone", rested(rotation)
    axes = [np.linalg.svd(side, full_matrices=False)[2] for side in (S, T)]
    r = min(len(axes[0]), len(axes[1]))
    yield "axes, then alone", rested((axes[0][:r].T * rng.choice([-1.0, 1.0], r)) @ axes[1][:r])
    some = S[:1200], T[:1200]
    yield "no pairs", rested(annealed_rotation(*some, signatures(*some), NO_LINKS)[0])


def hits(images: np.ndarray, targets: np.ndarray, partners: np.ndarray) -> float:
    known = partners >= 0
    found = csls(unit_rows(images), unit_rows(targets)).targets.indices
    return float((found[known] == partners[known]).mean())


def planted(seed: int) -> World:
    """Return topics of unequal size seen twice: noise, distorted axes, a rotation, another order of rows."""
    rng = np.random.default_rng([seed, 77])
    n, d = int(rng.choice([300, 600, 1000])), int(rng.choice([10, 25, 60]))
    noise, distort, alpha = (
        float(rng.choice(some)) for some in ((0.2, 0.4, 0.7, 1.1), (0.1, 0.3), (0.5, 1.0))
    )
    strangers = bool(rng.random() < 0.2)
    topics = n // 13
    shares = 1 / np.arange(1, topics + 1) ** 0.7
    spectrum = (np.arange(d) + 5.0) ** (-alpha / 2)
    spectrum /= np.sqrt(np.mean(spectrum**2))

    def cloud() -> np.ndarray:
        drawn = rng.choice(topics, n, p=shares / shares.sum())
        return 0.55 * rng.normal(size=(topics, d))[drawn] + 0.83 * rng.normal(size=(n, d))

    def view(Z: np.ndarray) -> np.ndarray:
        rows = (
            Z * spectrum * np.exp(distort * rng.normal(size=d)) + noise * rng.normal(size=Z.shape) * spectrum
        )
        return (rows + 0.6 * rng.normal(size=d)) @ np.linalg.qr(rng.normal(size=(d, d)))[0]

    Z = cloud()
    source, target = view(Z), view(cloud() if strangers else Z)
    order = rng.permutation(n)
    return World(
        f"{n} x {d}, noise {noise}{', strangers' if strangers else ''}",
        framed(source), framed(target[order]), np.argsort(order), strangers,
    )  # fmt: skip


def framed(rows: np.ndarray) -> np.ndarray:
    rows = np.asarray(rows, np.float64)
    return Frame.fit(rows, "unit-center-unit").apply(rows)


def real_worlds(data: Path) -> Iterator[World]:
    """Yield real pairs, the target's rows in another order."""
    lvis = data / "clip_lvis_text"
    files = "lvis_rn50_text.npy", "lvis_vitb32_image_exemplars_avg5.npy", "lvis_vitb32_text.npy"
    rn50, images, vit = (np.load(lvis / name) for name in files)
    yield shuffled("LVIS RN50 text, images", rn50, images)
    yield shuffled("LVIS text, two encoders", vit, rn50)
    clips = np.load(data / "precomputed_real_features" / "esc10_yamnet.npz")
    lines = (data / "clap_esc50" / "metadata.csv").read_text().splitlines()[1:]
    rows = {text.split(",")[0].removesuffix(".wav").rpartition("-")[0]: row for row, text in enumerate(lines)}
    heard = [rows[Path(str(name)).stem] for name in clips["files"]]
    yield shuffled(
        "ESC-10 YAMNet, CLAP", clips["emb"], np.load(data / "clap_esc50" / "audio_embeddings.npy")[heard]
    )
    with np.load(data / "bilingual" / "m30k_vecs_en_de.npz") as words:
        english, german = ({str(w): i for i, w in enumerate(words[f"{side}_words"])} for side in ("en", "de"))
        partners = np.full(len(english), -1)
        for name in ("train.freq.5k", "test.freq.2k"):
            text = (data / "bilingual" / f"yacle.{name}.en-de.tsv").read_text(encoding="utf-8")
            for a, b in (entry.split("\t")[:2] for entry in text.splitlines()):
                if a in english and b in german:
                    partners[english[a]] = german[b]
        yield World("English, German", framed(words["en_vecs"]), framed(words["de_vecs"]), partners)


def shuffled(name: str, source: np.ndarray, target: np.ndarray) -> World:
    order = np.random.default_rng(0).permutation(len(target))
    return World(name, framed(source), framed(target[order]), np.argsort(order))


if __name__ == "__main__":
    main()
