"""``alignkit eval``: score cross-modal retrieval in both directions."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json, note

TREC = "Runs and judgements of TREC"


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
    run: Annotated[
        Path | None,
        typer.Option(
            help="Instead of searching: a TREC run of any system; its ids must be those of QUERIES "
            "and GALLERY where these are named.",
            rich_help_panel=TREC,
        ),
    ] = None,
    qrels: Annotated[
        Path | None,
        typer.Option(
            help="With --run: TREC judgements; else the pairs of QUERIES and GALLERY are right.",
            rich_help_panel=TREC,
        ),
    ] = None,
    gallery_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="With --run: items that were ranked, for chance levels and whole lists.",
            rich_help_panel=TREC,
        ),
    ] = None,
    save_run: Annotated[
        Path | None,
        typer.Option(
            help="Write the best items of every query as a TREC run, gzipped by a name in .gz.",
            rich_help_panel=TREC,
        ),
    ] = None,
    save_qrels: Annotated[
        Path | None,
        typer.Option(help="Write the pairs as TREC judgements.", rich_help_panel=TREC),
    ] = None,
    depth: Annotated[
        int, typer.Option(min=1, help="With --save-run: items listed for each query.", rich_help_panel=TREC)
    ] = 100,
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
        Literal["percentile", "bca", "two-way"],
        typer.Option(
            help="Ends of intervals: for other queries to this gallery; or two-way, to another gallery too."
        ),
    ] = "percentile",
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples behind each interval.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Draws the intervals.")] = 0,
    hubness: Annotated[
        int | None,
        typer.Option(
            metavar="K", help="Say how unevenly items are found among the K nearest (10 in the literature)."
        ),
    ] = None,
    fail_under: Annotated[
        list[str] | None, typer.Option(help="Exit 6 if a score is below, like mrr=0.3; both directions.")
    ] = None,
    per_query: Annotated[
        Path | None,
        typer.Option(help="Write every query's ranks to this folder (parquet, one file a direction)."),
    ] = None,
    out: options.Report = None,
    record: Annotated[
        Path | None,
        typer.Option(
            help="Write what stands behind the report: digests of every input and output, versions, command."
        ),
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
    from alignkit.cli._eval_options import TWO_WAY, check_together
    from alignkit.cli._evaluating import Sides, Ways
    from alignkit.cli._exporting import Exports
    from alignkit.devices import on_device
    from alignkit.tables import imitation, text
    from alignkit.workflows import Protocol, check_gates, parse_gates

    check_together(context)
    gates = parse_gates(fail_under or [], options.names(metrics))
    exports = Exports(per_query, (save_run, save_qrels), depth, out, record, force)
    exports.check()
    two_way = interval == TWO_WAY
    settings = Protocol(
        metrics=options.names(metrics),
        similarity=similarity,
        ties=ties,
        without_positive=without_positive,
        exclude=exclude,
        collapse_duplicates=collapse_duplicates,
        interval="percentile" if interval == "two-way" else interval,
        resamples=resamples,
        seed=seed,
    )
    joining, banks = (pairs, group, match), (bank, gallery_bank)
    sides = Sides(queries, gallery, scores, relevance, run, qrels, alignment, joining, ids, trust_pickle)
    of_protocol = protocol, any_size, gallery_hash
    ways = Ways(rescore, rescore_with or [], banks, *of_protocol, gallery_size, center, two_way, hubness)
    with on_device(device):
        if like is not None or explain:
            found = sides.imitate(like, settings, context)
            return emit_json(found.to_json()) if json else emit(imitation(found, why=explain))
        result = sides.score(ways, settings, context)
    options.remember(result.report.context, context)
    exports.write(result, sides, settings, context)
    emit_json(result.report.to_json()) if json else emit(text(result.report))
    if center:
        note("centred by the means of the evaluated rows themselves: an optimistic protocol")
    if "interval" in (facts := result.report.context["protocol"]) and facts["resamples"] and not two_way:
        note(f"intervals: {facts['interval']}")
    return check_gates(result.report, gates)
