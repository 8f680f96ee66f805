"""``alignkit protocols``: the evaluation protocols that papers are known by."""

from typing import Annotated

import typer

from alignkit.cli._output import emit, emit_json, list_names


def command(
    name: Annotated[str | None, typer.Argument(help="Show the card of this protocol.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the protocols that `alignkit eval --protocol` takes, or show the card of one.

    A card says which rows ask and which are searched, what is right, which columns are needed, what the
    papers call the figures, their chance levels, and published figures with their sources.

    Example: `alignkit protocols coco-5k`
    """
    from alignkit.retrieval.protocols import PROTOCOLS

    if name is not None:
        card = PROTOCOLS.get(name).card
        emit_json(card.to_json()) if json else emit(card.text())
        return
    summaries = {each.replace("_", "-"): PROTOCOLS.summary(each) for each in PROTOCOLS.names()}
    list_names("protocols", summaries, json=json)
