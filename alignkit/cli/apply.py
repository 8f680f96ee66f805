"""``alignkit apply``: take rows of the source space into the target space."""

from pathlib import Path
from typing import Annotated

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit_json, note


def command(
    alignment: Annotated[
        Path, typer.Argument(help="A map written by `alignkit fit`; of a joint one X.joint::A:B.")
    ],
    embeddings: Annotated[str, typer.Argument(help="Rows of the map's source space.")],
    out: Annotated[Path, typer.Option(help="Where to write the mapped rows: .space, .npy, .parquet, ...")],
    inverse: Annotated[
        bool, typer.Option("--inverse", help="Go from the target space back to the source.")
    ] = False,
    ids: options.Ids = None,
    trust_pickle: options.TrustPickle = False,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Map EMBEDDINGS and write them in the target's own frame (means and lengths restored).

    Example: `alignkit apply a.alignment text.npy --out mapped.space`
    """
    from alignkit.formats import check_output, write_embeddings
    from alignkit.storage import load_from

    check_output(out, force=force)
    rows = options.open_side(embeddings, ids=ids, trust_pickle=trust_pickle)
    fitted = load_from(alignment, rows)
    rows.check(direction=True)
    if inverse:
        fitted = fitted.inverse()
    mapped = fitted.apply(rows)
    write_embeddings(mapped, out, force=force)
    if json:
        emit_json(
            {
                "schema": "alignkit.apply/1",
                "rows": len(mapped),
                "space": str(mapped.space),
                "written": str(out),
            }
        )
    note(f"written: {out} ({len(mapped)} rows of {mapped.space})")
