"""``alignkit search``: ask an index for the gallery rows nearest to each query."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json, note, recall_words
from alignkit.errors import DataError, ParameterError

if TYPE_CHECKING:
    from alignkit.retrieval.search.index import Index
    from alignkit.spaces import Embeddings
    from alignkit.workflows import Found, Part

FEW = 5  # queries that a terminal shows; a pipe and a file get all
NAMES = ("query", "rank", "gallery", "score")


def command(
    index: Annotated[
        Path, typer.Argument(help="A folder written by `alignkit index`, or with --gallery a faiss file.")
    ],
    queries: Annotated[
        str, typer.Argument(help="Rows of the space that the index was made to be asked from.")
    ],
    k: Annotated[int, typer.Option("-k", help="Hits for each query.")] = 10,
    out: Annotated[Path | None, typer.Option(help="Write all hits to this parquet file.")] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE[::ID][@ALIGNMENT][=WEIGHT]",
            help="Add these rows, by id, or one row; -1 takes it away; @gallery: rows of its own space.",
        ),
    ] = None,
    arc: Annotated[
        float | None, typer.Option(help="With one --add: this share of the way from the query to it.")
    ] = None,
    gallery: Annotated[
        str | None, typer.Option(help="Rows behind a faiss file of another program, in its order.")
    ] = None,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust", help="Read a faiss file that your alignkit did not write, or files changed since."
        ),
    ] = False,
    device: options.FaissDevice = "cpu",
    float16: options.Float16 = False,
    ids: options.Ids = None,
    trust_pickle: options.TrustPickle = False,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Print the K best gallery rows for every query: their ids and scores, tab-separated, best first.

    A terminal shows the first five queries as a table. Of an approximate index it repeats the recall.

    Example: `alignkit search images.index text.npy -k 5 --out hits.parquet`
    """
    from alignkit.atomic import check_writable
    from alignkit.retrieval.search.cards import on_cards
    from alignkit.storage import load_foreign_index, load_index, save_hits
    from alignkit.workflows import Part, search, search_composed

    if out is not None:
        check_writable(out, force=force, names=())
    if gallery is None:
        indexed = load_index(index, trust=trust)
    else:
        rows = options.open_side(gallery, ids=ids, trust_pickle=trust_pickle)
        indexed = load_foreign_index(index, rows, trust=trust)
    asked = options.open_side(queries, ids=ids, trust_pickle=trust_pickle)
    with on_cards(device, float16=float16):
        if add or arc is not None:
            parts = [_part(word, trust_pickle=trust_pickle) for word in add or []]
            found = search_composed(indexed, [Part(asked), *parts], k, arc=arc)
        else:
            found = search(indexed, asked, k)
    if out is not None:
        save_hits(found.table(), out, force=force)
    if json:
        emit_json(_facts(found, indexed.index, out))
    elif sys.stdout is not None and sys.stdout.isatty():
        _show(found)
    elif out is None:
        emit("\n".join("\t".join(map(str, line)) for line in (NAMES, *_lines(found, len(found.queries)))))
    if out is not None:
        note(f"written: {out} ({found.rows.size} hits of {len(found.queries)} queries)")
    if indexed.index.settings:
        note(recall_words(indexed.index.settings))
    _warn(found, indexed.bank.name if indexed.bank else "")


def _facts(found: "Found", index: "Index", out: Path | None) -> dict[str, Any]:
    """Return what --json prints."""
    overlap = found.overlap
    return {
        "schema": "alignkit.search/1",
        "queries": len(found.queries),
        "k": found.rows.shape[1],
        "hub_correction": index.hub_correction,
        "in_bank": {"queries": overlap.either, "by_id": overlap.ids, "by_row": overlap.rows},
        "settings": index.settings or None,
        "written": out and str(out),
        "hits": [_as_json(hit) for hit in _hits(found)],
    }


def _part(word: str, *, trust_pickle: bool) -> "Part":
    """Return what FILE[::ID][@ALIGNMENT][=WEIGHT] names."""
    from alignkit.storage import load_alignment
    from alignkit.workflows import Part

    named, equals, weight = word.rpartition("=")
    try:
        weight = float(weight) if equals else 1.0
    except ValueError as error:
        raise ParameterError(f"--add {word}: the weight {weight!r} is no number, like -1 or 0.5.") from error
    path, at, way = (named if equals else word).partition("@")
    rows = _rows(path, trust_pickle=trust_pickle)
    own = way == "gallery"
    return Part(rows, weight, load_alignment(way) if at and not own else None, own)


def _rows(path: str, *, trust_pickle: bool) -> "Embeddings":
    """Open FILE, or FILE::NAME: where the file has no array of that name, its row with that id."""
    from alignkit.workflows.composing import one_row

    file, cut, name = path.rpartition("::")
    try:
        return options.open_side(path, ids=None, trust_pickle=trust_pickle)
    except DataError:
        if not cut:
            raise
    return one_row(options.open_side(file, ids=None, trust_pickle=trust_pickle), name)


def _show(found: "Found") -> None:
    """Print the first queries as a table."""
    lines = [tuple(map(str, line)) for line in (NAMES, *_lines(found, FEW))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(NAMES))]
    emit("\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) for line in lines))
    if len(found.queries) > FEW:
        note(f"... and {len(found.queries) - FEW} more queries: --out FILE.parquet, or a pipe, gets all")


def _hits(found: "Found") -> Iterator[tuple[Any, list[Any], list[float]]]:
    """Yield every query's id, and the ids and scores of what it found."""
    import pyarrow as pa

    for query, rows, scores in zip(found.queries, found.rows, found.scores, strict=True):
        yield query.as_py(), found.ids.take(pa.array(rows)).to_pylist(), scores.tolist()


def _as_json(hit: tuple[Any, list[Any], list[float]]) -> dict[str, Any]:
    return dict(zip(("query", "gallery", "scores"), hit, strict=True))


def _lines(found: "Found", most: int) -> Iterator[tuple[Any, int, Any, str]]:
    for number, (query, gallery, scores) in enumerate(_hits(found)):
        if number == most:
            return
        for rank, (name, score) in enumerate(zip(gallery, scores, strict=True), start=1):
            yield query, rank, name, f"{score:.4f}"


def _warn(found: "Found", bank: str) -> None:
    """Say how many queries the hub correction has seen."""
    overlap = found.overlap
    if overlap.either:
        note(
            f"warning: {overlap.either} of {len(found.queries)} queries stand in the bank {bank} that the "
            f"hub correction was learned from ({overlap.ids} by id, {overlap.rows} byte for byte): "
            "they find more than new queries will; test with others, or make the index with another bank"
        )
