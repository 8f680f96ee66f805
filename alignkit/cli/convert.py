"""``alignkit convert``: any format that can be read to any that can be written."""

from pathlib import Path
from typing import Annotated

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json, note


def command(
    x: Annotated[str, typer.Argument(help="A file or folder of embeddings; PATH::NAME chooses one array.")],
    out: Annotated[Path, typer.Argument(help="Where to write; the suffix names the format.")],
    format: Annotated[
        str | None,
        typer.Option(help="space, npy, parquet, safetensors, word2vec or clip-retrieval, if not by suffix."),
    ] = None,
    ids: options.Ids = None,
    pool: Annotated[
        str | None, typer.Option(help="Frames to items: mean_unit, mean, max, first, middle or last.")
    ] = None,
    pool_by: Annotated[str, typer.Option(help="Metadata column that names a frame's item.")] = "item",
    modality: Annotated[str, typer.Option(help="What was embedded: image, audio, text, ...")] = "",
    space_name: Annotated[str, typer.Option(help="Which model made the numbers.")] = "",
    dtype: Annotated[
        str | None, typer.Option(help="float16, float32 or float64; as stored by default.")
    ] = None,
    trust_pickle: options.TrustPickle = False,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Convert embeddings from any known format to another, in blocks, whole or not at all.

    A checkpoint of CLIP2CLAP (`linear*.pt`) becomes a map where OUT ends in .alignment.

    Example: `alignkit convert vectors.npz::emb audio.space --ids files --space-name clap/htsat`
    """
    from alignkit.formats import check_output, open_embeddings, write_embeddings
    from alignkit.pooling import pool as pooled

    if out.suffix == ".alignment":
        _convert_map(Path(x), out, force=force, json=json)
        return
    check_output(out, force=force, format=format)
    embeddings = open_embeddings(x, ids=ids, trust_pickle=trust_pickle, modality=modality)
    if space_name:
        embeddings = embeddings.named(space_name)
    recipe = {"converted_from": Path(x).name}
    if pool:
        embeddings = pooled(embeddings, pool, pool_by)
        recipe |= {"pool": pool, "pool_by": pool_by}
    left_out = write_embeddings(embeddings, out, force=force, format=format, dtype=dtype, recipe=recipe)
    for sentence in left_out:
        note(f"note: {sentence}")
    written = dtype or str(embeddings.vectors.dtype)
    done = {
        "schema": "alignkit.convert/1",
        "written": str(out),
        "rows": len(embeddings),
        "dim": embeddings.dim,
    }
    done |= {"dtype": written, "left_out": list(left_out)}
    emit_json(done) if json else emit(f"{out}: {len(embeddings)} x {embeddings.dim} {written}")


def _convert_map(path: Path, out: Path, *, force: bool, json: bool) -> None:
    from alignkit.atomic import check_writable
    from alignkit.storage import FILES, load_clip2clap, save_alignment

    check_writable(out, force=force, names=FILES)
    alignment = load_clip2clap(path)
    save_alignment(alignment, out, force=force)
    done = {
        "schema": "alignkit.convert/1",
        "written": str(out),
        "preset": alignment.info["preset"],
        "source_dim": alignment.source.dim,
        "target_dim": alignment.target.dim,
    }
    dims = f"{alignment.source.dim} -> {alignment.target.dim} dimensions"
    emit_json(done) if json else emit(f"{out}: {alignment.info['preset']}, {dims}")
