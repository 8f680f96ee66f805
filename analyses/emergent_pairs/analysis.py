"""Do sounds find photos that no sound was ever paired with, and at what price?

python analyses/emergent_pairs/analysis.py --out analyses/emergent_pairs [--small]
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))
from _command import run
from _record import circumstances, rounded, scored, table, write
from _worlds import FOLDER

from alignkit.aligners import METHODS
from alignkit.aligners._base import Aligner
from alignkit.errors import AlignkitError
from alignkit.formats import open_embeddings
from alignkit.testing import planted_rotation

COMMAND = "python analyses/emergent_pairs/analysis.py --out analyses/emergent_pairs"
SHARED = {  # photos of ImageHear: the class of ESC-50 that sounds so
    "bells": "church_bells",
    "bird": "chirping_birds",
    "car": "engine",
    "cat": "cat",
    "chicken": "hen",
    "cow": "cow",
    "cricket": "crickets",
    "dog": "dog",
    "frog": "frog",
    "police": "siren",
    "rain": "rain",
    "sheep": "sheep",
    "train": "train",
}
METHODS_RUN = (
    "procrustes",
    "ridge",
    "cca",
    "cca_cv",
    "whitened_rotation",
    "partial_whitening",
    "low_rank",
    "mlp",
    "residual",
)
SETTINGS = ("held-out items", "held-out classes")
WAYS = ("through texts", "direct supervision", "shuffled texts")
PARTNERS = 8  # clips that direct supervision pairs with each training photo


@dataclass(frozen=True)
class Sides:
    """Sounds and photos with their classes, and one text for each class."""

    sounds: np.ndarray
    photos: np.ndarray
    texts: np.ndarray
    sound_class: np.ndarray
    photo_class: np.ndarray
    sound_fold: np.ndarray


def main(out: Path, *, small: bool = False) -> None:
    """Do sounds find photos that no sound was ever paired with, and at what price?"""
    sides = planted() if small or not FOLDER.is_dir() else real(FOLDER)
    methods = ("procrustes", "ridge") if small else METHODS_RUN
    folds = range(2 if small else 3)
    with threadpool_limits(1):
        cells = {
            setting: {method: measured(sides, method, setting, folds) for method in methods}
            for setting in SETTINGS
        }
    result = {
        "question": main.__doc__,
        **circumstances(COMMAND),
        "protocol": {
            "folds": len(folds),
            "clips": len(sides.sounds),
            "photos": len(sides.photos),
            "classes": len(sides.texts),
            "gallery": "held-out photos, cosine in the frame of the texts (direct: the joint frame)",
            "hit@1": "the nearest photo is of the clip's class; interval over classes",
            "through texts": "two maps, of clips and of photos, both to class texts: no clip meets a photo",
            "direct": f"one map, fitted to {PARTNERS} training clips of its class with every training photo",
            "shuffled texts": "clips and photos of a class are given the texts of two unrelated classes",
        },
        "settings": cells,
    }
    write(out, result, numbers(result), figure(result))


def real(data: Path) -> Sides:
    """Return the clips of ESC-50 and the photos of ImageHear in the classes that both have."""
    folder = data / "clap_esc50"
    lines = [line.split(",") for line in (folder / "metadata.csv").read_text().splitlines()[1:]]
    names, folds = np.array([line[2] for line in lines]), np.array([int(line[4]) for line in lines])
    every = sorted(set(names.tolist()))  # the order of the texts
    wanted = list(SHARED.values())
    with np.load(data / "precomputed_real_features" / "imagehear_mobilenet.npz") as held:
        photos, labels = held["mnv2"].astype(np.float64), held["labels"].astype(str)
    seen = np.isin(labels, list(SHARED))
    heard = np.isin(names, wanted)
    texts = open_embeddings(folder / "class_text_embeddings.npy").array()
    return Sides(
        open_embeddings(folder / "audio_embeddings.npy").array()[heard].astype(np.float64),
        photos[seen],
        texts[[every.index(name) for name in wanted]].astype(np.float64),
        np.array([wanted.index(name) for name in names[heard]]),
        np.array([wanted.index(SHARED[label]) for label in labels[seen]]),
        folds[heard],
    )


def planted() -> Sides:
    """Return eight classes as clouds about their texts, seen through two rotations."""
    rng = np.random.default_rng(0)
    texts = planted_rotation(8, 6)[0]
    turns = [np.linalg.qr(rng.normal(size=(6, 6)))[0] for _ in range(2)]
    classes = np.repeat(np.arange(8), 12), np.repeat(np.arange(8), 6)
    clouds = [
        (texts[labels] + 0.1 * rng.normal(size=(len(labels), 6))) @ turn
        for labels, turn in zip(classes, turns, strict=True)
    ]
    return Sides(*clouds, texts, *classes, np.tile(np.arange(1, 5), 24))


def measured(sides: Sides, method: str, setting: str, folds: range) -> dict[str, Any]:
    """Return hit@1 of every way from clips to photos over all folds, with intervals over classes."""
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {way: [] for way in WAYS}
    chances, refused = [], {}
    for fold in folds:
        train, test = dealt(sides, setting, fold)
        labels = sides.sound_class[test[0]], sides.photo_class[test[1]]
        chances.append(np.mean(labels[0][:, None] == labels[1][None]))
        for way in WAYS:
            try:
                sounds, photos = projected(sides, method, way, train, test, fold)
            except AlignkitError as refusal:
                refused[way] = str(refusal)
                continue
            nearest = (unit(sounds) @ unit(photos).T).argmax(axis=1)
            found[way].append(((labels[1][nearest] == labels[0]).astype(float), labels[0]))
    cells: dict[str, Any] = {
        way: scored(*(np.concatenate(column) for column in zip(*runs, strict=True)))
        for way, runs in found.items()
        if runs
    }
    return cells | {"chance": rounded(np.mean(chances)), "refused": refused}


def dealt(sides: Sides, setting: str, fold: int) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Return training and test rows of clips and photos: other items, or other classes."""
    if setting == "held-out classes":
        held = np.arange(len(sides.texts)) % 3 == fold  # every class once in three folds
        test = held[sides.sound_class], held[sides.photo_class]
    else:
        order = np.array([np.sum(sides.photo_class[:i] == c) for i, c in enumerate(sides.photo_class)])
        test = sides.sound_fold == fold + 1, order % 3 == fold
    return tuple(np.flatnonzero(~mask) for mask in test), tuple(np.flatnonzero(mask) for mask in test)


def projected(
    sides: Sides,
    method: str,
    way: str,
    train: tuple[np.ndarray, ...],
    test: tuple[np.ndarray, ...],
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return test clips and photos in one frame, by maps fitted on the training rows."""
    sounds, photos = sides.sounds[train[0]], sides.photos[train[1]]
    heard, seen = sides.sound_class[train[0]], sides.photo_class[train[1]]
    if way == "direct supervision":
        rng = np.random.default_rng(seed)
        pairs = [
            (i, j) for j, c in enumerate(seen) for i in rng.permutation(np.flatnonzero(heard == c))[:PARTNERS]
        ]
        rows = np.array(pairs)
        map_ = fitted(method, sounds[rows[:, 0]], photos[rows[:, 1]], seen[rows[:, 1]])
        return map_.project_source(sides.sounds[test[0]]), map_.project_target(sides.photos[test[1]])
    texts = [sides.texts, sides.texts]
    if way == "shuffled texts":
        texts = [sides.texts[np.roll(np.arange(len(sides.texts)), turn)] for turn in (0, 1)]
    maps = (fitted(method, sounds, texts[0][heard], heard), fitted(method, photos, texts[1][seen], seen))
    both = zip(maps, (sides.sounds[test[0]], sides.photos[test[1]]), strict=True)
    answers = [map_.transform(rows) - sides.texts.mean(axis=0) for map_, rows in both]
    return answers[0], answers[1]


def fitted(method: str, X: np.ndarray, Y: np.ndarray, groups: np.ndarray) -> Aligner:
    """Return a map that was fitted to rows and the one text of their class."""
    return METHODS.get(method)().fit(X, Y, groups=groups)


def unit(V: np.ndarray) -> np.ndarray:
    return V / np.maximum(np.linalg.norm(V, axis=1, keepdims=True), 1e-12)


def numbers(result: dict[str, Any]) -> str:
    """Return the tables of the README: one a setting, best first."""
    parts = []
    for setting, methods in result["settings"].items():
        chance = np.mean([cells["chance"] for cells in methods.values()])
        order = sorted(methods, key=lambda method: -methods[method].get(WAYS[0], {"value": 0})["value"])
        rows = [[method, *(spread(methods[method], way) for way in WAYS)] for method in order]
        parts += [f"**{setting}**: hit@1, chance {chance:.3f}", table(["method", *WAYS], rows)]
    return "\n\n".join(parts)


def spread(cells: dict[str, Any], way: str) -> str:
    if way not in cells:
        return "refused"
    return "{value:.3f} [{low:.3f}, {high:.3f}]".format(**cells[way])


def figure(result: dict[str, Any]) -> Figure:
    """Return a panel a setting: every method by every way, with intervals."""
    drawn = Figure(figsize=(9, 4.2), layout="constrained")
    looks = (("o", "#0072B2"), ("^", "#009E73"), ("x", "#8a8a8a"))
    for axes, (setting, methods) in zip(
        drawn.subplots(1, 2, sharey=True), result["settings"].items(), strict=True
    ):
        for way, (marker, colour), shift in zip(WAYS, looks, (0.2, 0.0, -0.2), strict=True):
            for place, cells in enumerate(reversed(methods.values())):
                if way not in cells:
                    continue
                score = cells[way]
                ends = [[score["value"] - score["low"]], [score["high"] - score["value"]]]
                label = way if place == 0 else None
                axes.errorbar(
                    score["value"], place + shift, xerr=ends, marker=marker, color=colour, label=label, lw=1
                )
        axes.axvline(
            np.mean([cells["chance"] for cells in methods.values()]), color="#222222", lw=0.8, ls=":"
        )
        axes.set_yticks(range(len(methods)), list(reversed(methods)), fontsize=8)
        axes.set_xlim(0, 1)
        axes.set_xlabel("hit@1 (dotted: chance)", fontsize=8)
        axes.set_title(setting, loc="left", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    drawn.axes[0].legend(frameon=False, fontsize=7)
    return drawn


if __name__ == "__main__":
    run(main, __doc__, small="eight planted classes in seconds")
