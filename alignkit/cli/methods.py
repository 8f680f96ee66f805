"""``alignkit methods``: what can be fitted, and with which options."""

from typing import Annotated

import typer

from alignkit.cli._output import emit, emit_json, option_lines


def command(
    name: Annotated[str | None, typer.Argument(help="Show the options of this method or preset.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the methods and presets that `alignkit fit --method` takes, or the options of one.

    Example: `alignkit methods procrustes`
    """
    _list_all(json) if name is None else _show(name, json)


def _list_all(json: bool) -> None:
    from alignkit import presets
    from alignkit.aligners import METHODS

    methods = {each: METHODS.summary(each) for each in METHODS.names()}
    recipes = {each: f"{presets.preset(each).method}: {presets.summary(each)}" for each in presets.names()}
    auto = "The method that does best in cross-validation on the training pairs, with paired tests."
    if json:
        emit_json(
            {"schema": "alignkit.methods/1", "methods": methods, "presets": recipes, "auto": {"auto": auto}}
        )
        return
    width = max(map(len, [*methods, *recipes]))
    for title, lines in (("methods", methods), ("chosen for you", {"auto": auto}), ("presets", recipes)):
        emit(f"{title}:")
        emit("\n".join(f"  {each:<{width}}  {summary}" for each, summary in lines.items()))


def _show(name: str, json: bool) -> None:
    from alignkit.aligners import METHODS
    from alignkit.presets import preset
    from alignkit.workflows._recipes import Recipe

    recipe = Recipe.of(name)
    options = recipe.options()
    facts = {"method": recipe.method, "summary": METHODS.summary(recipe.method), "options": options}
    if recipe.preset:
        found = preset(recipe.preset)
        facts |= {
            "preset": recipe.preset,
            "frames": found.frames,
            "paper": found.paper,
            "differences": found.differences,
        }
    if json:
        emit_json({"schema": "alignkit.method/1", **facts})
        return
    emit(f"{recipe.method}: {METHODS.summary(recipe.method)}")
    if recipe.preset:
        emit(f"preset {recipe.preset}: {facts['paper']}\nknown differences: {facts['differences']}")
        emit(
            f"frames of: {'every row of both sides' if facts['frames'] == 'all' else 'the rows of the pairs'}"
        )
    emit("\n" + option_lines(options))
