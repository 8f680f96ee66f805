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
    width = max(map(len, facts["card"]))
    emit("\n".join(f"  {key:<{width}}  {_shown(value)}" for key, value in facts["card"].items()))
    emit("\n" + option_lines(facts["options"]))


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


def _shown(value: Any) -> str:  # Any: a field of a card
    if value is None:
        return "decided by the weights, or none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value) or "none"
