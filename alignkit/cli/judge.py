"""``alignkit judge``: score what was generated beside what is real."""

from typing import TYPE_CHECKING, Annotated

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json, note

if TYPE_CHECKING:
    from alignkit.reports import Report


def command(
    reference: Annotated[str, typer.Argument(help="Embeddings of real items.")],
    generated: Annotated[str, typer.Argument(help="Embeddings of generated items, by the same encoder.")],
    judges: Annotated[
        str, typer.Option(help="Comma-separated names; without, every judge that the rows allow.")
    ] = "",
    paired: Annotated[
        bool, typer.Option("--paired", help="Rows with one id belong together (implied by --pairs).")
    ] = False,
    pairs: options.Pairs = None,
    labels: Annotated[
        str, typer.Option(help="Metadata column of both sides with the class of each row.")
    ] = "",
    group: Annotated[
        str, typer.Option(help="Metadata column of the generated side: rows made from one item.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="Draws blocks, splits and resamples.")] = 0,
    ids: options.Ids = None,
    trust_pickle: options.TrustPickle = False,
    out: options.Report = None,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Score generated items beside real ones: FAD, KAD, CLIP and CLAP scores, classifier accuracy.

    Example: `alignkit judge real.npy generated.npy --json`
    """
    from alignkit.atomic import check_writable
    from alignkit.storage import save_report
    from alignkit.workflows import judge

    if out is not None:
        check_writable(out, force=force)
    real, made = (
        options.open_side(path, ids=ids, trust_pickle=trust_pickle) for path in (reference, generated)
    )
    links = options.link(real, made, pairs, None) if paired or pairs is not None else None
    report = judge(
        real, made, judges=options.names(judges), pairs=links, labels=labels, group=group, seed=seed
    )
    if out is not None:
        save_report(report, out, force=force)
    if links is not None:
        options.note_join(links, pairs)
    _show(report, json=json)


def _show(report: "Report", *, json: bool) -> None:
    from alignkit.gap_tables import text

    for sentence in report.context["warnings"]:
        note(f"warning: {sentence}")
    if json:
        emit_json(report.to_json())
        return
    sides = (f"{report.context[side]['rows']} {side}" for side in ("reference", "generated"))
    emit(f"embedder: {report.context['embedder']}; rows: {', '.join(sides)}\n{text(report)}")
    for name, why in report.context["not_judged"].items():
        note(f"{name} did not judge: {why}")
