"""How much retrieval does CLAP lose when the audio is noisy, filtered or shifted in pitch?

python analyses/robustness/analysis.py --out analyses/robustness [--small]
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parents[1]))
from _command import run
from _record import circumstances, rounded, scored, table, write
from _worlds import FOLDER

from alignkit import Embeddings, Pairs, evaluate, open_embeddings
from alignkit._components import connected
from alignkit.duplicates import duplicate_labels
from alignkit.statistics.power import detectable_difference
from alignkit.statistics.significance import holm, sign_flip
from alignkit.workflows import Protocol

COMMAND = "python analyses/robustness/analysis.py --out analyses/robustness"
PLAIN = "undistorted"
FILES = {
    PLAIN: "audio_embeddings.npy",
    "noise, 10 dB": "audio_emb_noisy_snr10dB.npy",
    "low-pass, 4 kHz": "audio_emb_lowpass_4000Hz.npy",
    "high-pass, 1 kHz": "audio_emb_highpass_1000Hz.npy",
    "pitch shift": "audio_emb_pitch_shift.npy",
}
METRICS = ("mrr", "hit@1", "hit@10")
DIRECTIONS = {"forward": "audio -> text", "backward": "text -> audio"}
CERTAIN = 0.05


@dataclass(frozen=True)
class World:
    """The same clips under each distortion, their captions, and which pairs are one observation."""

    audio: dict[str, np.ndarray]
    text: np.ndarray
    clips: np.ndarray


def main(out: Path, *, small: bool = False) -> None:
    """How much retrieval does CLAP lose when the audio is noisy, filtered or shifted in pitch?"""
    world = small_world() if small or not FOLDER.is_dir() else audiocaps()
    result = {
        "question": main.__doc__,
        **circumstances(COMMAND),
        "protocol": {
            "gallery": "all captions, or all clips under the same distortion; cosine as embedded, no map",
            "ties": "by expectation over the order of equal scores: copies of a clip tie",
            "groups": "pairs whose undistorted audio is the same row are one observation",
            "tests": f"paired sign flips over groups against {PLAIN}; Holm over all tests of the page",
        },
        "pairs": len(world.text),
        "groups": len(np.unique(world.clips)),
        "directions": measured(world),
        "moved": {name: moved(world.audio[PLAIN], rows) for name, rows in world.audio.items()},
    }
    write(out, result, numbers(result), figure(result))


def audiocaps() -> World:
    folder = FOLDER / "clap_audiocaps497"
    audio = {name: open_embeddings(folder / file).array() for name, file in FILES.items()}
    return World(
        audio,
        open_embeddings(folder / "text_embeddings.npy").array(),
        connected([duplicate_labels(audio[PLAIN])]),
    )


def small_world() -> World:
    """Return planted clips: one distortion is harmless, the others hurt more and more."""
    rng = np.random.default_rng(0)
    text = rng.normal(size=(80, 12))
    plain = text + 0.6 * rng.normal(size=text.shape)
    noise = rng.normal(size=(len(FILES), *text.shape))
    audio = {name: plain + 0.5 * step * noise[step] for step, name in enumerate(FILES)}
    return World(audio, text, np.arange(80) // 2)


def measured(world: World) -> dict[str, Any]:
    """Return every distortion's scores in both directions, and its tests, corrected all together."""
    tables = {name: tables_of(rows, world.text) for name, rows in world.audio.items()}
    found: dict[str, Any] = {direction: {} for direction in DIRECTIONS}
    tests = []
    for direction in DIRECTIONS:
        for name in world.audio:
            values, chance = tables[name][direction]
            cell = {metric: scored(values[metric], world.clips) for metric in METRICS}
            found[direction][name] = {"chance": rounded(chance), **cell}
            if name != PLAIN:
                tests += [
                    (found[direction][name][metric], values[metric], tables[PLAIN][direction][0][metric])
                    for metric in METRICS
                ]
    flipped = [sign_flip(values, plain, world.clips) for _, values, plain in tests]
    seen = [detectable_difference(values, plain, world.clips) for _, values, plain in tests]
    for (cell, *_), test, p, least in zip(tests, flipped, holm([t.p for t in flipped]), seen, strict=True):
        cell |= {
            "less_plain": rounded(test.value),
            "less_low": rounded(test.low or 0.0),
            "less_high": rounded(test.high or 0.0),
            "p": float(f"{test.p:.2g}"),
            "p_holm": float(f"{p:.2g}"),
            "detectable": rounded(least),
        }
    return found


def tables_of(audio: np.ndarray, text: np.ndarray) -> dict[str, tuple[dict[str, np.ndarray], float]]:
    """Return each direction's values of every query, in the order of the rows, and the chance of its MRR."""
    sides = Embeddings(audio), Embeddings(text)
    protocol = Protocol(metrics=METRICS, resamples=0)
    found = evaluate(*sides, pairs=Pairs.by_id(*sides), protocol=protocol)
    answers = {}
    for direction in DIRECTIONS:
        held = found.tables[direction]
        values = {metric: held[metric].to_numpy() for metric in METRICS}
        answers[direction] = values, float(found.report.sections[direction]["mrr"].chance or 0.0)
    return answers


def moved(plain: np.ndarray, rows: np.ndarray) -> dict[str, float]:
    """Return how far a distortion moves clips: the mean cosine to the same clip undistorted, and its mean."""
    units = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (plain, rows)]
    cosine = np.einsum("nd,nd->n", *units)
    shift = np.linalg.norm(units[1].mean(axis=0) - units[0].mean(axis=0))
    return {"cosine": rounded(cosine.mean()), "shift_of_mean": rounded(shift)}


def numbers(result: dict[str, Any]) -> str:
    """Return the tables of the README, one a direction."""
    parts = [
        f"{result['pairs']} pairs of clip and caption, {result['groups']} different clips. "
        f"`*`: p < {CERTAIN} after Holm's correction."
    ]
    for direction, title in DIRECTIONS.items():
        rows = []
        for name, found in result["directions"][direction].items():
            mrr = found["mrr"]
            cells = [spread(found[metric]) for metric in METRICS]
            rows.append([name, *cells, against(mrr), f"{mrr['p_holm']:.2g}" if "p_holm" in mrr else ""])
        chance = result["directions"][direction][PLAIN]["chance"]
        parts += [
            f"**{title}** (chance MRR {chance:.3f})",
            table(["audio", "MRR", "hit@1", "hit@10", f"less {PLAIN}, MRR", "p (Holm)"], rows),
        ]
    rows = [
        [name, f"{one['cosine']:.3f}", f"{one['shift_of_mean']:.3f}"] for name, one in result["moved"].items()
    ]
    parts.append(table(["audio", "cosine to the clip undistorted", "shift of the mean"], rows))
    return "\n\n".join(parts)


def spread(score: dict[str, float]) -> str:
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"


def against(score: dict[str, Any]) -> str:
    """Return the difference with its interval, and a mark where it is certain."""
    if "p_holm" not in score:
        return ""
    mark = " *" if score["p_holm"] < CERTAIN else ""
    return f"{score['less_plain']:+.3f} [{score['less_low']:+.3f}, {score['less_high']:+.3f}]{mark}"


def figure(result: dict[str, Any]) -> Figure:
    """Return the difference in MRR of every distortion with its interval; filled where it is certain."""
    drawn = Figure(figsize=(7.2, 3.2), layout="constrained")
    axes = drawn.subplots()
    names = [name for name in FILES if name != PLAIN]
    styles = (("o", "#0072B2"), ("^", "#D55E00"))
    for step, ((direction, title), (marker, colour)) in enumerate(
        zip(DIRECTIONS.items(), styles, strict=True)
    ):
        for place, name in enumerate(names):
            mrr = result["directions"][direction][name]["mrr"]
            height = place + (step - 0.5) * 0.28
            axes.plot([mrr["less_low"], mrr["less_high"]], [height] * 2, color=colour, lw=3, alpha=0.45)
            face = colour if mrr["p_holm"] < CERTAIN else "white"
            axes.plot(mrr["less_plain"], height, marker=marker, color=colour, mfc=face, ms=6, ls="")
        axes.plot([], [], marker=marker, color=colour, ls="", label=title)
    axes.plot([], [], marker="s", color="#222222", mfc="white", ls="", label="not certain")
    axes.axvline(0, color="#8a8a8a", lw=0.8, ls=":")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel(f"MRR less that of {PLAIN} audio (95 % interval)")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return drawn


if __name__ == "__main__":
    run(main, __doc__, small="a planted world in seconds")
