"""``alignkit explore``: look at everything under a folder, in a browser on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import emit, emit_json, note
from alignkit.errors import DataError, ParameterError

if TYPE_CHECKING:
    from alignkit.explorer.catalogue import Catalogue


OF_ATLAS = ("source", "target", "alignment", "view", "seed", "force")
OF_SERVER = ("port", "browser")


def command(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder with spaces, alignments, reports, auditions.")],
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 8501,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    export_atlas: Annotated[
        Path | None,
        typer.Option(help="Start nothing: write the map for embedding-atlas to this parquet file."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="With --export-atlas: a .space below the folder.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="With --export-atlas: the other .space.")] = None,
    alignment: Annotated[
        str | None, typer.Option(help="With --export-atlas: an .alignment below the folder.")
    ] = None,
    view: Annotated[str, typer.Option(help="With --export-atlas: pca, gap, umap or tsne.")] = "pca",
    seed: Annotated[int, typer.Option(min=0, help="With --export-atlas: draws points and layouts.")] = 0,
    listed: Annotated[
        bool, typer.Option("--list", help="Start nothing: print what would be shown, and what is broken.")
    ] = False,
    force: options.Force = False,
    json: Annotated[
        bool, typer.Option("--json", help="With --list or --export-atlas: print one JSON object.")
    ] = False,
) -> None:
    """Open the explorer on every space, alignment, report and audition under FOLDER.

    It answers on 127.0.0.1 alone, asks nothing of the network, and reads media from beneath FOLDER only.

    Example: `alignkit explore demo-report --list`
    """
    _check_together(context)
    if not folder.is_dir():
        raise DataError(
            f"{folder} is no folder: give one that holds .space folders, like `alignkit demo` writes."
        )
    from alignkit.explorer.catalogue import find_artifacts

    if export_atlas is None and not listed:
        from alignkit.explorer.server import check_extras, check_port, serve

        check_extras()
        check_port(port)
        _tell(find_artifacts(folder), port)
        serve(folder, port=port, browser=browser)
        return
    catalogue = find_artifacts(folder)
    if listed:
        _list(catalogue, json=json)
        return
    from alignkit.explorer.atlas import check_view

    check_view(view)
    if source is None or target is None:
        raise ParameterError(
            "--export-atlas needs --source and --target: two .space folders below the folder."
        )
    _export(catalogue, (source, target), alignment, Path(str(export_atlas)), (view, seed, force, json))


def _check_together(context: typer.Context) -> None:
    """Raise ParameterError for an option that says nothing beside, or nothing without, another one."""
    options.refuse_without(context, "export_atlas", OF_ATLAS)
    if options.is_given(context, "listed"):
        options.refuse_beside(context, ("export_atlas", *OF_SERVER), "does not go with --list")
    elif options.is_given(context, "export_atlas"):
        options.refuse_beside(context, OF_SERVER, "does not go with --export-atlas")
    elif options.is_given(context, "json"):
        raise ParameterError("--json belongs to --list or --export-atlas: give one of them as well.")


def _tell(catalogue: "Catalogue", port: int) -> None:
    broken = f"{len(catalogue.broken)} broken" if catalogue.broken else ""
    counts = ", ".join(words for words in (catalogue.told(), broken) if words)
    note(f"{catalogue.root}: {counts or 'no artifacts'}; open http://127.0.0.1:{port} (Ctrl-C ends it)")


def _list(catalogue: "Catalogue", *, json: bool) -> None:
    if json:
        rows = [{"kind": e.kind, "name": e.name, "fault": e.fault or None} for e in catalogue.entries]
        emit_json({"schema": "alignkit.explore/1", "folder": str(catalogue.root), "artifacts": rows})
        return
    lines = [f"{e.kind:<10}  {e.name}{e.fault and f'  broken: {e.fault}'}" for e in catalogue.entries]
    emit("\n".join(lines) or "no artifacts: make some with `alignkit demo --out DIR`")


def _export(
    catalogue: "Catalogue",
    names: tuple[str, str],
    alignment: str | None,
    out: Path,
    how: tuple[str, int, bool, bool],
) -> None:
    from alignkit.explorer.atlas import export_atlas
    from alignkit.formats import open_embeddings
    from alignkit.storage import load_alignment

    view, seed, force, json = how
    sides = [open_embeddings(_path(catalogue, "space", name)) for name in names]
    fitted = None if alignment is None else load_alignment(_path(catalogue, "alignment", alignment))
    count = export_atlas(sides, out, alignment=fitted, view=view, seed=seed, force=force)
    if json:
        emit_json({"schema": "alignkit.explore/1", "written": str(out), "points": count})
        return
    emit(str(out))
    words = "--x x --y y --neighbors neighbors --text caption"
    note(f"{count} points: open them with `embedding-atlas {out} {words}`")


def _path(catalogue: "Catalogue", kind: str, name: str) -> Path:
    found = next((e for e in catalogue.entries if e.kind == kind and e.name == name.rstrip("/")), None)
    if found is None:
        known = ", ".join(e.name for e in catalogue.entries if e.kind == kind) or "none"
        raise DataError(f"there is no {kind} {name!r} below {catalogue.root}; there are: {known}.")
    if found.fault:
        raise DataError(found.fault)
    return found.path
