"""``alignkit encoders``: what can encode items, and the card of each."""

from typing import Annotated, Any

import typer

from alignkit.cli._output import emit, emit_json, list_names, option_lines


def command(
    name: Annotated[str | None, typer.Argument(help="Show the card and the options of this encoder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the encoders that `alignkit embed --encoder` takes, or the card of one.

    Example: `alignkit encoders clip`
    """
    from alignkit.encoders import ENCODERS

    if name is None:
        list_names("encoders", {each: ENCODERS.summary(each) for each in ENCODERS.names()}, json=json)
        return
    facts = _facts(ENCODERS.check(name))
    if json:
        emit_json({"schema": "alignkit.encoder/1", **facts})
        return
    emit(f"{facts['encoder']}: {facts['summary']}\n")
    rows = _rows(facts["card"])
    width = max(map(len, rows))
    emit("\n".join(f"  {key:<{width}}  {value}" for key, value in rows.items()))
    emit("\n" + option_lines(facts["options"], ENCODERS.get(facts["encoder"]).option_notes()))


def _facts(name: str) -> dict[str, Any]:
    from dataclasses import asdict

    from alignkit.encoders import ENCODERS

    kind = ENCODERS.get(name)
    own = {key: value for key, value in kind.options().items() if key not in ("weights", "device", "dtype")}
    return {
        "encoder": name,
        "summary": ENCODERS.summary(name),
        "card": asdict(kind.card),
        "options": own,
    }


def _rows(card: dict[str, Any]) -> dict[str, str]:  # Any: the fields of a card
    """Return what a card says of this encoder, in words; fields that are not for it are left out."""
    unfit = {"sample_rate": "audio", "image_size": "image"}
    rows = {}
    for key, value in card.items():
        if unfit.get(key, card["modalities"][0]) not in card["modalities"] or (key == "golden" and not value):
            continue
        if value is None:
            rows[key] = "decided by the weights"
        elif key == "batch_tolerance":
            rows[key] = f"{value:g} of its length: how far a row may differ in another batch"
        elif key == "shared":
            if value:
                rows[key] = f"its rows meet those of {card['space']}, into whose space it was trained"
        else:
            rows[key] = (", ".join(map(str, value)) if isinstance(value, tuple) else str(value)) or "none"
    return rows
