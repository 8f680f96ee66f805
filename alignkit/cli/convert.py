"""``alignkit convert``: any format that can be read to any that can be written."""

from pathlib import Path
from typing import Annotated, Any

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json, note
from alignkit.errors import ParameterError


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
    space: Annotated[
        Path | None,
        typer.Option(help="Card of the model: a JSON object with a name, or a .space of the same model."),
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="float16, float32 or float64; as stored by default.")
    ] = None,
    trust_pickle: options.TrustPickle = False,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Convert embeddings from any known format to another, in blocks, whole or not at all.

    Example: `alignkit convert vectors.npz::emb audio.space --ids files --space-name clap/htsat`
    """
    from alignkit.formats import check_output, open_embeddings, write_embeddings
    from alignkit.pooling import pool as pooled
    from alignkit.storage import claim_space

    check_output(out, force=force, format=format)
    embeddings = open_embeddings(x, ids=ids, trust_pickle=trust_pickle, modality=modality)
    if space_name and space is not None:
        raise ParameterError("--space says more than --space-name: leave one of them out.")
    if space_name:
        embeddings = embeddings.named(space_name)
    recipe: dict[str, Any] = {"converted_from": Path(x).name}
    if space is not None:
        embeddings, stated = claim_space(embeddings, space)
        recipe |= stated
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
