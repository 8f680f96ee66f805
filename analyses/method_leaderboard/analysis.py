"""Which method maps which real pair of spaces best, for certain, and at what cost?

python analyses/method_leaderboard/analysis.py --out analyses/method_leaderboard [--small]
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))
from _command import run
from _record import circumstances, rounded, scored, table, write
from _worlds import FOLDER, more_worlds

from alignkit import Alignment, Embeddings, Pairs
from alignkit.aligners import METHODS
from alignkit.errors import AlignkitError
from alignkit.statistics.significance import holm, sign_flip
from alignkit.testing import planted_rotation, planted_shear
from alignkit.workflows import Protocol, evaluate
from alignkit.workflows.learning import Known, learn

COMMAND = "python analyses/method_leaderboard/analysis.py --out analyses/method_leaderboard"
HELD_OUT = 0.3
REFERENCE = "procrustes"
METRICS = ("mrr", "hit@1")


def main(out: Path, *, small: bool = False) -> None:
    """Which method maps which real pair of spaces best, for certain, and at what cost?"""
    seeds = range(2 if small else 3)
    every = small_worlds() if small or not FOLDER.is_dir() else more_worlds(FOLDER)
    methods = ["identity", "procrustes", "ridge", "cca"] if small else supervised()
    with threadpool_limits(1):
        found = {title: measured(read(), methods, seeds) for title, read in every.items()}
    result = {
        "question": main.__doc__,
        **circumstances(COMMAND),
        "protocol": {
            "held_out": HELD_OUT,
            "seeds": list(seeds),
            "gallery": "the held-out rows of the other side, cosine in the joint frame",
            "mrr": "mean of both directions, which weigh the same",
            "hit@1": "forward",
            "tests": f"paired sign flips over components on mrr against {REFERENCE}; Holm in a world",
            "left_out": sorted(set(METHODS.names()) - set(methods)),
            "why": "methods that can learn without any pair search for minutes: see benchmarks/",
        },
        "worlds": found,
    }
    write(out, result, numbers(result), figure(result))


def supervised() -> list[str]:
    """Return the methods that need pairs, and those that fit nothing or a mean."""
    return [name for name in METHODS.names() if getattr(METHODS.get(name), "fewest_links", 2) > 0]


def small_worlds() -> dict[str, Callable[[], Pairs]]:
    def by_row(X: np.ndarray, Y: np.ndarray) -> Pairs:
        noise = np.random.default_rng(0).normal(size=Y.shape)
        return Pairs.by_id(Embeddings(X), Embeddings(Y + 0.05 * noise))

    return {
        "planted rotation": lambda: by_row(*planted_rotation(120, 8)[:2]),
        "planted shear": lambda: by_row(*planted_shear(120, 6)[:2]),
    }


def measured(pairs: Pairs, methods: list[str], seeds: range) -> dict[str, Any]:
    """Return every method's scores, its paired test against the reference, and its cost; or its refusal."""
    labels = pairs.components()
    parts = [pairs.subset(np.arange(len(pairs))).split(HELD_OUT, seed) for seed in seeds]
    place = {tuple(link): number for number, link in enumerate(pairs.links.tolist())}
    refused, asked, seconds, runs_of = {}, {}, {}, {}
    for method in methods:
        try:
            runs = runs_of[method] = [one_fit(method, *part, labels, place) for part in parts]
        except AlignkitError as refusal:
            refused[method] = str(refusal)
            continue
        asked[method] = {name: joined([run[name] for run in runs]) for name in METRICS}
        seconds[method] = float(np.mean([run["seconds"] for run in runs]))
    scores = {method: summary(found) for method, found in asked.items()}
    rivals = [method for method in asked if method != REFERENCE]
    tests = [sign_flip(asked[m]["mrr"][0], asked[REFERENCE]["mrr"][0], asked[m]["mrr"][1]) for m in rivals]
    for method, test, p in zip(rivals, tests, holm([test.p for test in tests]), strict=True):
        scores[method] |= {
            "less_reference": rounded(test.value),
            "less_low": rounded(test.low or 0.0),
            "less_high": rounded(test.high or 0.0),
            "p_holm": float(f"{p:.2g}"),
        }
    for method, score in scores.items():
        score["cpu_seconds"] = round(seconds[method], 2)
    best = dict(sorted(scores.items(), key=lambda item: -item[1]["mrr"]["value"]))
    return {
        "pairs": len(pairs),
        "dims": [pairs.source.dim, pairs.target.dim],
        "digest": pairs.digest(),
        "held_out": [len(test) for _, test in parts],
        "chance": rounded(np.mean([run["chance"] for run in runs_of[REFERENCE]])),
        "methods": best,
        "refused": refused,
    }


def one_fit(
    method: str, train: Pairs, test: Pairs, labels: np.ndarray, place: dict[tuple[int, ...], int]
) -> dict[str, Any]:
    """Return every held-out query's value of either metric with its component, and the seconds of the fit."""
    aligner = METHODS.get(method)()
    started = time.process_time()
    learn(aligner, train, test, Known())
    seconds = time.process_time() - started
    rows = test.restricted()
    alignment = Alignment(method, aligner, rows.source.space, rows.target.space)
    protocol = Protocol(metrics=METRICS, resamples=0)
    scored = evaluate(rows.source, rows.target, pairs=rows, alignment=alignment, protocol=protocol)
    mine = labels[[place[tuple(link)] for link in test.links.tolist()]]
    groups = []
    for side, asked in enumerate((rows.source, rows.target)):
        group = np.empty(len(asked), np.int64)
        group[rows.links[:, side]] = mine
        groups.append(group)
    both = [scored.tables[direction]["mrr"].to_numpy() for direction in ("forward", "backward")]
    share = [len(both[0]) + len(both[1])] / (2 * np.array([len(values) for values in both]))
    return {
        "mrr": (np.concatenate([v * s for v, s in zip(both, share, strict=True)]), np.concatenate(groups)),
        "hit@1": (scored.tables["forward"]["hit@1"].to_numpy(), groups[0]),
        "seconds": seconds,
        "chance": np.mean([scores["mrr"].chance for scores in scored.report.sections.values()]),
    }


def joined(runs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    values, groups = zip(*runs, strict=True)
    return np.concatenate(values), np.concatenate(groups)


def summary(found: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    return {name: scored(*answers) for name, answers in found.items()}


def numbers(result: dict[str, Any]) -> str:
    """Return the tables of the README: one a world, best first."""
    parts = []
    for title, world in result["worlds"].items():
        rows = []
        for method, score in world["methods"].items():
            cost = f"{score['cpu_seconds']:.2f}"
            rows.append([method, spread(score["mrr"]), spread(score["hit@1"]), against(score), cost])
        held = round(sum(world["held_out"]) / len(world["held_out"]))
        parts += [
            f"**{title}**: {world['pairs']} pairs, {world['dims'][0]} -> {world['dims'][1]} dimensions, "
            f"{held} held out; chance MRR {world['chance']:.3f}",
            table(["method", "MRR", "P@1", f"less {REFERENCE}, MRR", "CPU s a fit"], rows),
        ]
        if world["refused"]:
            parts.append("Refused: " + "; ".join(f"`{m}`: {why}" for m, why in world["refused"].items()))
    return "\n\n".join(parts)


def against(score: dict[str, Any]) -> str:
    """Return the difference to the reference with its interval, and a mark where it is certain."""
    if "p_holm" not in score:
        return ""
    mark = ""
    if score["p_holm"] < 0.05:
        mark = " +" if score["less_reference"] > 0 else " -"
    return f"{score['less_reference']:+.3f} [{score['less_low']:+.3f}, {score['less_high']:+.3f}]{mark}"


def spread(score: dict[str, float]) -> str:
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"


def figure(result: dict[str, Any]) -> Figure:
    """Return one panel a world: MRR with its interval, and whether it differs from the reference."""
    worlds_ = result["worlds"]
    columns = 2
    lines = -(-len(worlds_) // columns)
    longest = max(len(world["methods"]) for world in worlds_.values())
    drawn = Figure(figsize=(10, lines * (0.9 + 0.2 * longest)), layout="constrained")
    panels = np.atleast_1d(drawn.subplots(lines, columns)).ravel()
    for axes in panels[len(worlds_) :]:
        axes.set_axis_off()
    kinds = {
        "better": ("^", "#009E73", f"better than {REFERENCE}"),
        "worse": ("v", "#D55E00", f"worse than {REFERENCE}"),
        "level": ("o", "#222222", "no certain difference"),
    }
    for axes, (title, world) in zip(panels, worlds_.items(), strict=False):
        for place, score in enumerate(reversed(world["methods"].values())):
            sure = score.get("p_holm", 1.0) < 0.05
            kind = ("better" if score["less_reference"] > 0 else "worse") if sure else "level"
            mrr = score["mrr"]
            ends = [[mrr["value"] - mrr["low"]], [mrr["high"] - mrr["value"]]]
            marker, colour, _ = kinds[kind]
            axes.errorbar(mrr["value"], place, xerr=ends, marker=marker, color=colour, ms=5, lw=1.2)
        axes.axvline(world["chance"], color="#8a8a8a", lw=0.8, ls=":")
        axes.set_yticks(range(len(world["methods"])), list(reversed(world["methods"])), fontsize=8)
        axes.set_xlim(0, 1.02)
        axes.set_xlabel("MRR, both directions (dotted: chance)", fontsize=8)
        axes.set_title(title, loc="left", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    for marker, colour, label in kinds.values():
        panels[0].plot([], [], marker=marker, color=colour, ls="", label=label)
    panels[0].legend(frameon=False, fontsize=7, loc="upper left")
    return drawn


if __name__ == "__main__":
    run(main, __doc__, small="two planted worlds in seconds")
