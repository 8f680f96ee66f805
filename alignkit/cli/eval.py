"""``alignkit eval``: score cross-modal retrieval in both directions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json, note
from alignkit.errors import DataError, ParameterError

if TYPE_CHECKING:
    from alignkit.workflows import Evaluation, Protocol

# what speaks of vectors or their ids, and says nothing about scores that are there already
OF_VECTORS = (
    "queries",
    "gallery",
    "alignment",
    "pairs",
    "group",
    "similarity",
    "center",
    "ids",
    "trust_pickle",
)


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
    metrics: options.Metrics = options.METRICS,
    pairs: options.Pairs = None,
    group: options.Group = None,
    similarity: Annotated[
        Literal["cosine", "dot", "euclidean"], typer.Option(help="What ranks the gallery.")
    ] = "cosine",
    ties: Annotated[
        Literal["expected", "optimistic", "pessimistic", "index", "docid_desc", "docid_asc"],
        typer.Option(help="How equal scores are ranked; the last three need --scores."),
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

    With --scores the rows of a matrix ask and its columns are searched: nothing is computed but ranks.

    Example: `alignkit eval audio.npy text.npy --metrics mrr,hit@1,hit@5,hit@10 --json`
    """
    from alignkit.atomic import check_writable
    from alignkit.storage import TABLES, load_between, save_tables
    from alignkit.tables import text
    from alignkit.workflows import Protocol, check_gates, evaluate, parse_gates

    gates = parse_gates(fail_under or [], options.names(metrics))
    if per_query is not None:
        check_writable(per_query, force=force, names=TABLES)
    protocol = Protocol(
        metrics=options.names(metrics),
        similarity=similarity,
        ties=ties,
        without_positive=without_positive,
        resamples=resamples,
        seed=seed,
    )
    if scores is not None:
        _refuse_options_of_vectors(context)
        result = _of_scores(scores, relevance, protocol)
    else:
        sides = _named(queries, gallery, relevance)
        left, right = (options.open_side(path, ids=ids, trust_pickle=trust_pickle) for path in sides)
        fitted = None if alignment is None else load_between(alignment, left, right)
        links = options.link(left, right, pairs, group)
        result = evaluate(left, right, pairs=links, alignment=fitted, protocol=protocol, center=center)
        options.note_join(links, pairs)
    if per_query is not None:
        save_tables(result.tables, per_query, force=force)
    emit_json(result.report.to_json()) if json else emit(text(result.report))
    if center:
        note("centred by the means of the evaluated rows themselves: an optimistic protocol")
    check_gates(result.report, gates)


def _named(queries: str | None, gallery: str | None, relevance: Path | None) -> tuple[str, str]:
    if queries is None or gallery is None:
        raise ParameterError("name two embeddings, QUERIES and GALLERY, or give a matrix with --scores.")
    if relevance is not None:
        raise ParameterError("--relevance stands beside --scores; embeddings take --pairs.")
    return queries, gallery


def _refuse_options_of_vectors(context: typer.Context) -> None:
    for name in OF_VECTORS:
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            option = name.upper() if name in ("queries", "gallery") else f"--{name.replace('_', '-')}"
            raise ParameterError(f"{option} is about embeddings; --scores are there already: leave it out.")


def _of_scores(scores: Path, relevance: Path | None, protocol: "Protocol") -> "Evaluation":
    from alignkit.formats import map_npy
    from alignkit.workflows import evaluate_scores

    for path in (scores, relevance):
        if path is not None and not path.is_file():
            state = "is no file" if path.exists() else "does not exist"
            raise DataError(f"{path} {state}: give a matrix that numpy.save wrote.")
    graded = None if relevance is None else map_npy(relevance)
    result = evaluate_scores(map_npy(scores), graded, protocol=protocol)
    facts = result.report.context
    note(
        f"{facts['relevance']['positives']} relevant pairs among {facts['queries']['rows']} queries x "
        f"{facts['gallery']['rows']} items" + (", those of the diagonal" if graded is None else "")
    )
    return result
