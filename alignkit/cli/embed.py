"""``alignkit embed``: encode a folder, table, list or tar of items."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignkit._words import counted
from alignkit.cli import _options as options
from alignkit.cli._output import Ticker, emit, emit_json, note
from alignkit.errors import ParameterError

if TYPE_CHECKING:
    from alignkit.encoders._base import Encoder, Modality
    from alignkit.media.frames import Frames
    from alignkit.workflows.embedding import Embedded

PARTIAL, INTERRUPTED = 4, 130
ENCODING, FINDING, FILMS = "Encoder", "Items", "Films"


def command(
    items: Annotated[
        str,
        typer.Argument(help="A folder, a CSV/parquet/JSONL table, a .txt with a line for each, or a .tar."),
    ],
    encoder: Annotated[str, typer.Option(help="Which encoder: see `alignkit encoders`.")],
    out: Annotated[Path, typer.Option(help="Where to write, like photos.space.")],
    modality: Annotated[
        str | None, typer.Option(help="image, audio or text; may be left out if the encoder has only one.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="A local file or folder, or the name of published weights.", rich_help_panel=ENCODING
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="An option of the encoder, NAME=VALUE; repeat it.", rich_help_panel=ENCODING
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:NUMBER.", rich_help_panel=ENCODING)] = "cpu",
    dtype: Annotated[
        str, typer.Option(help="What the model computes in; rows are float32.", rich_help_panel=ENCODING)
    ] = "float32",
    batch_size: Annotated[int, typer.Option(help="Items encoded at once.", rich_help_panel=ENCODING)] = 32,
    workers: Annotated[
        int, typer.Option(help="Threads that read and prepare items; 0: none.", rich_help_panel=ENCODING)
    ] = 2,
    ids: Annotated[
        str, typer.Option(help="Column of a table that holds the ids.", rich_help_panel=FINDING)
    ] = "",
    column: Annotated[
        str,
        typer.Option(
            help="Column of a table that holds texts or paths; ending of a tar's members.",
            rich_help_panel=FINDING,
        ),
    ] = "",
    root: Annotated[
        Path | None,
        typer.Option(help="Folder that paths start at and stay in; the list's own.", rich_help_panel=FINDING),
    ] = None,
    frames: Annotated[
        float | None,
        typer.Option(
            help="Pictures a second at which films are seen; else they are none.", rich_help_panel=FILMS
        ),
    ] = None,
    frame_pool: Annotated[
        str,
        typer.Option(
            help="A film's row: mean-unit (im2wav's), mean, max, first, middle, last; keep: a row a picture.",
            rich_help_panel=FILMS,
        ),
    ] = "",
    on_error: Annotated[
        str, typer.Option(help="skip: leave bad items out and list them; stop at the first.")
    ] = "skip",
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Encode ITEMS and write their embeddings; after a kill the same command goes on where it was.

    Exit code 4: some items were bad; they are listed with their reasons in X.failed.parquet. Where all were
    bad, the code is 2 and nothing is written but that list, which the next run replaces.

    Example: `alignkit embed photos --encoder clip --modality image --out photos.space`
    """
    from alignkit.media.items import open_items
    from alignkit.workflows.embedding import Pace, embed

    if on_error not in ("skip", "stop"):
        raise ParameterError(f"--on-error is {on_error!r}; choose skip or stop.")
    model = _encoder(encoder, set_, weights=weights, device=device, dtype=dtype)
    kind = _modality(model, modality, encoder)
    seen = _frames(frames, frame_pool)
    found = open_items(items, kind, ids=ids, column=column, root=root, frames=seen)
    with Ticker("items") as ticker:
        try:
            done = embed(
                found,
                model,
                out,
                on_error="stop" if on_error == "stop" else "skip",
                force=force,
                pace=Pace(batch_size, workers),
                progress=ticker.tick,
            )
        except KeyboardInterrupt:
            ticker.close()
            note("interrupted: finished parts are kept; the same command goes on from there")
            raise typer.Exit(INTERRUPTED) from None
    _report(done, json)
    if done.failures:
        raise typer.Exit(PARTIAL)


def _encoder(
    name: str, assignments: list[str] | None, *, weights: str | None, device: str, dtype: str
) -> "Encoder":
    from alignkit.encoders import ENCODERS

    kind = ENCODERS.get(name)
    own = {key: value for key, value in kind.options().items() if key not in ("weights", "device", "dtype")}
    params = options.method_params(name, own, assignments, None)
    return kind(weights=weights, device=device, dtype=dtype, **params)


def _modality(model: "Encoder", asked: str | None, name: str) -> "Modality":
    if asked is None:
        if len(model.modalities) == 1:
            return model.modalities[0]
        raise ParameterError(f"{name} encodes {' and '.join(model.modalities)}: say which with --modality.")
    model.check_modality(asked)
    return next(each for each in model.modalities if each == asked)


def _frames(rate: float | None, pool: str) -> "Frames | None":
    from alignkit.media.frames import Frames

    if rate is None:
        if pool:
            raise ParameterError(
                f"--frame-pool is {pool!r} without --frames: say how many pictures a second."
            )
        return None
    return Frames(rate, pool.replace("-", "_")) if pool else Frames(rate)


def _report(done: "Embedded", json: bool) -> None:
    facts = {
        "schema": "alignkit.embed/1",
        "written": str(done.out),
        "rows": done.rows,
        "dim": done.space.dim,
        "space": done.space.name,
        "revision": done.space.revision,
        "failed": len(done.failures),
        "failures": None if done.failed_file is None else str(done.failed_file),
        "ignored": done.ignored,
        "ignored_films": done.films,
        "resumed": done.resumed,
    }
    if json:
        emit_json(facts)
    else:
        emit(f"{done.out}: {done.rows} x {done.space.dim} of {done.space.name}")
    if done.ignored:
        films = f", {done.films} of them films: --frames RATE encodes their pictures" if done.films else ""
        note(f"note: {_were(done.ignored, 'other file')} ignored{films}")
    if done.resumed:
        note(f"note: {_were(done.resumed, 'item')} done already by a run that did not end")
    if done.failures:
        item, why = next(iter(done.failures.items()))
        failed = counted(len(done.failures), "item")
        note(f"warning: {failed} failed, listed in {done.failed_file}; the first, {item!r}: {why}")


def _were(number: int, noun: str) -> str:
    return f"{counted(number, noun)} {'was' if number == 1 else 'were'}"
