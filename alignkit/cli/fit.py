"""``alignkit fit``: learn a map between two spaces and say how well it does on held-out pairs."""

from pathlib import Path
from typing import Annotated

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json, note


def command(
    source: Annotated[
        str, typer.Argument(help="Embeddings to map from: a .space, .npy, parquet, folder ...")
    ],
    target: Annotated[str, typer.Argument(help="Embeddings to map to.")],
    method: Annotated[str, typer.Option(help="See `alignkit methods`.")] = "procrustes",
    out: Annotated[Path | None, typer.Option(help="Write the map to this folder, like a.alignment.")] = None,
    test: Annotated[float, typer.Option(help="Share of pairs held out for the score; 0 fits on all.")] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="Draws the split and the intervals.")] = 0,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the method, like alpha=0.1; repeatable.")
    ] = None,
    normalize: Annotated[str | None, typer.Option(help="Short for --set normalize=...")] = None,
    pairs: options.Pairs = None,
    group: options.Group = None,
    metrics: options.Metrics = options.METRICS,
    ids: options.Ids = None,
    trust_pickle: options.TrustPickle = False,
    source_space: Annotated[
        str, typer.Option(help="Name the model behind SOURCE, where the file does not.")
    ] = "",
    target_space: Annotated[
        str, typer.Option(help="Name the model behind TARGET, where the file does not.")
    ] = "",
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Fit a map from SOURCE to TARGET on the pairs that share an id, and score it on held-out pairs.

    Files without ids are joined by row number. Pairs that share an item, a group or a byte-identical
    row are never separated by the split.

    Example: `alignkit fit text.npy images.npy --method procrustes --test 0.3 --seed 0 --out a.alignment`
    """
    from alignkit.atomic import check_writable
    from alignkit.storage import FILES, save_alignment
    from alignkit.tables import text
    from alignkit.workflows import fit

    if out is not None:
        check_writable(out, force=force, names=FILES)
    params = options.method_params(method, set_, normalize)
    left = options.open_side(source, ids=ids, trust_pickle=trust_pickle, space=source_space)
    right = options.open_side(target, ids=ids, trust_pickle=trust_pickle, space=target_space)
    links = options.link(left, right, pairs, group)
    fitted = fit(
        left,
        right,
        method=method,
        pairs=links,
        test=test,
        seed=seed,
        params=params,
        metrics=options.names(metrics),
    )
    if out is not None:
        save_alignment(fitted.alignment, out, force=force)
    options.note_join(links, pairs)
    if json:
        emit_json(fitted.to_json(written=None if out is None else str(out)))
        return
    emit(text(fitted.report))
    if out is None:
        note("nothing was written: pass --out a.alignment to keep this map")
    else:
        note(f"written: {out} (try: alignkit apply {out} {source} --out mapped.space)")
