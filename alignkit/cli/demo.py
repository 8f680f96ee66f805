"""``alignkit demo``: the whole tour, offline, on data that is already installed."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json, note


def command(
    out: Annotated[Path, typer.Option(help="Folder for the report, the spaces and the maps.")] = Path(
        "alignkit-demo"
    ),
    world: Annotated[
        Literal["digits", "factors"],
        typer.Option(help="Digits seen by two cameras, or pictures and sounds that share three factors."),
    ] = "digits",
    seed: Annotated[int, typer.Option(min=0, help="Draws the held-out digits and the resamples.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace what an earlier demo wrote there.")] = False,
    json: options.Json = False,
) -> None:
    """Fit, evaluate, measure and look: the whole tour on handwritten digits, offline, in half a minute.

    Two cameras see the same digit, each the squares that the other does not see. Four maps join their
    embeddings; the report shows who finds whom, how wide the gap is, and what a mapped row looks like.

    With --world factors, pictures of discs are mapped, sung, and their factors are read back from the sound.

    Example: `alignkit demo --out alignkit-demo`
    """
    if world == "factors":
        _factors(out, seed=seed, force=force, json=json)
        return
    from alignkit.demo.artifacts import check_folder, write_tour
    from alignkit.demo.summary import next_steps, summary
    from alignkit.demo.tour import run_tour

    check_folder(out, force=force)
    note("two cameras, four maps: this takes about twenty seconds")
    tour = run_tour(seed=seed)
    page = write_tour(tour, out, force=force)
    if json:
        steps = {"written": str(out), "report": str(page), "next": next_steps(out)}
        emit_json({**tour.report().to_json(), **steps})
        return
    emit("\n".join([str(page), "", *summary(tour), "", "try next", *(f"  {s}" for s in next_steps(out))]))


def _factors(out: Path, *, seed: int, force: bool, json: bool) -> None:
    from alignkit.demo.factor_audition import verdict, write_factors
    from alignkit.tables import text

    page, report = write_factors(out, seed=seed, force=force)
    if json:
        emit_json({**report.to_json(), "written": str(out), "report": str(page)})
        return
    head = "error of each factor, which runs from 0 to 1, read back from the sound"
    emit(f"{page}\n\n{head}\n{text(report)}\n\n{verdict(report)}")
