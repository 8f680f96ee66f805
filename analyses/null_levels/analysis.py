"""What does each measure of the modality gap report where there is no gap, and does it say so itself?

python analyses/null_levels/analysis.py --out analyses/null_levels [--small]
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))
from _command import run
from _record import circumstances, rounded, table, write
from _worlds import FOLDER

from alignkit import Embeddings, Pairs, measure_gap

COMMAND = "python analyses/null_levels/analysis.py --out analyses/null_levels"
SIZES = (25, 50, 100, 250)
Draw: TypeAlias = Callable[[int, int], tuple[np.ndarray, np.ndarray]]  # rows a side, seed: two sides
STYLES = {
    "one Gaussian cloud": ("o", "#0072B2"),
    "CLIP images": ("s", "#009E73"),
    "CLIP captions": ("^", "#56B4E9"),
    "CLIP images against captions": ("D", "#D55E00"),
}


def main(out: Path, *, small: bool = False) -> None:
    """What does each measure of the modality gap report where there is no gap, and does it say so itself?"""
    seeds, sizes = (range(2), (25,)) if small else (range(10), SIZES)
    chosen = planted() if small or not FOLDER.is_dir() else planted() | real(FOLDER)
    with threadpool_limits(1):
        found = {title: measured(draw, seeds, sizes) for title, (draw, _) in chosen.items()}
    result = {
        "question": " ".join((main.__doc__ or "").split()),
        **circumstances(COMMAND),
        "protocol": {
            "sizes": list(sizes),
            "seeds": list(seeds),
            "rows": "two disjoint samples of one cloud, row i of one against row i of the other; where there "
            "is a gap, images against their own captions",
            "without_gap": [title for title, (_, gap) in chosen.items() if not gap],
            "measures": "every measure that `alignkit gap` takes where none is named",
        },
        "worlds": found,
    }
    write(out, result, numbers(result), figure(result))


def planted() -> dict[str, tuple[Draw, bool]]:
    """Return two samples of one Gaussian cloud of 512 dimensions."""

    def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rows = np.random.default_rng(seed).normal(size=(2 * n, 512))
        return rows[:n], rows[n:]

    return {"one Gaussian cloud": (draw, False)}


def real(data: Path) -> dict[str, tuple[Draw, bool]]:
    """Return samples of one modality of CLIP ViT-B/16, twice; and of both, which do lie apart."""
    images, captions = np.load(data / "modality_gap" / "features_clip.npy")

    def halves(rows: np.ndarray) -> Draw:
        def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
            order = np.random.default_rng(seed).permutation(len(rows))
            return rows[order[:n]], rows[order[n : 2 * n]]

        return draw

    def partners(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        order = np.random.default_rng(seed).permutation(len(images))[:n]
        return images[order], captions[order]

    return {
        "CLIP images": (halves(images), False),
        "CLIP captions": (halves(captions), False),
        "CLIP images against captions": (partners, True),
    }


def measured(draw: Draw, seeds: range, sizes: tuple[int, ...]) -> dict[str, Any]:
    """Return for each measure and size its mean and range over the seeds, and what it says of itself."""
    found: dict[str, dict[str, Any]] = {}
    for n in sizes:
        reports = []
        for seed in seeds:
            one, other = (Embeddings(side) for side in draw(n, seed))
            reports.append(
                measure_gap(one, other, pairs=Pairs.by_id(one, other), seed=seed).sections["measures"]
            )
        for name in reports[0]:
            found.setdefault(name, {})[str(n)] = summary([report[name] for report in reports])
    return found


def summary(scores: list[Any]) -> dict[str, float | None]:
    """Return mean and range of the values, the level stated, and how often interval and band hold."""
    values = [score.value for score in scores]
    levels = [score.chance for score in scores if score.chance is not None]
    held = [s.low <= s.chance <= s.high for s in scores if None not in (s.low, s.high, s.chance)]
    inside = [s.chance_low <= s.value <= s.chance_high for s in scores if s.chance_low is not None]
    return {
        "value": rounded(np.mean(values)),
        "lowest": rounded(min(values)),
        "highest": rounded(max(values)),
        "level": rounded(np.mean(levels)) if levels else None,
        "held": rounded(np.mean(held)) if held else None,
        "inside": rounded(np.mean(inside)) if inside else None,
    }


def numbers(result: dict[str, Any]) -> str:
    """Return one table a world: measures by sizes, each with the level that it states."""
    parts = []
    for title, world in result["worlds"].items():
        sizes = [str(n) for n in result["protocol"]["sizes"]]
        kind = "no gap" if title in result["protocol"]["without_gap"] else "a gap"
        rows = [[f"`{name}`", *(cell(found.get(n)) for n in sizes)] for name, found in world.items()]
        parts += [f"**{title}** ({kind})", table(["measure", *(f"{n} rows a side" for n in sizes)], rows)]
    return "\n\n".join(parts)


def cell(found: dict[str, Any] | None) -> str:
    """Return the mean, the level stated beside it, and how often the null band held the value."""
    if found is None:
        return ""
    text = f"{found['value']:.3f}"
    if found["level"] is not None:
        text += f" (level {found['level']:.3f}"
        text += ")" if found["inside"] is None else f", within {100 * found['inside']:.0f} %)"
    return text


def figure(result: dict[str, Any]) -> Figure:
    """Return one panel a measure (its first part): values of every world by size, the level stated dotted."""
    every = result["worlds"]
    first = {name.partition(".")[0]: name for world in every.values() for name in reversed(world)}
    names = sorted(first.values())
    columns = min(5, len(names))
    rows = -(-len(names) // columns)
    drawn = Figure(figsize=(3.1 * columns, 0.7 + 2.6 * rows), layout="constrained")
    panels = np.ravel(drawn.subplots(rows, columns, squeeze=False))
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    for axes, name in zip(panels, names, strict=False):
        for title, world in every.items():
            mark, colour = STYLES[title]
            found = {int(n): each for n, each in world.get(name, {}).items()}
            if not found:
                continue  # a measure may refuse
            values = [each["value"] for each in found.values()]
            ends = np.array([[each["lowest"], each["highest"]] for each in found.values()]).T
            axes.errorbar(list(found), values, np.abs(ends - values), marker=mark, color=colour, ms=4.5,
                          lw=1.1, label=title)  # fmt: skip
            levels = [each["level"] for each in found.values()]
            if None not in levels:
                axes.plot(list(found), levels, ls=":", color=colour, lw=1.3)
        axes.set_xscale("log")
        axes.set_xticks(sorted({int(n) for world in every.values() for n in world.get(name, {})}))
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.minorticks_off()
        axes.set_title(name, loc="left", fontsize=9)
        axes.set_xlabel("rows a side", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    drawn.legend(
        handles, labels, loc="outside upper left", ncols=4, frameon=False, fontsize=8.5,
        title="dotted: the level that each states for no gap", title_fontsize=8, alignment="left",
    )  # fmt: skip
    return drawn


if __name__ == "__main__":
    run(main, __doc__, small="a planted world in seconds")
