"""``alignkit audition``: hear or see aligned rows, beside ceiling, control and floor."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import Ticker, emit, emit_json, note
from alignkit.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np

    from alignkit.decoders._base import Decoder
    from alignkit.encoders._base import Encoder
    from alignkit.spaces import Embeddings

WEIGHTS, DRAWING, BANK = "Weights", "Drawing", "Bank of real items"


def command(
    source: Annotated[str, typer.Argument(help="Embeddings whose rows are to be heard or seen.")],
    decoder: Annotated[str, typer.Option(help="Which decoder: see `alignkit decoders`.")],
    out: Annotated[Path, typer.Option(help="Folder for media, audition.json and the page.")],
    alignment: Annotated[
        Path | None, typer.Option(help="Map into the decoder's space; without, the rows are in it already.")
    ] = None,
    wanted: Annotated[
        str, typer.Option("--ids", help="Comma-separated ids of rows; without, the first four.")
    ] = "",
    truth: Annotated[
        str | None,
        typer.Option(help="True rows of the target space: the ceiling, and what scores compare with."),
    ] = None,
    pairs: options.Pairs = None,
    source_media: Annotated[
        Path | None,
        typer.Option(help="Folder that the paths of the source rows start from: shows what was asked with."),
    ] = None,
    bank: Annotated[
        str | None,
        typer.Option(
            help="Real rows of the target space: the control, and what to learn from.", rich_help_panel=BANK
        ),
    ] = None,
    media: Annotated[
        Path | None, typer.Option(help="Folder that the bank's paths start from.", rich_help_panel=BANK)
    ] = None,
    column: Annotated[
        str,
        typer.Option(
            help="Column of the bank's metadata with the paths; else path, file, the id.",
            rich_help_panel=BANK,
        ),
    ] = "",
    seconds: Annotated[
        float | None,
        typer.Option(min=0.1, help="Cut or pad the bank's sounds to this.", rich_help_panel=BANK),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            min=1, help="Scale the bank's pictures to this many points a side.", rich_help_panel=BANK
        ),
    ] = None,
    n: Annotated[
        int, typer.Option("--n", min=1, help="How often each row is drawn.", rich_help_panel=DRAWING)
    ] = 1,
    seed: Annotated[
        int, typer.Option(min=0, help="Each item draws from a generator of its own.", rich_help_panel=DRAWING)
    ] = 0,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Steps of a diffusion; else the card's.", rich_help_panel=DRAWING),
    ] = None,
    guidance: Annotated[
        float | None,
        typer.Option(help="Classifier-free guidance; 1 is none; else the card's.", rich_help_panel=DRAWING),
    ] = None,
    batch: Annotated[
        int, typer.Option(min=1, help="Rows drawn at once; changes no result.", rich_help_panel=DRAWING)
    ] = 8,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="An option of the decoder, NAME=VALUE; repeat it.", rich_help_panel=DRAWING
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="Folder of a pipeline, or its name on the hub.", rich_help_panel=WEIGHTS),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1.", rich_help_panel=WEIGHTS)] = "cpu",
    dtype: Annotated[str, typer.Option(help="float32 or float16.", rich_help_panel=WEIGHTS)] = "float32",
    encoder: Annotated[
        str | None,
        typer.Option(
            help="Encode what was drawn again with this encoder of the target space.", rich_help_panel=WEIGHTS
        ),
    ] = None,
    encoder_weights: Annotated[str | None, typer.Option(help="Its weights.", rich_help_panel=WEIGHTS)] = None,
    trust_pickle: options.TrustPickle = False,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Draw aligned rows: per item the mapped row, its ceiling, its control and its floors, and a page.

    Example: `alignkit audition photos.space --alignment a.alignment --decoder nearest --bank b.space --out x`
    """
    from alignkit.devices import check_device
    from alignkit.pairs import Pairs
    from alignkit.storage import load_alignment, save_audition
    from alignkit.workflows import audition

    check_device(device)
    rows = options.open_side(source, ids=None, trust_pickle=trust_pickle)
    true, real = (
        None if path is None else options.open_side(path, ids=None, trust_pickle=trust_pickle)
        for path in (truth, bank)
    )
    known = None if real is None else (real, _paths(real, media, column))
    items = None if source_media is None else _paths(rows, source_media, "")
    model = _decoder(decoder, set_, weights=weights, device=device, dtype=dtype)
    _learn(model, known, decoder, seconds=seconds, size=size)
    linked: Pairs | Embeddings | None = true
    if pairs is not None and true is not None:
        linked = options.link(rows, true, pairs, None)
    plan = audition(
        rows,
        model,
        alignment=None if alignment is None else load_alignment(alignment),
        ids=options.names(wanted),
        n=n,
        seed=seed,
        bank=known,
        truth=linked,
        items=items,
        steps=steps,
        guidance=guidance,
    )
    files = _given(source=source, alignment=alignment, bank=bank, truth=truth, pairs=pairs)
    judge = None if encoder is None else _encoder(encoder, encoder_weights, device)
    with Ticker("drawing") as ticker:
        record = save_audition(
            plan, out, encoder=judge, batch=batch, force=force, inputs=files, tick=ticker.tick
        )
    if n > 1 and model.deterministic:
        note(f"{decoder} draws one and the same item each time: it was drawn once")
    _show(record, out, json=json)


def _given(**files: "Path | str | None") -> "dict[str, Path | str]":
    return {name: path for name, path in files.items() if path is not None}


def _paths(real: "Embeddings", media: Path | None, column: str) -> "np.ndarray":
    from alignkit.workflows._media_bank import bank_paths

    return bank_paths(real, media, column)


def _decoder(
    name: str, assignments: list[str] | None, *, weights: str | None, device: str, dtype: str
) -> "Decoder":
    import inspect

    from alignkit.decoders import DECODERS

    kind = DECODERS.get(name)
    known = {each.name: each.default for each in inspect.signature(kind).parameters.values()}
    placed = {"weights": weights, "device": device, "dtype": dtype}
    own = {key: value for key, value in known.items() if key not in placed}
    params: dict[str, Any] = options.method_params(name, own, assignments, None)
    if "weights" in known:
        return kind(**params, **placed)
    if weights is not None:
        raise ParameterError(f"{name} has no weights, it learns from --bank: leave --weights out.")
    return kind(**params)


def _learn(
    model: "Decoder",
    known: "tuple[Embeddings, np.ndarray] | None",
    name: str,
    *,
    seconds: float | None,
    size: int | None,
) -> None:
    from alignkit.decoders._base import Fitted
    from alignkit.workflows._media_bank import learning_items

    if not isinstance(model, Fitted):
        return
    if known is None:
        raise ParameterError(f"{name} learns from real items: give their rows with --bank.")
    model.fit(known[0], learning_items(model, known[1], seconds=seconds, size=size))


def _encoder(name: str, weights: str | None, device: str) -> "Encoder":
    from alignkit.encoders import ENCODERS

    return ENCODERS.get(name)(weights=weights, device=device)


def _show(record: dict[str, Any], out: Path, *, json: bool) -> None:
    for warning in record["warnings"]:
        note(f"warning: {warning}")
    if json:
        emit_json(record)
        return
    drawn = f"{len(record['files'])} media of {len(record['ids'])} items"
    lines = [str(out / "index.html"), drawn]
    for name, score in (record["scores"] or {}).items():
        lines.append(
            f"  {name:<15} {score['value']:.4f}  [{score['low']:.4f}, {score['high']:.4f}]  n={score['n']}"
        )
    emit("\n".join(lines))
