"""The figure of the audio probes: accuracy by share of training data, confusions and their difference."""

from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STYLES = (("o", "#0072B2", "-"), ("^", "#D55E00", "--"), ("s", "#009E73", "-."), ("D", "#CC79A7", ":"))
NAMED = 12  # classes whose names fit beside a matrix


def figure(result: dict[str, Any]) -> Figure:
    """Return the curves of every set; below, the first set's first two spaces and their difference."""
    sets = result["sets"]
    names = dict.fromkeys(name for held in sets.values() for name in held["spaces"])
    styles = dict(zip(names, cycle(STYLES), strict=False))
    drawn = Figure(figsize=(10.5, 7.4), layout="constrained")
    above, below = drawn.subfigures(2, 1, height_ratios=(1, 1.15))
    for axes, (title, held) in zip(above.subplots(1, len(sets), squeeze=False)[0], sets.items(), strict=True):
        curves(axes, title, held, styles)
    title, held = next(iter(sets.items()))
    matrices = {f"{title}, {name}": each for name, each in list(held["spaces"].items())[:2]}
    matrices |= {f"{title}, {name}": each for name, each in list(held["differences"].items())[:1]}
    for axes, (name, each) in zip(below.subplots(1, 3, sharey=True), matrices.items(), strict=False):
        matrix(below, axes, name, each, held["classes"])
    return drawn


def curves(axes: Axes, title: str, held: dict[str, Any], styles: dict[str, tuple[str, str, str]]) -> None:
    for name, each in held["spaces"].items():
        mark, colour, line = styles[name]
        points = list(each["examples"].values())
        share = [100 * point["share"] for point in points]
        axes.plot(share, [p["value"] for p in points], color=colour, marker=mark, ls=line, label=name)
        axes.fill_between(
            share, [p["low"] for p in points], [p["high"] for p in points], color=colour, alpha=0.15, lw=0
        )
    axes.axhline(points[0]["chance"], color="#8a8a8a", lw=0.8, ls=":", label="chance")
    axes.set_xscale("log", base=2)
    axes.set_xticks(share, [f"{each:.0f}" for each in share])
    axes.minorticks_off()
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("share of the training clips (%)")
    axes.set_ylabel("accuracy (95 % interval)")
    axes.set_title(title, loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)


def matrix(panel: Any, axes: Axes, name: str, each: dict[str, Any], classes: list[str]) -> None:
    """Draw shares of true classes; of a difference the diverging scale, and a dot where it is certain."""
    values = np.array(each["confusion"])
    signed = "p" in each
    reach = float(np.abs(values).max()) or 1.0
    image = axes.imshow(
        values, cmap="PuOr" if signed else "Blues", vmin=-reach if signed else 0, vmax=reach if signed else 1
    )
    if signed:
        sure = np.argwhere(each["certain"])
        axes.plot(sure[:, 1], sure[:, 0], ".", color="#222222", ms=4, ls="")
    if len(classes) <= NAMED:
        axes.set_xticks(range(len(classes)), classes, rotation=90, fontsize=7)
        axes.set_yticks(range(len(classes)), classes, fontsize=7)
    axes.set_xlabel("called")
    axes.set_title(name, loc="left", fontsize=9)
    panel.colorbar(image, ax=axes, shrink=0.75)
