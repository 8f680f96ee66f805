"""``alignkit eval``: score cross-modal retrieval in both directions."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json, note


def command(
    context: typer.Context,
    queries: Annotated[
        str | None, typer.Argument(help="Embeddings that ask (the source of --alignment).")
    ] = None,
    gallery: Annotated[str | None, typer.Argument(help="Embeddings that are searched (its target).")] = None,
    scores: Annotated[
        Path | None,
        typer.Option(help="Instead of both: a .npy matrix of scores, queries by gallery, higher is better."),
    ] = None,
    relevance: Annotated[
        Path | None,
        typer.Option(
            help="With --scores: a .npy matrix of grades, 0 where wrong; else the diagonal is right."
        ),
    ] = None,
    alignment: Annotated[
        Path | None, typer.Option(help="Score through this map, in its joint frame.")
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Score as papers do: coco-5k ... (see `alignkit protocols`)."),
    ] = None,
    any_size: Annotated[
        bool, typer.Option("--any-size", help="With --protocol: score data of another size; not comparable.")
    ] = False,
    gallery_hash: Annotated[
        str | None, typer.Option(help="With --protocol: refuse a gallery with another hash than a report's.")
    ] = None,
    metrics: options.Metrics = options.METRICS,
    pairs: options.Pairs = None,
    group: options.Group = None,
    similarity: Annotated[
        Literal["cosine", "dot", "euclidean"], typer.Option(help="What ranks the gallery.")
    ] = "cosine",
    ties: Annotated[
        Literal["expected", "optimistic", "pessimistic", "index", "docid_desc", "docid_asc"],
        typer.Option(help="How equal scores are ranked; the last three are other tools' orders."),
    ] = "expected",
    match: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Partners are rows with equal values here: a class, a speaker."),
    ] = None,
    exclude: Annotated[
        str | None,
        typer.Option(
            metavar="self|COLUMN", help="Do not rank a row's own id, or rows with its value: a recording."
        ),
    ] = None,
    collapse_duplicates: Annotated[
        bool, typer.Option("--collapse-duplicates", help="Let byte-identical rows pass for one another.")
    ] = False,
    without_positive: Annotated[
        Literal["error", "skip", "zero"], typer.Option(help="What a query without a partner means.")
    ] = "error",
    center: Annotated[
        bool, typer.Option("--center", help="Subtract each side's own mean first (fitted on these rows).")
    ] = False,
    rescore: Annotated[
        str | None,
        typer.Option(metavar="METHOD", help="Hold hubs down: csls, qb-norm, sinkhorn ... (needs --bank)."),
    ] = None,
    rescore_with: Annotated[
        list[str] | None, typer.Option("--with", metavar="NAME=VALUE", help="An option of --rescore.")
    ] = None,
    bank: Annotated[
        str | None, typer.Option(help="Rows like the queries and none of them, from which --rescore learns.")
    ] = None,
    gallery_bank: Annotated[
        str | None, typer.Option(help="Rows like the gallery's, for the direction in which the gallery asks.")
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(metavar="TOOL", help="Print what another tool would: clip_benchmark, ranx, muse ..."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="With --like: say why its figures differ.")
    ] = False,
    interval: Annotated[
        Literal["percentile", "bca"], typer.Option(help="How the ends of intervals are found.")
    ] = "percentile",
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples behind each interval.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Draws the intervals.")] = 0,
    fail_under: Annotated[
        list[str] | None, typer.Option(help="Exit 6 if a score is below, like mrr=0.3; both directions.")
    ] = None,
    per_query: Annotated[
        Path | None,
        typer.Option(help="Write every query's ranks to this folder (parquet, one file a direction)."),
    ] = None,
    device: Annotated[str, typer.Option(help="Where products are computed: cpu, cuda, cuda:1.")] = "cpu",
    ids: options.Ids = None,
    trust_pickle: options.TrustPickle = False,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Rank GALLERY for every query, and QUERIES for every gallery item, exactly; print intervals and chance.

    Partners are the rows that share an id (or row number, where neither file has ids), or those of --pairs
    or --match.

    With --scores the rows of a matrix ask and its columns are searched: nothing is computed but ranks.

    Example: `alignkit eval audio.npy text.npy --metrics mrr,hit@1,hit@5,hit@10 --json`
    """
    from alignkit.atomic import check_writable
    from alignkit.cli._evaluating import Sides, refuse_misfits
    from alignkit.devices import on_device
    from alignkit.storage import TABLES, save_tables
    from alignkit.tables import imitation, text
    from alignkit.workflows import Protocol, check_gates, parse_gates

    gates = parse_gates(fail_under or [], options.names(metrics))
    if per_query is not None:
        check_writable(per_query, force=force, names=TABLES)
    settings = Protocol(
        metrics=options.names(metrics),
        similarity=similarity,
        ties=ties,
        without_positive=without_positive,
        exclude=exclude,
        collapse_duplicates=collapse_duplicates,
        interval=interval,
        resamples=resamples,
        seed=seed,
    )
    refuse_misfits(context)
    sides = Sides(queries, gallery, scores, relevance, alignment, (pairs, group, match), ids, trust_pickle)
    with on_device(device):
        if like is not None or explain:
            found = sides.imitate(like, settings, context)
            return emit_json(found.to_json()) if json else emit(imitation(found, why=explain))
        if rescore is not None:
            result = sides.rescored(rescore, rescore_with or [], (bank, gallery_bank), settings)
        elif protocol is not None:
            result = sides.by_protocol(protocol, settings, context, any_size=any_size, digest=gallery_hash)
        else:
            result = sides.evaluate(settings, center=center)
    if per_query is not None:
        save_tables(result.tables, per_query, force=force)
    emit_json(result.report.to_json()) if json else emit(text(result.report))
    if center:
        note("centred by the means of the evaluated rows themselves: an optimistic protocol")
    return check_gates(result.report, gates)
