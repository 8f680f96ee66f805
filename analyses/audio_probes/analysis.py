"""How many examples does a linear probe need in each audio space, and which classes does it confuse?

python analyses/audio_probes/analysis.py --out analyses/audio_probes [--small] [--space NAME=PATH ...]
"""

import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from _audio_figure import figure
from _command import run
from _record import circumstances, rounded, table, write
from _sets import LabelledSet, real_sets, small_sets
from _worlds import FOLDER

from alignkit import Embeddings, Score, probe, probe_difference, probe_few
from alignkit.probes.confusion import Confusion, confusion
from alignkit.probes.cross_fit import SCALES, Recipe
from alignkit.probes.few_shot import Shots
from alignkit.probes.resampling import Resampling
from alignkit.workflows import Columns
from alignkit.workflows.probing import Probed

COMMAND = "python analyses/audio_probes/analysis.py --out analyses/audio_probes"
COLUMNS = Columns(group="recording")
SHOWN = 5  # confusions of a table
TRIED = (10.0, 1.0, 0.1, 0.01, 0.001)  # penalties of the grid, per row of unit length
STANDARD = 1000.0  # times as large where dimensions have unit variance


def main(out: Path, *, small: bool = False, space: Sequence[str] = ()) -> None:
    """How many examples does a linear probe need in each audio space, and which classes does it confuse?"""
    planted = small or not FOLDER.is_dir()
    sets = small_sets() if planted else real_sets(FOLDER, space)
    shots = Shots((1, 4, 8), draws=2) if planted else Shots((1, 2, 4, 8, 16, 32))
    resampling = Resampling(resamples=200 if planted else 2000)
    result = {
        "question": main.__doc__,
        **circumstances(" ".join([COMMAND, *(f"--space {each}" for each in space)])),
        "protocol": {
            "folds": "the five of the data set; each is scored by a fit to the others",
            "probe": "logistic regression on rows of unit length; penalty by inner folds of these others",
            "examples": f"so many of each class, {shots.draws} draws in each fold, penalty 0.1 for all",
            "intervals": "95 %, recordings drawn whole; of examples: over draws and recordings",
        },
        "sets": {title: examined(held, shots, resampling) for title, held in sets.items()},
        "recipes": recipes(next(iter(sets.values())), resampling),
    }
    write(out, result, numbers(result), figure(result))


def examined(held: LabelledSet, shots: Shots, resampling: Resampling) -> dict[str, Any]:
    """Return every space's probe, curve and confusions on one set, and the differences of all pairs."""
    options: dict[str, Any] = {"columns": COLUMNS, "resampling": resampling}
    probed = {name: probe(rows, **options) for name, rows in held.spaces.items()}
    first = next(iter(held.spaces.values()))
    most = fewest_to_train_on(first)
    return {
        "clips": len(first),
        "recordings": len(set(first.items["recording"].to_pylist())),
        "classes": list(map(str, next(iter(probed.values())).result.targets.classes)),
        "lacking": list(held.lacking),
        "spaces": {
            name: {
                **probe_facts(each, resampling),
                "examples": curve(held.spaces[name], shots, most, options),
            }
            for name, each in probed.items()
        },
        "differences": {
            f"{one} less {other}": difference(probed[one], probed[other], resampling)
            for one, other in combinations(probed, 2)
        },
    }


def fewest_to_train_on(rows: Embeddings) -> int:
    """Return how many clips of a class lie beside the fold that leaves the fewest."""
    labels, folds = (rows.items[name].to_pylist() for name in ("label", "fold"))
    return min(
        sum(label == name and fold != out for label, fold in zip(labels, folds, strict=True))
        for name in set(labels)
        for out in set(folds)
    )


def probe_facts(probed: Probed, resampling: Resampling) -> dict[str, Any]:
    result = probed.result
    confused = confusion(result.targets, result.class_scores, groups=probed.groups, resampling=resampling)
    return {
        "accuracy": shown(probed.report.sections["probe"]["accuracy"]),
        "penalties": probed.report.context["protocol"]["chosen"],
        "warnings": probed.report.context["protocol"]["warnings"],
        **cells(confused),
    }


def curve(rows: Embeddings, shots: Shots, most: int, options: dict[str, Any]) -> dict[str, Any]:
    """Return accuracy by the number of examples of each class; ``share`` is of all that training has."""
    points = probe_few(rows, shots, **options).curve.points
    return {
        str(point.shots): {
            "share": rounded(point.shots / most),
            **shown(point.scores["accuracy"]),
            "draws": [rounded(value) for value in point.by_seed["accuracy"]],
        }
        for point in points
    }


def difference(one: Probed, other: Probed, resampling: Resampling) -> dict[str, Any]:
    found = probe_difference(one, other, resampling=resampling)
    accuracy = found.report.sections["difference"]["accuracy"]
    p = float(f"{found.report.context['test']['p']:.2g}")
    return {"accuracy": shown(accuracy), "p": p, **cells(found.confusion)}


def cells(found: Confusion) -> dict[str, Any]:
    """Return a matrix, where its intervals leave zero out, and its largest entries beside the diagonal."""
    return {
        "confusion": [[rounded(value) for value in row] for row in found.value],
        "certain": ((found.low > 0) | (found.high < 0)).astype(int).tolist(),
        "most_confused": [[str(t), str(c), *map(rounded, v)] for t, c, *v in found.most_confused(SHOWN)],
    }


def shown(score: Score) -> dict[str, float]:
    return {name: rounded(getattr(score, name) or 0.0) for name in ("value", "low", "high", "chance")}


def recipes(held: LabelledSet, resampling: Resampling) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the accuracy of every space under every scale, with each penalty and with the chosen one."""
    found: dict[str, Any] = {name: {} for name in held.spaces}
    for name, rows in held.spaces.items():
        for scale in SCALES:
            factor = STANDARD if scale == "standard" else 1.0
            grid = tuple(factor * penalty for penalty in TRIED)
            chosen = accuracy_of(rows, Recipe(grid, scale=scale), resampling)
            found[name][scale] = {"chosen": shown(chosen)}
            for penalty in grid:
                each = accuracy_of(rows, Recipe((penalty,), scale=scale), Resampling(resamples=0))
                found[name][scale][f"{penalty:g}"] = rounded(each.value)
    return found


def accuracy_of(rows: Embeddings, recipe: Recipe, resampling: Resampling) -> Score:
    probed = probe(rows, columns=COLUMNS, recipe=recipe, resampling=resampling)
    return probed.report.sections["probe"]["accuracy"]


def numbers(result: dict[str, Any]) -> str:
    """Return the tables of the README: curves, probes and differences of each set, then the recipes."""
    parts = []
    for title, held in result["sets"].items():
        lacking = f" Not in it: {', '.join(held['lacking'])}." if held["lacking"] else ""
        parts.append(
            f"**{title}**: {held['clips']:,} clips of {held['recordings']:,} recordings, "
            f"{len(held['classes'])} classes.{lacking}"
        )
        spaces = held["spaces"]
        first = next(iter(spaces.values()))
        rows = [
            [
                f"{shots} ({point['share']:.0%})",
                *(spread(each["examples"][shots]) for each in spaces.values()),
            ]
            for shots, point in first["examples"].items()
        ]
        rows.append(["all, penalty chosen", *(spread(each["accuracy"]) for each in spaces.values())])
        parts.append(table([f"examples a class (chance {first['accuracy']['chance']:.3f})", *spaces], rows))
        parts.append(confusions(held))
    return "\n\n".join([*parts, *recipe_tables(result)])


def confusions(held: dict[str, Any]) -> str:
    rows = [
        [f"{name}: {true} called {called}", f"{value:.3f} [{low:.3f}, {high:.3f}]", ""]
        for name, each in held["spaces"].items()
        for true, called, value, low, high in each["most_confused"]
    ]
    for name, each in held["differences"].items():
        rows.append([f"**{name}**: accuracy", spread(each["accuracy"], signed=True), f"{each['p']:.2g}"])
        rows += [
            [f"{name}: {true} called {called}", f"{value:+.3f} [{low:+.3f}, {high:+.3f}]", ""]
            for true, called, value, low, high in each["most_confused"]
        ]
    return table(["confusion", "share of the true class", "p"], rows)


def recipe_tables(result: dict[str, Any]) -> list[str]:
    """Return accuracy by scale and penalty on the first set."""
    parts = [f"**Recipes on {next(iter(result['sets']))}**: accuracy by scale and penalty, every cell."]
    for name, scales in result["recipes"].items():
        rows = [
            [scale, spread(cells["chosen"]), *(f"{v:.4f}" for way, v in cells.items() if way != "chosen")]
            for scale, cells in scales.items()
        ]
        columns = [f"{name}, scale", "chosen", *(f"{penalty:g} (x)" for penalty in TRIED)]
        parts.append(table(columns, rows))
    parts.append(f"(x): times {STANDARD:g} where the scale is standard.")
    return parts


def spread(score: dict[str, float], *, signed: bool = False) -> str:
    form = "+.3f" if signed else ".3f"
    return f"{score['value']:{form}} [{score['low']:{form}}, {score['high']:{form}}]"


if __name__ == "__main__":
    others = {"action": "append", "default": [], "metavar": "NAME=PATH"}
    others["help"] = "another space of the same clips, ids being their file names; may be repeated"
    run(main, __doc__, small="planted clips in seconds", options={"--space": others})
