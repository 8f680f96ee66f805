"""Figures of probes: curves over the number of examples, and confusion matrices or their difference."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

from alignkit.plots import FAINT, INK, LINES, PALETTE, _figure
from alignkit.probes.confusion import Confusion
from alignkit.probes.few_shot import FewShotCurve

MARKS = ("o", "^", "s", "D", "v", "P")
MOST_NAMED = 60  # classes whose names still fit beside a matrix


def few_shot_figure(curves: Mapping[str, FewShotCurve], *, metric: str = "accuracy") -> Figure:
    """Return a line a curve over the number of examples of each class, with its interval; chance dotted.

    References
    ----------
    Wu et al. (2022), *Wav2CLIP*, figure 2.
    """
    figure, (axes,) = _figure(1, (7.2, 3.9))
    styles = cycle(zip(PALETTE, LINES, MARKS, strict=True))
    for (name, curve), (colour, line, mark) in zip(curves.items(), styles, strict=False):
        shots = [point.shots for point in curve.points]
        scores = [point.scores[metric] for point in curve.points]
        axes.plot(shots, [s.value for s in scores], color=colour, ls=line, marker=mark, label=name)
        if all(score.low is not None for score in scores):
            low, high = ([float(getattr(s, end) or 0) for s in scores] for end in ("low", "high"))
            axes.fill_between(shots, low, high, color=colour, alpha=0.15, lw=0)
        axes.axhline(scores[0].chance or 0.0, color=FAINT, ls=":", lw=1.2)
    every = sorted({point.shots for curve in curves.values() for point in curve.points})
    axes.set_xscale("log", base=2)
    axes.set_xticks(every, list(map(str, every)))
    axes.minorticks_off()
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("examples of each class (log scale)")
    axes.set_ylabel(f"{metric.replace('_', ' ')} (95 % interval; dotted: chance)")
    axes.legend(frameon=False, labelcolor=INK, fontsize=9)
    return figure


def confusion_figure(confusion: Confusion, *, title: str = "") -> Figure:
    """Return the matrix, true classes down and called ones across; a difference has zero in the middle.

    A difference is drawn in purple where the first calls more often and in orange where the second does, with
    a dot in cells whose interval leaves zero out; cells of classes without a row stay empty.

    References
    ----------
    Wu et al. (2022), *Wav2CLIP*, figure 3.
    """
    size = 2.6 + 0.16 * min(len(confusion.classes), MOST_NAMED)
    figure, (axes,) = _figure(1, (size + 1.2, size))
    signed = bool(np.nanmin(confusion.value) < 0)
    reach = float(np.nanmax(np.abs(confusion.value))) if signed else 1.0
    limits = (-reach if signed else 0.0, reach)
    image = axes.imshow(confusion.value, cmap="PuOr" if signed else "Blues", vmin=limits[0], vmax=limits[1])
    if signed:
        sure = np.argwhere((confusion.low > 0) | (confusion.high < 0))
        axes.plot(sure[:, 1], sure[:, 0], ".", color=INK, ms=3, ls="")
    if len(confusion.classes) <= MOST_NAMED:
        places, names = range(len(confusion.classes)), list(map(str, confusion.classes))
        axes.set_xticks(places, names, rotation=90, fontsize=6)
        axes.set_yticks(places, names, fontsize=6)
    axes.set_xlabel("called")
    axes.set_ylabel("true")
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    what = "first less second" if signed else "share"
    figure.colorbar(image, ax=axes, label=f"{what} of the true class's rows")
    return figure
