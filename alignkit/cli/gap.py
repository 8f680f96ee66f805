"""``alignkit gap``: measure how far two modalities lie apart in one space."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignkit.cli import _options as options
from alignkit.cli import _sweeping as sweeping
from alignkit.cli._output import check_figure, emit, emit_json, note, write_figure
from alignkit.errors import ParameterError

if TYPE_CHECKING:
    from alignkit.reports import Report
    from alignkit.spaces import Embeddings


def command(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="Embeddings of one modality.")],
    target: Annotated[str, typer.Argument(help="Embeddings of the other, in the same space.")],
    alignment: Annotated[Path | None, typer.Option(help="Measure after this map as well.")] = None,
    pairs: options.Pairs = None,
    unpaired: Annotated[
        bool, typer.Option("--unpaired", help="The rows do not correspond: no pairs at all.")
    ] = False,
    measures: Annotated[
        str,
        typer.Option(
            help="Comma-separated names, or all; without, those that are taken by default. A name that does "
            "not exist lists those that do."
        ),
    ] = "",
    labels: sweeping.Labels = None,
    sample: Annotated[
        int | None,
        typer.Option(
            min=25, help="Rows a side beyond which measures of all pairs of rows take a seeded sample."
        ),
    ] = None,
    curve: Annotated[
        bool, typer.Option(help="Measure smaller samples as well, to see what leans on their size.")
    ] = True,
    seed: Annotated[int, typer.Option(min=0, help="Draws resamples, null levels and samples.")] = 0,
    figure: sweeping.Figure = None,
    sweep: sweeping.Sweep = False,
    fixes: sweeping.Fixes = "",
    lambdas: sweeping.Lambdas = "",
    test: sweeping.Test = sweeping.TEST,
    seeds: sweeping.Seeds = 1,
    group: options.Group = None,
    prompts: sweeping.Prompts = None,
    labelled: sweeping.Labelled = None,
    ids: options.Ids = None,
    trust_pickle: options.TrustPickle = False,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Measure the modality gap with intervals, beside the band of each measure where there is none.

    With --sweep, say instead whether closing the gap helps: every known fix at several strengths.

    Example: `alignkit gap audio.npy text.npy --json`
    """
    sweeping.check_options(context, sweep=sweep)
    check_figure(figure, force=force)
    if sweep:
        found = sweeping.Sides(source, target, pairs, group, ids, trust_pickle).sweep(
            sweeping.Classes(prompts, labels, labelled),
            fixes=fixes,
            lambdas=lambdas,
            measures=measures,
            test=test,
            seeds=range(seed, seed + seeds),
        )
        options.remember(found.context, context)
        sweeping.show(found, figure, force=force, json=json)
        return
    from alignkit.storage import load_alignment
    from alignkit.workflows import measure_gap

    if unpaired:
        _check_unpaired(pairs, group)
    fitted = None if alignment is None else load_alignment(alignment)
    left, right = (options.open_side(path, ids=ids, trust_pickle=trust_pickle) for path in (source, target))
    links = None if unpaired else options.link(left, right, pairs, group)
    report = measure_gap(
        left,
        right,
        pairs=links or False,
        alignment=fitted,
        measures=options.names(measures) or None,
        labels=options.names(labels or ""),
        most=sample,
        curve=curve,
        seed=seed,
    )
    options.remember(report.context, context)
    if figure is not None:
        sides = {"before": left} if fitted is None else {"before": left, "after": fitted.apply(left)}
        _draw(report, sides, right, figure, force=force)
    if links is not None:
        options.note_join(links, pairs)
    _show(report, json=json)


def _check_unpaired(pairs: Path | None, group: str | None) -> None:
    """Raise ParameterError for what says something of pairs where there are none."""
    if pairs is not None:
        raise ParameterError("--unpaired and --pairs contradict each other: leave one of them out.")
    if group is not None:
        raise ParameterError("--group makes pairs one item, and --unpaired has none: leave one of them out.")


def _draw(
    report: "Report", sides: "dict[str, Embeddings]", target: "Embeddings", figure: Path, *, force: bool
) -> None:
    from alignkit.gap_plots import gap_figure

    write_figure(gap_figure(report, sides, target), figure, force=force)
    note(f"written: {figure}")


def _show(report: "Report", *, json: bool) -> None:
    from alignkit.gap_tables import text

    emit_json(report.to_json()) if json else emit(text(report))
    protocol = report.context["protocol"]
    for name, rows in protocol["sampled"].items():
        note(f"{name}: a seeded sample of {rows} rows a side (--sample)")
    for name, reason in protocol["not_measured"].items():
        note(f"{name} was not measured: {reason}")
