"""Nine tools score the same embeddings: which numbers differ, and why?

python analyses/tools_disagree/analysis.py --out analyses/tools_disagree [--small]
"""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))
from _command import run
from _record import circumstances, rounded, table, write
from _worlds import FOLDER, flickr, worlds

from alignkit.duplicates import duplicate_labels
from alignkit.errors import AlignkitError
from alignkit.retrieval.explain import explain
from alignkit.retrieval.like import TOOLS
from alignkit.row_products import row_products
from alignkit.workflows import Protocol, evaluate_scores

COMMAND = "python analyses/tools_disagree/analysis.py --out analyses/tools_disagree"
CAPTIONS = 5
ORDERS = 10  # of the gallery's rows
OURS = ("mrr", "hit@1", "recall@1", "recall@5", "map@10", "mean_rank")
# what each tool prints of a direction in which the rows ask, in its own words
FIGURES = {
    "clip_benchmark": ("image_retrieval_recall@1", "image_retrieval_recall@5"),
    "laion_clap": (
        "audio_to_text_R@1",
        "audio_to_text_R@5",
        "audio_to_text_mAP@10",
        "audio_to_text_mean_rank",
    ),
    "muse": ("precision_at_1-nn", "precision_at_5-nn", "precision_at_1-csls_knn_10"),
    "open_clip": ("image_to_text_R@1", "image_to_text_R@5", "image_to_text_mean_rank"),
    "ranx": ("mrr", "recall@1", "recall@5", "map@10"),
    "sentence_transformers": ("mrr@10", "accuracy@5", "recall@5", "map@100"),
    "torchmetrics": ("mrr", "recall", "map"),
    "trec_eval": ("recip_rank", "recall_5", "map_cut_10"),
    "vecmap": ("accuracy-nn", "accuracy-csls"),
}
COLOURS = {
    "none": "#999999",
    "ties": "#0072B2",
    "another quantity": "#D55E00",
    "norm of average precision": "#CC79A7",
    "scores adjusted": "#009E73",
    "scores of 0 or less": "#E69F00",
}
MARKS = dict(zip(COLOURS, "xDs^vP", strict=True))


@dataclass(frozen=True, slots=True)
class World:
    """Scores of queries (rows) with items (columns), what is relevant, and how many items are copies."""

    scores: np.ndarray
    relevance: np.ndarray
    copies: int
    digest: str

    @property
    def parallel(self) -> bool:
        """Whether row i and column i belong together, and nothing else."""
        return np.array_equal(self.relevance, np.eye(*self.relevance.shape))


def main(out: Path, *, small: bool = False) -> None:
    """Nine tools score the same embeddings: which numbers differ, and why?"""
    with threadpool_limits(1):
        made = planted() if small or not FOLDER.is_dir() else real()
        orders = 2 if small else ORDERS
        found = {title: measured(world, orders) for title, world in made.items()}
    result = {
        "question": " ".join((main.__doc__ or "").split()),
        **circumstances(COMMAND),
        "protocol": {
            "scores": "cosine in float64, pair by pair, stored as float32: equal rows tie exactly",
            "tools": {name: TOOLS.get(name).card.compared_with for name in FIGURES},
            "orders": f"{orders} orders of the gallery's rows; queries go with them where rows are parallel",
            "ours": "alignkit's figure of the name that a reader takes the tool's for; ties by expectation",
        },
        "worlds": found,
    }
    write(out, result, numbers(result), figure(result))


def real() -> dict[str, World]:
    """Return photos and captions of Flickr8k in three askings, and AudioCaps with its copied clips."""
    captions, images, image = flickr(FOLDER)
    clips = worlds(FOLDER)["AudioCaps CLAP audio -> text"]()
    return {
        **askings("Flickr8k", captions.array(), images.array(), image),
        "AudioCaps captions -> clips": world(
            clips.target.array(), clips.source.array(), np.eye(len(clips), dtype=int)
        ),
    }


def planted() -> dict[str, World]:
    """Return pictures with five captions each, and clips of which a quarter are copies."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(24, 6)).astype(np.float32)
    image = np.repeat(np.arange(24), CAPTIONS)
    captions = images[image] + rng.normal(size=(24 * CAPTIONS, 6)).astype(np.float32)
    clips = rng.normal(size=(40, 6)).astype(np.float32)
    clips[:10] = clips[10:20]
    told = clips + rng.normal(size=clips.shape).astype(np.float32)
    return {
        **askings("planted", captions, images, image),
        "planted captions -> clips": world(told, clips, np.eye(40, dtype=int)),
    }


def askings(name: str, captions: np.ndarray, images: np.ndarray, image: np.ndarray) -> dict[str, World]:
    """Return images asking for captions, captions for images, and both repeated to stand in parallel."""
    right = (image == np.arange(len(images))[:, None]).astype(int)
    return {
        f"{name} photos -> captions": world(images, captions, right),
        f"{name} captions -> photos": world(captions, images, right.T.copy()),
        f"{name} captions -> photos, in parallel": world(
            captions, images[image], np.eye(len(captions), dtype=int)
        ),
    }


def world(asking: np.ndarray, asked: np.ndarray, relevance: np.ndarray) -> World:
    n, g = relevance.shape
    lengths = [np.sqrt(row_products(side, np.arange(len(side)), side, np.arange(len(side))))
               for side in (asking, asked)]  # fmt: skip
    products = row_products(asking, np.repeat(np.arange(n), g), asked, np.tile(np.arange(g), n))
    scores = products.reshape(n, g) / (lengths[0][:, None] * lengths[1])
    labels = duplicate_labels(asked)
    state = hashlib.sha256(np.ascontiguousarray(asking).data)
    state.update(np.ascontiguousarray(asked).data)
    copies = int((labels != np.arange(g)).sum())
    return World(scores.astype(np.float32), relevance, copies, f"sha256:{state.hexdigest()}")


def measured(world: World, orders: int) -> dict[str, Any]:
    """Return every tool's figures with their causes and their range over orders of the rows."""
    n, g = world.scores.shape
    found: dict[str, Any] = {
        "queries": n,
        "items": g,
        "positives": int(world.relevance.sum()),
        "copied_items": world.copies,
        "digest": world.digest,
        "ours_moves": float(f"{movement(world, orders):.1g}"),
        "figures": [],
        "refused": {},
    }
    for name, figures in FIGURES.items():
        try:
            found["figures"] += of_tool(name, figures, world, orders)
        except AlignkitError as error:
            found["refused"][name] = str(error)
    return found


def movement(world: World, orders: int) -> float:
    """Return by how much alignkit's own figures differ between orders of the rows, at most."""
    protocol = Protocol(metrics=OURS, resamples=0)
    given = [(world.scores, world.relevance), *(reordered(world, seed) for seed in range(orders))]
    reports = [evaluate_scores(*each, protocol=protocol).report.sections["forward"] for each in given]
    return max(float(np.ptp([report[name].value for report in reports])) for name in OURS)


def of_tool(name: str, figures: tuple[str, ...], world: World, orders: int) -> list[dict[str, Any]]:
    tool = TOOLS.get(name)()
    values = tool.score(world.scores, world.relevance, figures)
    causes = explain(world.scores, world.relevance, tool, metrics=figures)
    moved = [tool.score(*reordered(world, seed), figures) for seed in range(orders)]
    scored = []
    for each in figures:
        mine = [finding for finding in causes if finding.metric == each]
        value = values[each]
        spread = [other[each] for other in moved] + [value]
        scored.append(
            {
                "tool": name,
                "figure": each,
                "value": rounded(value),
                "lowest": rounded(min(spread)),
                "highest": rounded(max(spread)),
                "read_as": tool.figure(each).label,
                "ours": rounded(mine[0].ours if mine else value),
                "causes": [
                    {"cause": f.cause, "step": rounded(f.step), "queries": f.queries, "why": f.why}
                    for f in mine
                ],
            }
        )
    return scored


def reordered(world: World, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the same scores with the items in another order; what is parallel stays so."""
    rng = np.random.default_rng(seed)
    columns = rng.permutation(world.scores.shape[1])
    rows = columns if world.parallel else np.arange(len(world.scores))
    return world.scores[rows][:, columns], world.relevance[rows][:, columns]


def numbers(result: dict[str, Any]) -> str:
    """Return the tables of the README."""
    parts = []
    for title, found in result["worlds"].items():
        parts.append(
            f"**{title}** ({found['queries']} queries, {found['items']} items, of which "
            f"{found['copied_items']} are copies of others, {found['positives']} pairs):"
        )
        rows = [
            [
                f"{f['tool']} `{f['figure']}`",
                f"{f['value']:.3f}",
                "" if f["highest"] == f["lowest"] else f"{f['lowest']:.3f} to {f['highest']:.3f}",
                f"`{f['read_as']}` {f['ours']:.3f}",
                "; ".join(f"{c['cause']} {c['step']:+.3f} ({c['queries']})" for c in f["causes"]) or "agrees",
            ]
            for f in found["figures"]
        ]
        parts.append(
            table(
                ["figure", "value", "in other orders of the rows", "read as", "causes: share (queries)"], rows
            )
        )
        if found["refused"]:
            names = " and ".join(found["refused"])
            parts.append(f"Not here, since they take other layouts of pairs only: {names}.")
        parts.append(
            f"Between the orders of the rows alignkit's own {', '.join(OURS)} differ by "
            f"{found['ours_moves']:g} at most."
        )
    return "\n\n".join(parts)


def figure(result: dict[str, Any]) -> Figure:
    """Return one panel a world: each figure beside what it is read as, coloured by its largest cause."""
    drawn = Figure(figsize=(12, 9.5), layout="constrained")
    panels = drawn.subplots(2, 2)
    for axes, (title, found) in zip(panels.flat, result["worlds"].items(), strict=True):
        draw(axes, title, [f for f in found["figures"] if "mean_rank" not in f["figure"]])
    handles, labels = panels.flat[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return drawn


def draw(axes: Axes, title: str, figures: list[dict[str, Any]]) -> None:
    names = []
    for place, f in enumerate(reversed(figures)):
        scale = 100 if f["tool"] == "muse" else 1  # MUSE gives per cent
        names.append(f"{f['tool']} {f['figure']}{' / 100' if scale > 1 else ''}")
        causes = [c for c in f["causes"] if c["cause"] != "scale"]
        largest = max(causes, key=lambda c: abs(c["step"]))["cause"] if causes else "none"
        colour = COLOURS[largest]
        value, low, high = (f[end] / scale for end in ("value", "lowest", "highest"))
        axes.plot([f["ours"], value], [place, place], color=colour, lw=1)
        axes.plot([low, high], [place, place], color=colour, lw=5, alpha=0.35, solid_capstyle="butt")
        axes.plot(f["ours"], place, marker="o", mfc="none", color="#222222", ls="none")
        axes.plot(value, place, marker=MARKS[largest], color=colour, ls="none", ms=5)
    for cause, colour in COLOURS.items():
        label = f"tool, differs by {cause}" if cause != "none" else "tool, no difference"
        axes.plot([], [], marker=MARKS[cause], ls="none", color=colour, ms=5, label=label)
    axes.plot([], [], marker="o", ls="none", mfc="none", color="#222222", label="alignkit, same name")
    axes.set_yticks(range(len(figures)), names, fontsize=7)
    axes.set_xlim(0, 1.25)
    axes.set_xlabel("value (bar: over orders of the rows)", fontsize=8)
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    run(main, __doc__, small="planted worlds in seconds")
