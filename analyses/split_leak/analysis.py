"""How much does a split by pair flatter a map where images have five captions, and does it change the choice?

python analyses/split_leak/analysis.py --out analyses/split_leak [--small]
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from _command import run
from _guard import (
    HELD_OUT,
    THRESHOLDS,
    World,
    at_random,
    by_position,
    clean_splits,
    detection,
    false_alarms,
    real_rows,
)
from _record import circumstances, rounded, scored, table, write
from _worlds import FOLDER, flickr

from alignkit import Alignment, Embeddings, Pairs
from alignkit.aligners import METHODS
from alignkit.leaks import check_split
from alignkit.statistics.significance import holm, sign_flip
from alignkit.workflows import Protocol, evaluate

COMMAND = "python analyses/split_leak/analysis.py --out analyses/split_leak"
CANDIDATES = {
    "identity": {},
    "procrustes": {},
    "ridge": {"alpha": 1.0},
    "least_squares": {},
    "cca": {},
}
SPLITS = {"by pair": "links drawn one by one", "by group": "images drawn with all their captions"}
GALLERIES = ("all images", "held-out images")


def main(out: Path, *, small: bool = False) -> None:
    """Does a split by pair flatter a map where images have five captions, and does it change the choice?"""
    seeds = range(2 if small else 10)
    with threadpool_limits(1):
        made = planted(60, 40, 20) if small else planted(200, 200, 100)
        found = {"planted: 5 captions an image": measured(made, list(CANDIDATES)[1:4], seeds)}
        if not small and FOLDER.is_dir():
            found["Flickr8k, CLIP ViT-B/32"] = measured(flickr(FOLDER), list(CANDIDATES), seeds)
        real = real_rows() if not small and FOLDER.is_dir() else {"planted": made[0].array()}
        clean = clean_splits() if not small and FOLDER.is_dir() else {"planted": by_position(made)}
        guard = {"found": detection(real), "alarms": false_alarms(clean, len(seeds))}
    result = {
        "question": " ".join((main.__doc__ or "").split()),
        **circumstances(COMMAND),
        "protocol": {
            "held_out": HELD_OUT,
            "seeds": list(seeds),
            "metric": "hit@1 of held-out captions, cosine in the joint frame",
            "splits": SPLITS,
            "tests": "paired sign flips over images against procrustes, all seeds together; Holm",
        },
        "worlds": found,
        "guard": guard,
    }
    write(out, result, numbers(result), figure(result))


def planted(images: int, dim: int, shared: int) -> World:
    """Return captions and images that share half of what they hold; the rest of either is its own affair.

    What a caption and its image do not share can be learnt by heart, and helps with no other image.
    """
    rng = np.random.default_rng(0)
    things, hers, his = rng.normal(size=(images, shared)), *rng.normal(size=(2, images, dim))
    left, right = (np.linalg.qr(rng.normal(size=(dim, dim)))[0][:shared] for _ in range(2))
    seen = things @ right + 0.5 * his
    told = np.repeat(things @ left + 0.5 * hers, 5, axis=0) + rng.normal(size=(5 * images, dim))
    return Embeddings(told, name="captions"), Embeddings(seen, name="images"), np.repeat(np.arange(images), 5)


def measured(world: World, methods: list[str], seeds: range) -> dict[str, Any]:
    """Return the scores of every split, gallery and method, with paired tests and what the guard says."""
    captions, images, image = world
    links = np.stack([np.arange(len(captions)), image], axis=1)
    pairs = Pairs(captions, images, links)
    found: dict[str, Any] = {"captions": len(captions), "images": len(images), "digest": pairs.digest()}
    for split, draw in (
        ("by pair", at_random),
        ("by group", lambda pairs, seed: pairs.split(HELD_OUT, seed)),
    ):
        hits: dict[str, dict[str, list[np.ndarray]]] = {
            gallery: {m: [] for m in methods} for gallery in GALLERIES
        }
        asked, guards = [], []
        for seed in seeds:
            train, test = draw(pairs, seed)
            guards.append(check_split(train, test, refuse=False).to_json())
            asked.append(image[test.links[:, 0]])
            for method in methods:
                map_ = METHODS.get(method)(**CANDIDATES[method]).fit(*train.vectors())
                for gallery in GALLERIES:
                    hits[gallery][method].append(hit(method, map_, test, gallery))
        found[split] = {
            gallery: judged({m: np.concatenate(h) for m, h in hits[gallery].items()}, np.concatenate(asked))
            for gallery in GALLERIES
        }
        found[split]["guard"] = {
            "shared_images": [int(g["target"]["shared"]) for g in guards],
            "held_out_images": [int(g["target"]["rows"]) for g in guards],
            "pairs_touched": [int(g["touched"]) for g in guards],
        }
    return found


def hit(method: str, map_: Any, test: Pairs, gallery: str) -> np.ndarray:
    """Return for every held-out caption whether its image comes first."""
    rows = test.restricted()
    if gallery == "all images":
        links = np.stack([np.arange(len(test)), test.links[:, 1]], axis=1)
        rows = Pairs(test.source.select(test.links[:, 0]), test.target, links)
    alignment = Alignment(method, map_, rows.source.space, rows.target.space)
    protocol = Protocol(metrics=("hit@1",), resamples=0)
    scored = evaluate(rows.source, rows.target, pairs=rows, alignment=alignment, protocol=protocol)
    return scored.tables["forward"]["hit@1"].to_numpy()


def judged(values: dict[str, np.ndarray], image: np.ndarray) -> dict[str, Any]:
    """Return mean, interval over images, and the difference to procrustes with its corrected p."""
    tests = {m: sign_flip(v, values["procrustes"], image) for m, v in values.items() if m != "procrustes"}
    corrected = dict(zip(tests, holm([test.p for test in tests.values()]), strict=True))
    scores: dict[str, Any] = {}
    for method, hits in values.items():
        scores[method] = scored(hits, image)
        if method in tests:
            scores[method] |= {
                "less_procrustes": rounded(tests[method].value),
                "p_holm": float(f"{corrected[method]:.2g}"),
            }
    return scores


def numbers(result: dict[str, Any]) -> str:
    """Return the tables of the README."""
    parts = []
    for title, world in result["worlds"].items():
        guard = world["by pair"]["guard"]
        shared, held = sum(guard["shared_images"]), sum(guard["held_out_images"])
        rows = []
        for method in world["by pair"]["all images"]:
            cells = [method]
            for gallery in GALLERIES:
                cells += [cell(world[split][gallery][method]) for split in SPLITS]
            rows.append(cells)
        header = ["method"] + [f"{split}, {gallery}" for gallery in GALLERIES for split in SPLITS]
        parts += [
            f"**{title}** ({world['captions']} captions, {world['images']} images). Split by pair, {shared} "
            f"of {held} held-out images are training images too; split by group, "
            f"{sum(world['by group']['guard']['shared_images'])}.",
            table(header, rows),
        ]
    names = list(map(str, THRESHOLDS))
    parts.append("Share of planted near-duplicates found, in the worst of the sets:")
    parts.append(
        table(
            ["cosine from", *names],
            [[c, *(f"{v[t]:.3f}" for t in names)] for c, v in result["guard"]["found"].items()],
        )
    )
    parts.append("Rows of clean splits called near-duplicates, both sides, five splits together:")
    parts.append(
        table(
            ["cosine from", *names],
            [[c, *(str(v[t]) for t in names)] for c, v in result["guard"]["alarms"].items()],
        )
    )
    return "\n\n".join(parts)


def cell(score: dict[str, float]) -> str:
    """Return the score with its interval, and a mark where it differs from procrustes for certain."""
    mark = ""
    if score.get("p_holm", 1.0) < 0.05:
        mark = " +" if score["less_procrustes"] > 0 else " -"
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]{mark}"


def figure(result: dict[str, Any]) -> Figure:
    """Return one panel a world: each method's score by the split by pair and by the split by group."""
    worlds_ = result["worlds"]
    drawn = Figure(figsize=(4.6 * len(worlds_), 3.6), layout="constrained")
    marks = dict(zip(CANDIDATES, ("P", "o", "s", "^", "D"), strict=True))
    colours = dict(zip(CANDIDATES, ("#222222", "#0072B2", "#D55E00", "#CC79A7", "#009E73"), strict=True))
    for axes, (title, world) in zip(
        np.atleast_1d(drawn.subplots(1, len(worlds_))), worlds_.items(), strict=True
    ):
        for number, method in enumerate(world["by pair"]["all images"]):
            scores = [world[split]["all images"][method] for split in SPLITS]
            places = np.arange(2) + 0.03 * (number - 2)
            values = [score["value"] for score in scores]
            ends = np.abs([[s["low"] - s["value"], s["high"] - s["value"]] for s in scores]).T
            axes.errorbar(
                places, values, ends, marker=marks[method], color=colours[method], label=method, lw=1.2
            )
        axes.set_xticks([0, 1], list(SPLITS))
        axes.set_xlim(-0.3, 1.3)
        axes.set_ylim(0, 1.02)
        axes.set_ylabel("hit@1 among all images")
        axes.set_title(title, loc="left", fontsize=10)
        axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    return drawn


if __name__ == "__main__":
    run(main, __doc__, small="a planted world in seconds")
