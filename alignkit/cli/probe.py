"""``alignkit probe``: what frozen embeddings know, by class texts, by classifiers and frame by frame."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import check_figure, emit, emit_json, note, write_figure, write_text

TEXTS, EXAMPLES, OTHER, EVENTS, OUTPUT = (
    *("Zero-shot", "A few examples", "Two encoders", "Sound events", "Output"),
)


def command(
    context: typer.Context,
    rows: Annotated[
        str, typer.Argument(help="Embeddings of labelled items, or of frames for --method events.")
    ],
    method: Annotated[
        Literal["zero-shot", "linear", "mlp", "events"],
        typer.Option(help="Class texts; a classifier across folds; or a linear one of frames, for events."),
    ] = "linear",
    labels: Annotated[
        str, typer.Option(help="Column with the class of each row; or a file: labels.txt, table.csv::column.")
    ] = "label",
    folds: Annotated[
        str, typer.Option(help="Column, or file, with the data set's own fold of each row.")
    ] = "fold",
    group: Annotated[
        str | None,
        typer.Option(help="Column, or file, that names the recording of each row; drawn whole in intervals."),
    ] = None,
    penalties: Annotated[
        str | None,
        typer.Option(help="Comma-separated weights of the penalty; one is chosen on the training folds."),
    ] = None,
    scale: Annotated[
        Literal["unit", "root-unit", "standard", "none"],
        typer.Option(help="What is done to rows before a fit; root-unit suits activations."),
    ] = "unit",
    prompts: Annotated[
        str | None,
        typer.Option(help="Embedded class texts, in any order, one or more a class.", rich_help_panel=TEXTS),
    ] = None,
    prompt_labels: Annotated[
        str,
        typer.Option(
            help="Column, or file, with the class of each text; their ids where there is none.",
            rich_help_panel=TEXTS,
        ),
    ] = "label",
    alignment: Annotated[
        Path | None,
        typer.Option(help="Take ROWS to the class texts through this map.", rich_help_panel=TEXTS),
    ] = None,
    shots: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated numbers of examples of each class, like 1,2,4,8: a curve.",
            rich_help_panel=EXAMPLES,
        ),
    ] = None,
    draws: Annotated[
        int, typer.Option(min=1, help="How often examples are drawn anew.", rich_help_panel=EXAMPLES)
    ] = 5,
    against: Annotated[
        str | None,
        typer.Option(
            help="Another encoder's embeddings of the same items, by id: test the difference.",
            rich_help_panel=OTHER,
        ),
    ] = None,
    against_prompts: Annotated[
        str | None,
        typer.Option(help="Its class texts, where they are not --prompts.", rich_help_panel=OTHER),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            help="CSV, TSV or parquet of annotated events: clip, onset, offset, label (or DESED's names).",
            rich_help_panel=EVENTS,
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="As papers do: esc50-5fold, urbansound8k-10fold, desed-events."),
    ] = None,
    any_size: Annotated[
        bool, typer.Option("--any-size", help="With --protocol: score data of another size; not comparable.")
    ] = False,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples behind each interval.")] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="Draws intervals, examples and networks.")] = 0,
    confusion: Annotated[
        Path | None,
        typer.Option(
            help="Write the confusion matrix (with --against the difference of two) as CSV, a line a cell.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="Draw the confusion matrix or the curve: .svg or .png.", rich_help_panel=OUTPUT),
    ] = None,
    out: options.Report = None,
    ids: options.Ids = None,
    trust_pickle: options.TrustPickle = False,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Say how well classes are read from ROWS: by class texts, or by a classifier that never saw the fold.

    Class texts and labels are joined by name, never by position. With --shots a linear probe learns from a
    few examples of each class. With --method events, ROWS are frames with the columns clip, onset (seconds)
    and fold, and annotated events are found and scored by event and by segment.

    Example: `alignkit probe clips.space --method zero-shot --prompts classes.space --labels label --json`
    """
    from alignkit.atomic import check_writable
    from alignkit.cli._probing import Asked, recipe_of
    from alignkit.probe_tables import confusion_csv
    from alignkit.storage import save_report
    from alignkit.tables import text

    for path in (out, confusion):
        if path is not None:
            check_writable(path, force=force, names=())
    check_figure(figure, force=force)
    asked = Asked(
        context=context,
        rows=rows,
        method=method,
        columns={"label": labels, "fold": folds, "group": group, "prompt": prompt_labels},
        texts=(prompts, against_prompts),
        paths=(alignment, events),
        against=against,
        protocol=protocol,
        any_size=any_size,
        shots=None if shots is None else options.whole_numbers(shots, "--shots"),
        draws=draws,
        recipe=recipe_of(context, penalties, scale, seed),
        drawn=(resamples, seed),
        opening=(ids, trust_pickle),
    )
    asked.check()
    found = asked.run()
    report = found.report
    if out is not None:
        save_report(report, out, force=force)
    if confusion is not None:
        write_text(confusion_csv(found.matrix()), confusion, force=force)
    if figure is not None:
        write_figure(found.figure(), figure, force=force)
    emit_json(report.to_json()) if json else emit(text(report) + found.remarks(shown=confusion is not None))
    if (warning := report.context.get("named_protocol", {}).get("warning")) is not None:
        note(f"warning: {warning}")
