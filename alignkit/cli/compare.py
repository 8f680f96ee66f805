"""``alignkit compare``: methods side by side on the same held-out queries, with paired tests."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from alignkit.cli import _options as options
from alignkit.cli._output import check_figure, drawn, emit, note, write_figure
from alignkit.errors import ParameterError

if TYPE_CHECKING:
    from alignkit.pairs import Pairs
    from alignkit.retrieval.comparison import Comparison

Format: TypeAlias = Literal["text", "markdown", "csv", "tests-csv", "latex", "json"]
JSON = "compare.json"
# what a folder holds: the object, and everything that is made from it
FILES: dict[str, Format] = {
    JSON: "json",
    "scores.txt": "text",
    "scores.md": "markdown",
    "scores.csv": "csv",
    "tests.csv": "tests-csv",
    "scores.tex": "latex",
}
FIGURE = "scores.svg"
SOURCES, OUTPUT = "What is compared", "Output"
# what makes sense only where something is computed
OF_COMPUTING = (
    *("source", "target", "methods", "alignments", "tables", "metrics", "pairs", "group", "baseline"),
    *("correction", "test", "seeds", "seed", "split_column", "group_duplicates", "allow_leaks"),
    *("without_positive", "resamples", "ids", "trust_pickle"),
)


def command(
    context: typer.Context,
    source: Annotated[
        str | None, typer.Argument(help="Embeddings to map from; they ask in the forward direction.")
    ] = None,
    target: Annotated[str | None, typer.Argument(help="Embeddings to map to.")] = None,
    methods: Annotated[
        str,
        typer.Option(
            help="Comma-separated methods and presets; see `alignkit methods`.", rich_help_panel=SOURCES
        ),
    ] = "",
    alignments: Annotated[
        list[str] | None,
        typer.Option(
            help="A fitted map, PATH or NAME=PATH; repeatable. Without --methods scored on all pairs.",
            rich_help_panel=SOURCES,
        ),
    ] = None,
    tables: Annotated[
        list[str] | None,
        typer.Option(
            help="A folder that `alignkit eval --per-query` wrote, PATH or NAME=PATH; repeatable.",
            rich_help_panel=SOURCES,
        ),
    ] = None,
    from_: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Compute nothing: show what --out wrote before.", rich_help_panel=SOURCES
        ),
    ] = None,
    metrics: options.Metrics = "mrr,hit@1",
    pairs: options.Pairs = None,
    group: options.Group = None,
    baseline: Annotated[
        str | None,
        typer.Option(help="Test all others against this one alone, which leaves more power."),
    ] = None,
    correction: Annotated[
        Literal["holm", "bh"],
        typer.Option(help="For the number of tests: Holm, or Benjamini and Hochberg."),
    ] = "holm",
    test: Annotated[
        float, typer.Option(help="Share of pairs held out.", rich_help_panel=options.SPLITTING)
    ] = 0.3,
    seeds: Annotated[
        int, typer.Option(min=1, help="Number of splits, from --seed on.", rich_help_panel=options.SPLITTING)
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Draws the splits, the intervals and the tests.")] = 0,
    split_column: options.SplitColumn = None,
    group_duplicates: options.GroupDuplicates = False,
    allow_leaks: options.AllowLeaks = False,
    without_positive: Annotated[
        Literal["error", "skip", "zero"],
        typer.Option(help="What a query without a partner means, where maps are scored on all rows."),
    ] = "error",
    resamples: Annotated[
        int, typer.Option(help="Bootstrap resamples behind each score's interval.")
    ] = 10_000,
    format_: Annotated[
        Format, typer.Option("--format", help="What is printed.", rich_help_panel=OUTPUT)
    ] = "text",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write a file like x.compare.json for --from, or a folder with every format.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw values and intervals: .svg or .png.", rich_help_panel=OUTPUT)
    ] = None,
    ids: options.Ids = None,
    trust_pickle: options.TrustPickle = False,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Score methods on the same held-out queries, test every difference, and say which ones are real.

    The letters beside a score name the methods that it beats, by paired sign flips over groups of queries,
    corrected for all tests of the table together. Fitted maps and the per-query tables of other programs
    can stand beside methods; --from makes any table again from what --out wrote.

    Example: `alignkit compare text.npy images.npy --methods identity,procrustes,ridge --seeds 3`
    """
    from alignkit.storage import load_comparison

    shown: Format = "json" if json else format_
    _check_outputs(out, figure, force=force)
    if from_ is not None:
        options.refuse_beside(context, OF_COMPUTING, "does not go with --from, which computes nothing")
        found = load_comparison(from_)
    else:
        from alignkit.retrieval.protocol import Protocol
        from alignkit.workflows import Splits, compare

        protocol = Protocol(
            metrics=options.names(metrics), without_positive=without_positive, resamples=resamples, seed=seed
        )
        splits = Splits(test, range(seed, seed + seeds), split_column, group_duplicates, allow_leaks)
        given = _opened(alignments or [], tables or [])
        links = _linked(source, target, (pairs, group), ids=ids, trust_pickle=trust_pickle)
        found = compare(
            links,
            options.names(methods),
            alignments=_between(given[0], links),
            tables=given[1],
            splits=splits,
            protocol=protocol,
            baseline=baseline,
            correction=correction,
        )
        options.remember(found.context, context)
        if links is not None:
            options.note_join(links, pairs)
    _write(found, out, figure, force=force)
    emit(rendered(found, shown).removesuffix("\n"))
    if shown not in ("text", "markdown"):
        for sentence in found.warnings():
            note(f"warning: {sentence}")


def rendered(comparison: "Comparison", form: Format) -> str:
    """Return a comparison in one of the formats."""
    from alignkit import comparison_tables as made
    from alignkit.storage import comparison_json

    makers: dict[str, Callable[[Comparison], str]] = {
        "text": made.text,
        "markdown": made.markdown,
        "csv": made.csv,
        "tests-csv": made.tests_csv,
        "latex": made.latex,
        "json": comparison_json,
    }
    return makers[form](comparison)


def _check_outputs(out: Path | None, figure: Path | None, *, force: bool) -> None:
    from alignkit.atomic import check_writable

    if out is not None:
        check_writable(out, force=force, names=() if _is_file(out) else (*FILES, FIGURE))
    check_figure(figure, force=force)


def _is_file(out: Path) -> bool:
    return out.suffix == ".json"


def _opened(alignments: list[str], tables: list[str]) -> tuple[dict[str, str], dict]:
    """Return the paths of the maps and the tables of other runs, by their names."""
    from alignkit.storage import load_tables

    maps, folders = _named(alignments, "--alignments"), _named(tables, "--tables")
    return maps, {name: load_tables(path) for name, path in folders.items()}


def _named(given: list[str], option: str) -> dict[str, str]:
    """Return the path of each name; a path without one is called like its file."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or Path(text).exists():
            name, path = Path(text).stem, text
        if not name or not path:
            raise ParameterError(f"{option} {text}: write PATH or NAME=PATH.")
        if name in found:
            raise ParameterError(f"{option}: two are called {name!r}; write NAME=PATH to name one otherwise.")
        found[name] = path
    return found


def _linked(
    source: str | None,
    target: str | None,
    joining: tuple[Path | None, str | None],
    *,
    ids: str | None,
    trust_pickle: bool,
) -> "Pairs | None":
    if source is None and target is None:
        if joining[0] is not None or joining[1] is not None:
            raise ParameterError("--pairs and --group speak of embeddings: name SOURCE and TARGET.")
        return None
    if source is None or target is None:
        raise ParameterError("name two embeddings, SOURCE and TARGET; only tables are compared without.")
    sides = [options.open_side(path, ids=ids, trust_pickle=trust_pickle) for path in (source, target)]
    return options.link(sides[0], sides[1], *joining)


def _between(paths: dict[str, str], links: "Pairs | None") -> dict:
    from alignkit.storage import load_between

    if paths and links is None:
        raise ParameterError("--alignments are scored on embeddings: name SOURCE and TARGET.")
    return {name: load_between(path, *links.sides) for name, path in paths.items()} if links else {}


def _write(found: "Comparison", out: Path | None, figure: Path | None, *, force: bool) -> None:
    from alignkit.atomic import replacing
    from alignkit.plots import forest
    from alignkit.storage import save_comparison

    if out is not None and _is_file(out):
        save_comparison(found, out, force=force)
    elif out is not None:
        with replacing(out, force=force) as folder:
            folder.mkdir()
            for name, form in FILES.items():
                (folder / name).write_text(rendered(found, form), encoding="utf-8", errors="backslashreplace")
            (folder / FIGURE).write_bytes(drawn(forest(found), FIGURE))
    if figure is not None:
        write_figure(forest(found), figure, force=force)
    for path in (out, figure):
        if path is not None:
            note(f"written: {path}")
