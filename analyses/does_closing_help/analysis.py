"""Does closing the modality gap help retrieval and zero-shot accuracy, and which way of closing it?

python analyses/does_closing_help/analysis.py --out analyses/does_closing_help [--small]
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from _command import run
from _record import circumstances, rounded, table, write
from _towers import World, planted, worlds
from _worlds import FOLDER

from alignkit.closing import FIXES
from alignkit.workflows import sweep_gap

COMMAND = "python analyses/does_closing_help/analysis.py --out analyses/does_closing_help"
TEST = 0.5
GAP = "centroid_distance"
REPEATED = {"unaligned", "exact", "wins", "ties", "losses", "n", "groups", "p"}
SECTIONS = {"forward": "mrr", "backward": "mrr", "zero_shot": "top1_accuracy"}
MARKS = dict(
    zip(
        ("centring", "noise", "one_sided_shift", "procrustes", "shift", "standardization", "whitening"),
        (("o", "#0072B2"), ("s", "#D55E00"), ("^", "#009E73"), ("v", "#CC79A7"), ("D", "#E69F00"),
         ("P", "#56B4E9"), ("X", "#6A3D9A")),
        strict=True,
    )
)  # fmt: skip


def main(out: Path, *, small: bool = False) -> None:
    """Does closing the modality gap help retrieval and zero-shot accuracy, and which way of closing it?"""
    seeds = range(2 if small else 20)
    chosen = {"planted gap": planted} if small or not FOLDER.is_dir() else worlds(FOLDER)
    with threadpool_limits(1):
        found = {title: measured(read(), seeds, small=small) for title, read in chosen.items()}
    result = {
        "question": " ".join((main.__doc__ or "").split()),
        **circumstances(COMMAND),
        "protocol": {
            "held_out": TEST,
            "seeds": list(seeds),
            "fitted": "on the training pairs of each split, by connected component",
            "scored": "held-out rows among held-out rows, cosine; zero-shot as each world says",
            "intervals": "95 %, bootstrap over items, all splits together",
            "tests": "paired sign flips over items against the rows as they are, all splits together; Holm "
            "over all fixes, strengths and metrics of a world",
        },
        "worlds": found,
    }
    write(out, result, numbers(result), figure(result))


def measured(world: World, seeds: range, *, small: bool) -> dict[str, Any]:
    """Return every fix at every strength, the rows as they are first."""
    pairs, labelled = world
    chosen: dict[str, Any] = {"fixes": ["centring", "shift"], "lambdas": [0.5, 1.0]} if small else {}
    sweep = sweep_gap(*pairs.sides, pairs=pairs, labelled=labelled, test=TEST, seeds=seeds, **chosen)
    facts = sweep.context["protocol"]
    return {
        "pairs": len(pairs),
        "digest": pairs.digest(),
        "held_out": sorted({split["held_out"] for split in facts["splits"]}),
        "tests": facts["tests"],
        "zero_shot": facts["zero_shot"] and _classified(facts["zero_shot"]),
        "left_out": facts["left_out"],
        "points": [_compact(point.to_json()) for point in sweep.points],
    }


def _classified(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "rows": facts["rows"]["rows"],
        "held_out_only": facts["rows"]["held_out_only"],
        "classes": facts["classes"],
    }


def _compact(value: Any) -> Any:
    """Return a point with every number to four decimals, p-values to two digits, and without what repeats."""
    if isinstance(value, dict):
        return {
            key: float(f"{each:.2g}") if key == "p_corrected" and each is not None else _compact(each)
            for key, each in value.items()
            if key not in REPEATED
        }
    return rounded(value) if isinstance(value, float) else value


def numbers(result: dict[str, Any]) -> str:
    """Return the tables of the README: one a world, every fix at its full strength."""
    parts = []
    for title, world in result["worlds"].items():
        shown = [world["points"][0], *full_strengths(world)]
        sections = [section for section in SECTIONS if section in shown[0]]
        header = ["fix", "gap", *(f"{section}, {SECTIONS[section]}" for section in sections)]
        header += ["change of hit@1, forward", "backward"]
        rows = [
            [
                name_of(point),
                f"{point['gap'][GAP]['value']:.3f}",
                *(scored(point[section][SECTIONS[section]]) for section in sections),
                *(moved(point[section]["hit@1"]) for section in ("forward", "backward")),
            ]
            for point in shown
        ]
        first = shown[0]
        chance = ", ".join(
            f"{section} {first[section][SECTIONS[section]]['chance']:.3f}" for section in sections
        )
        parts += [
            f"**{title}**: {world['pairs']} pairs, {' or '.join(map(str, world['held_out']))} held out"
            f"{classified(world['zero_shot'])}; chance {chance}",
            table(header, rows),
        ]
        if world["left_out"]:
            parts.append(
                "Left out: " + "; ".join(f"`{fix}`: {why}" for fix, why in world["left_out"].items())
            )
    return "\n\n".join(parts)


def full_strengths(world: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the point of every fix at which it does all that it is meant to do."""
    return [p for p in world["points"][1:] if np.isclose(p["strength"], FIXES.get(p["fix"]).full)]


def name_of(point: dict[str, Any]) -> str:
    return "as they are" if point["fix"] == "as_is" else f"{point['fix']}, λ {point['strength']:g}"


def classified(facts: dict[str, Any] | None) -> str:
    if facts is None:
        return ""
    which = "the held-out rows" if facts["held_out_only"] else f"{facts['rows']} rows of another set"
    return f"; zero-shot: {which} among {facts['classes']} classes"


def scored(score: dict[str, Any]) -> str:
    """Return the score, the change behind it where there is one, and a mark where that is certain."""
    change = score["change"]
    if change is None:
        return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
    mark = ""
    if change["p_corrected"] < 0.05:
        mark = " +" if change["value"] > 0 else " -"
    return f"{score['value']:.3f}, {interval(change)}{mark}"


def moved(score: dict[str, Any]) -> str:
    """Return the change with its interval, and its range over the splits."""
    change = score["change"]
    if change is None:
        return f"{score['value']:.3f}"
    return f"{interval(change)}, splits {change['lowest']:+.3f} to {change['highest']:+.3f}"


def interval(change: dict[str, Any]) -> str:
    return f"{change['value']:+.3f} [{change['low']:+.3f}, {change['high']:+.3f}]"


def figure(result: dict[str, Any]) -> Figure:
    """Return a row of panels a world: both directions and, where there are classes, zero-shot."""
    every = result["worlds"]
    drawn = Figure(figsize=(11.5, 0.6 + 2.9 * len(every)), layout="constrained")
    grid = np.reshape(drawn.subplots(len(every), len(SECTIONS), squeeze=False), (len(every), len(SECTIONS)))
    for row, (title, world) in zip(grid, every.items(), strict=True):
        for axes, (section, metric) in zip(row, SECTIONS.items(), strict=True):
            if section not in world["points"][0]:
                axes.set_axis_off()
                continue
            draw(axes, world["points"], section, metric)
            named = {"forward": title, "backward": "the other way round", "zero_shot": "zero-shot"}
            axes.set_title(named[section], loc="left", fontsize=10)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside upper center", ncols=8, frameon=False, fontsize=8.5)
    return drawn


def draw(axes: Axes, points: list[dict[str, Any]], section: str, metric: str) -> None:
    """Draw a line for each fix through its strengths, from the ring of the rows as they are."""
    start = points[0]
    for fix in dict.fromkeys(point["fix"] for point in points[1:]):
        own = [point for point in points if point["fix"] == fix]
        line = own if any(point["strength"] == 0 for point in own) else [start, *own]
        line = sorted(line, key=lambda point: point["strength"])
        across = [point["gap"][GAP]["value"] for point in line]
        mark, colour = MARKS.get(fix, ("h", "#222222"))
        axes.plot(across, [p[section][metric]["value"] for p in line], color=colour, lw=1.1, alpha=0.8)
        for point in own:
            score, place = point[section][metric], point["gap"][GAP]["value"]
            axes.plot([place] * 2, [score["low"], score["high"]], color=colour, lw=2, alpha=0.25)
            full = np.isclose(point["strength"], FIXES.get(fix).full)
            axes.plot(place, score["value"], mark, color=colour, ms=6.5 if full else 3.5, ls="",
                      label=fix.replace("_", " ") if full else None)  # fmt: skip
    score = start[section][metric]
    axes.axhline(score["value"], color="#8a8a8a", lw=0.8, ls=":")
    axes.plot(start["gap"][GAP]["value"], score["value"], "o", mfc="none", mec="#222222", mew=1.5, ms=9,
              ls="", label="as they are")  # fmt: skip
    axes.set_xlim(left=0)
    axes.set_xlabel("gap left: distance of the two means")
    axes.set_ylabel("MRR" if metric == "mrr" else "accuracy")
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    run(main, __doc__, small="a planted world in seconds")
