"""Reports for a paper: LaTeX, figures, PDF, and the command that makes each again."""

import io
import shlex
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from alignkit.closing._sweep import Sweep
from alignkit.comparison_tables import escaped
from alignkit.plots import FAINT, INK, SOURCE, forest
from alignkit.reports import Report, Score
from alignkit.retrieval.comparison import Comparison
from alignkit.sweep_plots import gap_sweep
from alignkit.tables import heading, number

MOST = 40  # scores of one figure: more is a table


def report_latex(report: Report) -> str:
    r"""Return one ``tabular`` a section for ``booktabs``: value, interval, n, chance, unaligned.

    Examples
    --------
    >>> made = report_latex(Report("eval", {"forward": {"hit@1": Score(0.5, 0.4, 0.6, 10, 0.1)}}))
    >>> made.splitlines()[5]
    'hit@1 & 0.5000 & [0.4000, 0.6000] & 10 & 0.1000 &  \\\\'
    """
    blocks = []
    for section, scores in report.sections.items():
        lines = [
            f"% {' '.join(heading(report, section).split())}; \\usepackage{{booktabs}}",
            r"\begin{tabular}{lrcrrr}",
            r"\toprule",
            r"metric & value & interval & $n$ & chance & unaligned \\",
            r"\midrule",
        ]
        for name, score in scores.items():
            known = score.low is not None and score.high is not None
            ends = f"[{number(score.low)}, {number(score.high)}]" if known else ""
            cells = [
                escaped(name),
                number(score.value),
                ends,
                str(score.n),
                number(score.chance),
                number(score.unaligned),
            ]
            lines.append(" & ".join(cells) + r" \\")
        blocks.append("\n".join([*lines, r"\bottomrule", r"\end{tabular}"]))
    return "\n\n".join(blocks) + "\n"


def figures_of(found: Report | Comparison | Sweep) -> dict[str, Figure]:
    """Return the figures that can be drawn from what was stored, by name.

    Examples
    --------
    >>> list(figures_of(Report("eval", {"forward": {"mrr": Score(0.5, 0.4, 0.6, 10, 0.1)}})))
    ['forward']
    """
    if isinstance(found, Comparison):
        return {"forest": forest(found)}
    if isinstance(found, Sweep):
        return {"sweep": gap_sweep(found)}
    drawn = {name: [*scores.items()][:MOST] for name, scores in found.sections.items() if scores}
    return {name: _scores(scores, heading(found, name)) for name, scores in drawn.items()}


def to_pdf(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PDF file, with letters that can be searched; no date in it."""
    out = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42}):
        figure.savefig(
            out,
            format="pdf",
            transparent=True,
            metadata={"CreationDate": None, "Creator": None, "Producer": None},
        )
    return out.getvalue()


def command_for(found: Report | Comparison | Sweep, name: str) -> str:
    """Return the command that makes a stored result again; empty where its context does not say enough.

    The command line writes its own words into every result. What was made in Python names its sides only,
    so there the command has the default options, and `is_guessed` says so.

    Examples
    --------
    >>> context = {"queries": {"name": "a b.npy"}, "gallery": {"name": "c.npy"}}
    >>> command_for(Report("eval", {}, context), "x.report.json")
    "alignkit eval 'a b.npy' c.npy --json > x.report.json"
    """
    context, out = found.context, shlex.quote(name)
    ending = f"--out {out}" if isinstance(found, Comparison) else f"--json > {out}"
    if not is_guessed(found):
        return f"{shlex.join(map(str, context['command']))} {ending}"
    if isinstance(found, Report) and found.kind == "demo":
        world = context.get("world", "digits")  # reports of the digits once did not say
        return f"alignkit demo --world {world} --seed {context.get('seed', 0)} --out demo-again"
    first, second = (_named(context, names) for names in (("queries", "source"), ("gallery", "target")))
    sides = f"{first} {second}"
    if isinstance(found, Comparison):
        methods = shlex.quote(",".join(found.names))
        return f"alignkit compare {sides} --methods {methods} {ending}"
    if isinstance(found, Sweep):
        return f"alignkit gap {sides} --sweep {ending}"
    if found.kind not in ("eval", "gap"):
        return ""
    through = " --alignment A.alignment" if context.get("frame") in ("joint", "target") else ""
    return f"alignkit {found.kind} {sides}{through} {ending}"


def is_guessed(found: Report | Comparison | Sweep) -> bool:
    """Say whether a result does not hold the words that made it: they are made up from its sides.

    Examples
    --------
    >>> is_guessed(Report("gap", {})), is_guessed(Report("gap", {}, {"command": ["alignkit", "gap"]}))
    (True, False)
    """
    command = found.context.get("command")
    return not (isinstance(command, list) and command)


def _named(context: dict[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        facts = context.get(name)
        if isinstance(facts, dict) and facts.get("name"):
            return shlex.quote(str(facts["name"]))
    return names[-1].upper()


def _scores(scores: list[tuple[str, Score]], title: str) -> Figure:
    """Return one row a score: value, interval, null band in grey, chance dotted; one axis for all."""
    figure = Figure(figsize=(7.2, 1.2 + 0.32 * len(scores)), layout="constrained")
    axes = figure.subplots()
    for height, (_, score) in enumerate(scores):
        if score.chance_low is not None and score.chance_high is not None:
            axes.barh(
                height, score.chance_high - score.chance_low, left=score.chance_low, color=FAINT, alpha=0.35
            )
        elif score.chance is not None:
            axes.plot([score.chance] * 2, [height - 0.35, height + 0.35], color=FAINT, ls=":")
        if score.low is not None and score.high is not None:
            axes.plot([score.low, score.high], [height] * 2, color=SOURCE, lw=2.5, alpha=0.5)
        if np.isfinite(score.value):
            axes.plot(score.value, height, "o", color=SOURCE, ms=5)
    axes.set_yticks(range(len(scores)), [name for name, _ in scores], fontsize=8)
    axes.set_ylim(len(scores) - 0.5, -0.5)
    axes.set_xlabel(
        "value and 95 % interval, each in its own unit; grey: where there is nothing to find", fontsize=8
    )
    axes.set_title(title, loc="left", fontsize=9, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    if any(abs(score.value) > 50 for _, score in scores if np.isfinite(score.value)):
        axes.set_xscale("symlog")
    return figure
