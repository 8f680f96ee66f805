"""``alignkit index``: make a gallery searchable, with hubs held down by CSLS."""

from pathlib import Path
from typing import Annotated, Any

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json, note, recall_words


def command(
    gallery: Annotated[str, typer.Argument(help="Rows that will be searched (the target of --alignment).")],
    out: Annotated[Path, typer.Option(help="Where to write the index: a folder like x.index.")],
    alignment: Annotated[
        Path | None,
        typer.Option(help="The map that takes queries to the gallery; of a joint one X.joint::A:B."),
    ] = None,
    bank: Annotated[
        str | None,
        typer.Option(help="Sources that stand for the queries, and are none of those you test with."),
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            metavar="flat|ivf|hnsw|FACTORY",
            help="flat is exact; others need faiss, FACTORY like IVF1024,PQ64.",
        ),
    ] = "flat",
    neighbours: Annotated[int, typer.Option(help="Bank rows behind each gallery row's mean cosine.")] = 10,
    csls: Annotated[
        bool, typer.Option("--csls/--no-csls", help="Hold hubs down, or rank by plain cosine.")
    ] = True,
    recall: Annotated[
        float, typer.Option(help="Share of the exact first ten that the others must find on the bank.")
    ] = 0.99,
    device: options.FaissDevice = "cpu",
    float16: options.Float16 = False,
    ids: options.Ids = None,
    trust_pickle: options.TrustPickle = False,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Index GALLERY for queries that come through a map; the folder needs nothing else to be searched.

    Example: `alignkit index image.npy --alignment a.alignment --bank train_text.npy --out images.index`
    """
    from alignkit.atomic import check_writable
    from alignkit.retrieval.search.cards import on_cards
    from alignkit.storage import INDEX_FILES, load_between, save_index
    from alignkit.workflows import index_gallery

    check_writable(out, force=force, names=INDEX_FILES)
    rows = options.open_side(gallery, ids=ids, trust_pickle=trust_pickle)
    sources = None if bank is None else options.open_side(bank, ids=ids, trust_pickle=trust_pickle)
    fitted = None if alignment is None else load_between(alignment, sources, rows)
    with on_cards(device, float16=float16):
        indexed = index_gallery(
            rows,
            bank=sources,
            alignment=fitted,
            neighbours=neighbours,
            kind=kind,
            hub_correction="csls" if csls else "none",
            recall=recall,
        )
    save_index(indexed, out, force=force)
    index, settings = indexed.index, indexed.index.settings
    facts = {
        "kind": kind,
        "hub_correction": index.hub_correction,
        "neighbours": index.neighbours,
        "bank": sources and {"name": sources.name, "rows": len(sources)},
        "settings": settings or None,
    }
    if json:
        written = {"schema": "alignkit.index/1", "written": str(out), "rows": len(index), "dim": index.dim}
        emit_json(written | facts)
    else:
        emit(f"{out}: {len(index)} rows of {index.dim} dimensions, {kind}, {_correction(facts)}")
    if settings:
        note(recall_words(settings))


def _correction(facts: dict[str, Any]) -> str:
    """Say what holds the hubs down."""
    if facts["hub_correction"] == "none":
        return "plain cosine"
    return f"CSLS by {facts['neighbours']} neighbours among {facts['bank']['rows']} sources"
