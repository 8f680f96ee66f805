"""``alignkit methods``: what can be fitted, and with which options."""

from typing import Annotated

import typer

from alignkit.cli._output import emit, emit_json


def command(
    name: Annotated[str | None, typer.Argument(help="Show the options of this method.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the methods that `alignkit fit --method` takes, or the options of one.

    Example: `alignkit methods procrustes`
    """
    from alignkit.aligners import METHODS

    if name is None:
        summaries = {each: METHODS.summary(each) for each in METHODS.names()}
        width = max(map(len, summaries))
        emit_json({"schema": "alignkit.methods/1", "methods": summaries}) if json else emit(
            "\n".join(f"{each:<{width}}  {summary}" for each, summary in summaries.items())
        )
        return
    name = METHODS.check(name)
    defaults = METHODS.get(name)().get_params()  # pyright: ignore[reportAttributeAccessIssue] - a scikit-learn estimator
    if json:
        facts = {"method": name, "summary": METHODS.summary(name), "options": defaults}
        emit_json({"schema": "alignkit.method/1", **facts})
        return
    emit(f"{name}: {METHODS.summary(name)}\n\noptions, given as --set NAME=VALUE, with their defaults:")
    emit("\n".join(f"  {option} = {value!r}" for option, value in defaults.items()))
