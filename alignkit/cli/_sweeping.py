"""The options of ``alignkit gap --sweep``, and what they start."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json, note, write_figure
from alignkit.errors import DataError, ParameterError

if TYPE_CHECKING:
    from alignkit.closing._sweep import Sweep as Found
    from alignkit.spaces import Embeddings
    from alignkit.workflows import LabelledRows

PANEL = "Does closing the gap help?"
TEST = 0.5
# written down, because reading the folder of fixes would make every command start later
FIXES = "centring, noise, one_sided_shift, procrustes, shift, standardization, whitening"
Sweep: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--sweep", help="Fit every fix of the gap on one half, score the other half.", rich_help_panel=PANEL
    ),
]
Fixes: TypeAlias = Annotated[
    str, typer.Option(help=f"Comma-separated; by default all: {FIXES}.", rich_help_panel=PANEL)
]
Lambdas: TypeAlias = Annotated[
    str,
    typer.Option(
        help="Comma-separated strengths in place of each fix's own, as far as it takes them.",
        rich_help_panel=PANEL,
    ),
]
Test: TypeAlias = Annotated[
    float, typer.Option(help="Share of the pairs that is held out.", rich_help_panel=PANEL)
]
Seeds: TypeAlias = Annotated[
    int, typer.Option(min=1, help="How many splits, from --seed upwards.", rich_help_panel=PANEL)
]
Prompts: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Embedded class texts: zero-shot accuracy as well.", rich_help_panel=PANEL),
]
Labels: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Metadata column with the class of each row: for measures that compare classes (several, comma-"
        "separated), and in a sweep for zero-shot accuracy (texts without it are named by their ids).",
    ),
]
Labelled: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Rows to classify, of the source's kind; the held-out source rows by default.",
        rich_help_panel=PANEL,
    ),
]
Figure: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="Draw the two clouds, or in a sweep gap against retrieval: .svg or .png."),
]
# what means nothing unless there is a sweep, and what means nothing to one
OF_SWEEPS = ("fixes", "lambdas", "test", "seeds", "prompts", "labelled")
NOT_OF_SWEEPS = ("alignment", "unpaired", "sample", "curve")


def check_options(context: typer.Context, *, sweep: bool) -> None:
    """Raise ParameterError if an option was given that says nothing with, or nothing without, --sweep."""
    for name in NOT_OF_SWEEPS if sweep else OF_SWEEPS:
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            why = "does not go with --sweep" if sweep else "belongs to --sweep"
            raise ParameterError(f"--{name} {why}: leave one of them out{'' if sweep else ', or give both'}.")


@dataclass(frozen=True, slots=True)
class Classes:
    """Class texts and the classes of rows, as named on the command line."""

    prompts: str | None
    labels: str | None
    labelled: str | None


@dataclass(frozen=True, slots=True)
class Sides:
    """Two sets of embeddings and how they are joined, as named on the command line."""

    source: str
    target: str
    pairs: Path | None
    group: str | None
    ids: str | None
    trust_pickle: bool

    def sweep(
        self, classes: Classes, *, fixes: str, lambdas: str, measures: str, test: float, seeds: range
    ) -> "Found":
        """Sweep over fixes and strengths, and say how many rows joined."""
        from alignkit.workflows import sweep_gap

        left, right = self._open(self.source), self._open(self.target)
        links = options.link(left, right, self.pairs, self.group)
        found = sweep_gap(
            left,
            right,
            pairs=links,
            labelled=self._labelled(classes, left),
            fixes=options.names(fixes) or None,
            lambdas=_numbers(lambdas) or None,
            measures=options.names(measures) or None,
            test=test,
            seeds=seeds,
        )
        options.note_join(links, self.pairs)
        return found

    def _open(self, path: str) -> "Embeddings":
        return options.open_side(path, ids=self.ids, trust_pickle=self.trust_pickle)

    def _labelled(self, named: Classes, source: "Embeddings") -> "LabelledRows | None":
        """Return the rows with their classes and the class texts, where they are asked for."""
        from alignkit.workflows import LabelledRows

        if named == Classes(None, None, None):
            return None
        if named.prompts is None or named.labels is None:
            raise ParameterError(
                "zero-shot accuracy needs class texts and classes: give --prompts and --labels."
            )
        texts = self._open(named.prompts)
        rows = None if named.labelled is None else self._open(named.labelled)
        if named.labels in texts.items.column_names:
            classes = texts.items[named.labels].to_pylist()
        elif texts.has_ids:
            classes = texts.ids.to_pylist()
        else:
            raise DataError(
                f"{texts.name} has neither ids nor a column {named.labels!r} that name its classes: add one."
            )
        labels = (rows or source).column(named.labels, "with classes").to_pylist()
        return LabelledRows(labels, texts, classes, rows)


def show(found: "Found", figure: Path | None, *, force: bool, json: bool) -> None:
    """Print what was found, and draw it where asked."""
    from alignkit.sweep_tables import text

    if figure is not None:
        from alignkit.sweep_plots import gap_sweep

        write_figure(gap_sweep(found), figure, force=force)
        note(f"written: {figure}")
    emit_json(found.to_json()) if json else emit(text(found))
    for name, why in found.context["protocol"]["left_out"].items() if json else ():
        note(f"warning: {name} was left out: {why}")


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in options.names(text))
    except ValueError as error:
        raise ParameterError(f"--lambdas {text}: write numbers, like 0.25,0.5,1.") from error
