"""Is the class of a clip heard in what mel_ridge sings, and does a photo find a sound of its class?

python analyses/heard_pictures/analysis.py --out analyses/heard_pictures [--small]
"""

import csv
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))
from _command import run
from _record import circumstances, table, write
from _worlds import FOLDER

from alignkit import Embeddings, Space
from alignkit.aligners.ridge import Ridge
from alignkit.decoders.mel_ridge import MelRidge
from alignkit.decoders.nearest import Nearest
from alignkit.encoders.yamnet import Yamnet
from alignkit.judges import JUDGES
from alignkit.judges._base import Samples
from alignkit.media.audio import Sound, read_sound
from alignkit.media.mel import decibels, mel_filters, power_spectrogram

COMMAND = "python analyses/heard_pictures/analysis.py --out analyses/heard_pictures"
RATE, SECONDS, FOLDS = 16000, 5, 3
SHARED = {  # ImageHear's class: that of ESC-50
    **{name: name for name in ("cat", "cow", "dog", "frog", "rain", "sheep", "train")},
    **{
        "bells": "church_bells",
        "bird": "chirping_birds",
        "chicken": "hen",
        "cricket": "crickets",
        "police": "siren",
    },
}
Encode = Callable[[np.ndarray], np.ndarray]


def main(out: Path, *, small: bool = False) -> None:
    """Is the class of a clip heard in what mel_ridge sings, and does a photo find a sound of its class?"""
    with threadpool_limits(1):
        real = not small and FOLDER.is_dir()
        result = {
            "question": " ".join((main.__doc__ or "").split()),
            **circumstances(COMMAND),
            "protocol": {
                "sung": "mel_ridge fitted on folds 1-4, fold 5 sung from its own rows, encoded again, named "
                "by a logistic regression on rows of folds 1-4",
                "found": f"ridge from the mean photo of each class to its class text, {FOLDS} folds by "
                "photo; nearest clip by cosine after the map",
                "interval": "exact binomial",
            },
            "sung": sung(*(esc10() if real else tones())),
            "found": found(*(photos() if real else clusters())),
        }
    write(out, result, numbers(result), figure(result))


def sung(rows: np.ndarray, sounds: np.ndarray, labels: np.ndarray, folds: np.ndarray, encode: Encode) -> Any:
    """Return the share of held-out clips named rightly: sung, real, the nearest known clip, and shuffled.

    A row that was fitted sings its own sound: fitted to the held-out clips themselves, mel_ridge shows what
    its spectrogram and Griffin-Lim lose.
    """
    train, test = np.flatnonzero(folds != 5), np.flatnonzero(folds == 5)
    known = Embeddings(rows[train], ids=train, space=Space(rows.shape[1], "ear"))
    asked = Embeddings(rows[test], ids=test, space=known.space)
    made = MelRidge(rate=RATE).fit(known, sounds[train]).decode(asked)
    bare = MelRidge(rate=RATE, detail=0.0).fit(known, sounds[train]).decode(asked)
    own = MelRidge(rate=RATE).fit(asked, sounds[test]).decode(asked)
    real = Nearest().fit(known, np.arange(len(train))).decode(asked)
    seen = {
        "sung": encode(made),
        "regression alone": encode(bare),
        "ceiling: the clip": rows[test],
        "ceiling: the clip's own spectrogram, sung": encode(own),
        "control: nearest clip": rows[train][real],
    }
    seen["floor: another's song"] = seen["sung"][np.random.default_rng(0).permutation(len(test))]
    judge = JUDGES.get("classifier_accuracy")()
    return {
        name: judge.judge(
            Samples(rows[train], each, reference_labels=labels[train], generated_labels=labels[test])
        ).to_json()
        for name, each in seen.items()
    }


def found(
    photo: np.ndarray, photo_class: np.ndarray, text: np.ndarray, clip: np.ndarray, clip_class: np.ndarray
) -> Any:
    """Return how often the clip nearest to a mapped photo is of its class, beside its ceiling and floors."""
    classes, folds = len(text), np.zeros(len(photo), int)
    for each in range(classes):
        rows = np.flatnonzero(photo_class == each)
        folds[rows] = np.arange(len(rows)) % FOLDS
    rng = np.random.default_rng(0)
    hits: dict[str, np.ndarray] = {name: np.zeros(len(photo)) for name in ("mapped", "floor: shuffled map")}
    hits["ceiling: its class text"] = (clip_class[nearest(text, clip)] == np.arange(classes))[photo_class]
    for fold in range(FOLDS):
        test = folds == fold
        means = np.stack([photo[~test & (photo_class == each)].mean(axis=0) for each in range(classes)])
        for name, order in (
            ("mapped", np.arange(classes)),
            ("floor: shuffled map", rng.permutation(classes)),
        ):
            mapped = Ridge(alpha=0.1).fit(means, text[order]).transform(photo[test])
            hits[name][test] = clip_class[nearest(mapped, clip)] == photo_class[test]
    share = np.bincount(clip_class).max() / len(clip_class)
    return {name: exact(values, float(share)) for name, values in hits.items()}


def nearest(queries: np.ndarray, clips: np.ndarray) -> np.ndarray:
    known = Embeddings(clips)
    return Nearest().fit(known, np.arange(len(clips))).decode(Embeddings(queries))


def exact(hits: np.ndarray, chance: float) -> dict[str, float]:
    from scipy.stats import binomtest

    ends = binomtest(int(hits.sum()), len(hits)).proportion_ci()
    return {"value": hits.mean(), "low": ends.low, "high": ends.high, "n": len(hits), "chance": chance}


def esc10() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Encode]:
    with np.load(FOLDER / "precomputed_real_features" / "esc10_yamnet.npz") as read:
        files, labels, folds, rows = (read[name] for name in ("files", "labels", "folds", "emb"))
    length = RATE * SECONDS
    sounds = np.zeros((len(files), length), np.float32)
    for row, name in enumerate(files):
        samples = read_sound(FOLDER / "esc10_audio" / str(name)).resampled(RATE).samples[:length]
        sounds[row, : len(samples)] = samples
    ear = Yamnet(weights=FOLDER / "encoders" / "yamnet_weights_f16.npz")
    codes = np.unique(labels, return_inverse=True)[1]
    return (
        rows.astype(float),
        sounds,
        codes,
        folds,
        lambda made: ear.encode([Sound(each, RATE) for each in made], "audio").astype(float),
    )


def tones() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Encode]:
    """Return forty noisy tones of four pitches, seen by their mean mel spectrum."""
    rng, labels = np.random.default_rng(0), np.arange(40) % 4
    time = np.arange(4096) / RATE
    sounds = np.sin(2 * np.pi * 400 * 2.0 ** labels[:, None] * time) + 0.05 * rng.normal(size=(40, 4096))
    filters = mel_filters(RATE, 512, 20, span=(0.0, 8000.0))

    def encode(made: np.ndarray) -> np.ndarray:
        powers = (power_spectrogram(each, bins=512, hop=128) @ filters for each in made)
        return np.stack([decibels(power).mean(axis=0) for power in powers])

    return encode(sounds), sounds, labels, np.arange(40) // 8 + 1, encode


def photos() -> tuple[np.ndarray, ...]:
    """Return photos of classes that ESC-50 has too, the texts of these, and their clips."""
    with np.load(FOLDER / "precomputed_real_features" / "imagehear_mobilenet.npz") as read:
        rows, labels = read["mnv2"].astype(float), [re.sub(r"\d", "", str(label)) for label in read["labels"]]
    with (FOLDER / "clap_esc50" / "metadata.csv").open(encoding="utf-8") as lines:
        names = [row["class_name"] for row in csv.DictReader(lines)]
    alphabet, wanted = sorted(set(names)), list(SHARED)
    text = np.load(FOLDER / "clap_esc50" / "class_text_embeddings.npy").astype(float)
    clips = np.load(FOLDER / "clap_esc50" / "audio_embeddings.npy").astype(float)
    code = {SHARED[name]: place for place, name in enumerate(wanted)}
    kept = [row for row, label in enumerate(labels) if label in wanted]
    held = [row for row, name in enumerate(names) if name in code]
    return (
        rows[kept],
        np.array([wanted.index(labels[row]) for row in kept]),
        text[[alphabet.index(SHARED[name]) for name in wanted]],
        clips[held],
        np.array([code[names[row]] for row in held]),
    )


def clusters() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(1)
    classes, hidden = 6, rng.normal(size=(6, 5))
    photo_class, clip_class = np.arange(24) % classes, np.arange(60) % classes
    eye, ear = rng.normal(size=(5, 12)), rng.normal(size=(5, 10))
    noise = [0.3 * rng.normal(size=(n, d)) for n, d in ((24, 12), (60, 10))]
    return (
        hidden[photo_class] @ eye + noise[0],
        photo_class,
        hidden @ ear,
        hidden[clip_class] @ ear + noise[1],
        clip_class,
    )


def numbers(result: dict[str, Any]) -> str:
    rows = [
        [
            f"{part}, {name}",
            *(f"{score[key]:.3f}" for key in ("value", "low", "high", "chance")),
            str(score["n"]),
        ]
        for part in ("sung", "found")
        for name, score in result[part].items()
    ]
    return table(["right class", "share", "low", "high", "chance", "n"], rows)


def figure(result: dict[str, Any]) -> Figure:
    drawn = Figure(figsize=(7, 3))
    for place, part in enumerate(("sung", "found")):
        axis = drawn.add_subplot(1, 2, place + 1)
        names, scores = list(result[part]), list(result[part].values())
        values = [score["value"] for score in scores]
        reach = [[s["value"] - s["low"] for s in scores], [s["high"] - s["value"] for s in scores]]
        axis.errorbar(values, range(len(names)), xerr=np.maximum(reach, 0), fmt="o", color="#0072b2")
        axis.axvline(scores[0]["chance"], linestyle=":", color="#5b6270")
        axis.set(yticks=range(len(names)), xlim=(0, 1), xlabel=f"{part}: share of the right class")
        axis.set_yticklabels(names, fontsize=7)
        axis.invert_yaxis()
    drawn.tight_layout()
    return drawn


if __name__ == "__main__":
    run(main, __doc__, small="tones and clusters that are planted")
