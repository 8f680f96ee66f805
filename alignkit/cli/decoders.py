"""``alignkit decoders``: what can draw a row of a space, and its options."""

from typing import Annotated, Any

import typer

from alignkit.cli._output import emit, emit_json, list_names, option_lines


def command(
    name: Annotated[str | None, typer.Argument(help="Show the card and the options of this decoder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the decoders that `alignkit audition --decoder` takes, or the card of one.

    Example: `alignkit decoders mel_ridge`
    """
    from alignkit.decoders import DECODERS

    if name is None:
        list_names("decoders", {each: DECODERS.summary(each) for each in DECODERS.names()}, json=json)
        return
    facts = _facts(DECODERS.check(name))
    if json:
        emit_json({"schema": "alignkit.decoder/1", **facts})
        return
    emit(f"{facts['decoder']}: {facts['summary']}\n")
    shown = {"made by": facts["learns_from"], **facts["card"], "deterministic": facts["deterministic"]}
    width = max(map(len, shown))
    emit("\n".join(f"  {key:<{width}}  {_shown(value)}" for key, value in shown.items()))
    emit("\n" + option_lines(facts["options"]))


def _facts(name: str) -> dict[str, Any]:
    import inspect
    from dataclasses import asdict

    from alignkit.decoders import DECODERS
    from alignkit.decoders._base import Fitted

    kind = DECODERS.get(name)
    parameters = inspect.signature(kind).parameters.values()
    placed = ("weights", "device", "dtype")
    return {
        "decoder": name,
        "summary": DECODERS.summary(name),
        "learns_from": "--bank" if issubclass(kind, Fitted) else "--weights",
        "deterministic": kind.deterministic,
        "card": asdict(kind.facts),
        "options": {each.name: each.default for each in parameters if each.name not in placed},
    }


def _shown(value: Any) -> str:  # Any: a fact of a decoder
    if isinstance(value, bool):
        return "yes" if value else "no"
    lengths = {
        "direction": "rows of any length: only their direction counts",
        "unit": "rows of length 1",
        "raw": "rows as long as the model gives them",
    }
    return "none" if value is None else lengths.get(str(value), str(value) or "not stated")
