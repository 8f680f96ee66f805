"""``alignkit eval``: score cross-modal retrieval in both directions."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json, note


def command(
    queries: Annotated[str, typer.Argument(help="Embeddings that ask (the source of --alignment).")],
    gallery: Annotated[str, typer.Argument(help="Embeddings that are searched (its target).")],
    alignment: Annotated[
        Path | None, typer.Option(help="Score through this map, in its joint frame.")
    ] = None,
    metrics: options.Metrics = options.METRICS,
    pairs: options.Pairs = None,
    group: options.Group = None,
    similarity: Annotated[
        Literal["cosine", "dot", "euclidean"], typer.Option(help="What ranks the gallery.")
    ] = "cosine",
    ties: Annotated[
        Literal["expected", "optimistic", "pessimistic"], typer.Option(help="How equal scores are ranked.")
    ] = "expected",
    without_positive: Annotated[
        Literal["error", "skip", "zero"], typer.Option(help="What a query without a partner means.")
    ] = "error",
    center: Annotated[
        bool, typer.Option("--center", help="Subtract each side's own mean first (fitted on these rows).")
    ] = False,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples behind each interval.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Draws the intervals.")] = 0,
    fail_under: Annotated[
        list[str] | None, typer.Option(help="Exit 6 if a score is below, like mrr=0.3; both directions.")
    ] = None,
    per_query: Annotated[
        Path | None,
        typer.Option(help="Write every query's ranks to this folder (parquet, one file a direction)."),
    ] = None,
    ids: options.Ids = None,
    trust_pickle: options.TrustPickle = False,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Rank GALLERY for every query, and QUERIES for every gallery item, exactly; print intervals and chance.

    Partners are the rows that share an id (or row number, where neither file has ids), or those of --pairs.

    Example: `alignkit eval audio.npy text.npy --metrics mrr,hit@1,hit@5,hit@10 --json`
    """
    from alignkit.atomic import check_writable
    from alignkit.storage import TABLES, load_between, save_tables
    from alignkit.tables import text
    from alignkit.workflows import Protocol, check_gates, evaluate, parse_gates

    gates = parse_gates(fail_under or [], options.names(metrics))
    if per_query is not None:
        check_writable(per_query, force=force, names=TABLES)
    left, right = (options.open_side(path, ids=ids, trust_pickle=trust_pickle) for path in (queries, gallery))
    fitted = None if alignment is None else load_between(alignment, left, right)
    links = options.link(left, right, pairs, group)
    protocol = Protocol(
        metrics=options.names(metrics),
        similarity=similarity,
        ties=ties,
        without_positive=without_positive,
        resamples=resamples,
        seed=seed,
    )
    result = evaluate(left, right, pairs=links, alignment=fitted, protocol=protocol, center=center)
    if per_query is not None:
        save_tables(result.tables, per_query, force=force)
    options.note_join(links, pairs)
    if json:
        emit_json(result.report.to_json())
    else:
        emit(text(result.report))
    if center:
        note("centred by the means of the evaluated rows themselves: an optimistic protocol")
    check_gates(result.report, gates)
