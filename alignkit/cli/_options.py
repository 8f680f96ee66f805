"""Options that several commands share, and what they are turned into."""

import ast
import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from alignkit.cli._output import note
from alignkit.errors import DataError, ParameterError

if TYPE_CHECKING:
    import pyarrow as pa

    from alignkit.pairs import Pairs as PairsOf
    from alignkit.spaces import Embeddings

METRICS = "mrr,hit@1,hit@5,hit@10"
SPLITTING = "Split"

Pairs: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="CSV or parquet with the columns source, target (ids) and, if wanted, group, weight."),
]
Group: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Metadata column, of either side, whose equal values belong together: a video, a speaker."
    ),
]
Metrics: TypeAlias = Annotated[
    str, typer.Option(help="Comma-separated: mrr, hit@k, recall@k, precision@k, map@k, ...")
]
Ids: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Column or array that holds the ids; for .npy a file: ids.txt, table.csv::column."),
]
TrustPickle: TypeAlias = Annotated[
    bool,
    typer.Option("--trust-pickle", help="Read pickles that rebuild numpy or torch arrays and nothing else."),
]
FaissDevice: TypeAlias = Annotated[
    str, typer.Option(metavar="cpu|cuda|cuda:0,1", help="Where faiss works; several cards share an index.")
]
Float16: TypeAlias = Annotated[
    bool, typer.Option("--float16", help="Keep half-precision numbers on the cards.")
]
Force: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Replace an existing output of the same kind, and nothing else.")
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
SplitColumn: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Take the split from this column of the pairs or of either side: train, test.",
        rich_help_panel=SPLITTING,
    ),
]
GroupDuplicates: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--group-duplicates",
        help="Keep rows that nearly coincide on one side of the split.",
        rich_help_panel=SPLITTING,
    ),
]
AllowLeaks: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--allow-leaks",
        help="Count items and groups on both sides of a declared split instead of refusing them.",
        rich_help_panel=SPLITTING,
    ),
]
Report: TypeAlias = Annotated[
    Path | None, typer.Option("--out", help="Write the report to this file, like x.report.json.")
]


# what decides where a result goes and not what it is
OUTPUTS = (
    *("out", "json", "force", "figure", "record", "per_query", "save_run", "save_qrels", "depth"),
    *("fail_under", "format_"),
)


def is_given(context: typer.Context, name: str) -> bool:
    """Say whether an option was named on the command line, even with the value that it has by itself."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def command_line(context: typer.Context, *, without: Sequence[str] = ()) -> list[str]:
    """Return the words that ask for the same again: arguments, then every option that was given."""
    arguments, chosen = [], []
    for parameter in context.command.params:
        name = str(parameter.name)
        if name in without or not is_given(context, name):
            continue
        value = context.params[name]
        if parameter.param_type_name == "argument":
            arguments.append(str(value))
        elif isinstance(value, bool):
            chosen.append((parameter.opts if value else parameter.secondary_opts)[0])
        else:
            values = value if isinstance(value, list | tuple) else [value]
            chosen += [word for each in values for word in (parameter.opts[0], str(each))]
    return ["alignkit", str(context.info_name), *arguments, *chosen]


def remember(facts: dict[str, Any], context: typer.Context) -> None:
    """Put into the context of a report the words that compute it again, without those that write files."""
    facts["command"] = command_line(context, without=OUTPUTS)


def spelled(context: typer.Context, name: str) -> str:
    """Return how a parameter is written: ``--per-query``, or ``QUERIES`` where it is an argument."""
    for parameter in context.command.params:
        if parameter.name == name:
            return name.upper() if parameter.param_type_name == "argument" else parameter.opts[0]
    return name


def refuse_beside(context: typer.Context, names: Iterable[str], why: str) -> None:
    """Raise ParameterError if one of the parameters was given; ``why`` follows its name."""
    for name in names:
        if is_given(context, name):
            raise ParameterError(f"{spelled(context, name)} {why}: leave it out.")


def refuse_without(context: typer.Context, needed: str, names: Iterable[str]) -> None:
    """Raise ParameterError if one of the parameters was given, which mean nothing without ``needed``."""
    for name in () if is_given(context, needed) else names:
        if is_given(context, name):
            other = spelled(context, needed)
            raise ParameterError(f"{spelled(context, name)} belongs to {other}: give both, or neither.")


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """Return the whole numbers of a comma-separated list."""
    try:
        return tuple(int(part) for part in names(text))
    except ValueError as error:
        raise ParameterError(f"{option} {text}: write whole numbers, like 1,2,4,8.") from error


def names(text: str) -> tuple[str, ...]:
    """Return the parts of a comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def open_side(path: str, *, ids: str | None, trust_pickle: bool, space: str = "") -> "Embeddings":
    """Open one side's embeddings; ``space`` names the model where the file does not."""
    from alignkit.formats import open_embeddings

    embeddings = open_embeddings(path, ids=ids, trust_pickle=trust_pickle)
    if space:
        embeddings = embeddings.named(space)
    return embeddings


def with_column(rows: "Embeddings", given: str, name: str | None = None) -> "Embeddings":
    """Return rows with the metadata column that ``given`` names, called ``name`` where one is said.

    ``given`` is a column of theirs; else a file, named as ids are: labels.txt with a line for each row, or
    table.csv::column. Where it is neither, whoever reads the column says so.
    """
    import pyarrow as pa

    from alignkit.formats import read_id_file
    from alignkit.spaces import Embeddings

    name, beside, path = name or given, Path(rows.name), given.partition("::")[0]
    if given in rows.items.column_names:
        values = rows.items[given]
    elif any((folder / path).is_file() for folder in (beside.parent, Path())):
        values = read_id_file(given, beside)
    else:
        return rows
    if len(values) != len(rows):
        raise DataError(
            f"{given} has {len(values)} lines for the {len(rows)} rows of {rows.name}: give one for each."
        )
    others = [column for column in rows.items.column_names if column != name]
    return Embeddings(
        rows.vectors,
        ids=rows.ids if rows.has_ids else None,
        space=rows.space,
        modality=rows.modality,
        items=pa.table({**{column: rows.items[column] for column in others}, name: values}),
        name=rows.name,
    )


def link(
    source: "Embeddings",
    target: "Embeddings",
    pairs: Path | None,
    group: str | None,
    match: str | None = None,
) -> "PairsOf":
    """Pair two sides by a table, by equal values of a column or else by id; group the links where asked."""
    from alignkit.pairs import Pairs as PairsOf

    if pairs is not None and match is not None:
        raise ParameterError("--pairs and --match both say who belongs together: leave one of them out.")
    if match is not None:
        links = PairsOf.by_column(source, target, match)
    elif pairs is None:
        links = PairsOf.by_id(source, target)
    else:
        links = PairsOf.from_table(source, target, _table(pairs), name=str(pairs))
    if group is None:
        return links
    # either side may know the group, or both may: then all that either keeps together stays together
    known = [
        side for side, rows in (("source", source), ("target", target)) if group in rows.items.column_names
    ]
    for side in known:
        links = links.grouped_by(group, side=side)
    if not known:
        columns = [
            f"{rows.name} has {', '.join(rows.items.column_names) or 'none'}" for rows in (source, target)
        ]
        raise DataError(f"neither side has a metadata column {group!r} to group by: {'; '.join(columns)}.")
    return links


def note_join(links: "PairsOf", named: object = None) -> None:
    """Say how many rows joined, and warn where nothing but row numbers joined files of unequal length.

    ``named`` is whatever said who belongs together, or nothing.
    """
    joined = links.join()
    left_out = joined["source_unmatched"], joined["target_unmatched"]
    note(
        f"{joined['pairs']} pairs; left out: {left_out[0]} of {joined['source_rows']} source rows, "
        f"{left_out[1]} of {joined['target_rows']} target rows"
    )
    unequal = len(links.source) != len(links.target)
    if unequal and not named and not (links.source.has_ids or links.target.has_ids):
        note("warning: neither file has ids and their row counts differ; row numbers were taken for ids")
    bare = [side.name for side in (links.source, links.target) if not side.has_ids]
    if len(bare) == 1 and not named:
        note(f"warning: {bare[0]} has no ids; its row numbers were taken for the other side's ids")


def method_params(
    method: str, known: dict[str, Any], assignments: list[str] | None, normalize: str | None
) -> dict[str, Any]:
    """Return options from ``NAME=VALUE`` texts; a name that is not ``known`` gets a suggestion.

    ``known`` are the options of ``method`` with the values that they have otherwise.
    """
    params: dict[str, Any] = {}
    given = [] if normalize is None else [f"normalize={normalize}"]
    for assignment in [*given, *(assignments or [])]:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise ParameterError(f"--set {assignment} has no value: write NAME=VALUE, like --set alpha=0.1.")
        name = name.strip().replace("-", "_")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            has = f"It has: {', '.join(known)}." if known else "It has none."
            raise ParameterError(f"{method} has no option {name!r}.{hint} {has}")
        if name in params:
            raise ParameterError(
                f"{name} is set twice, to {params[name]!r} and to {value}: keep one of them."
            )
        params[name] = _literal(value.strip(), known[name])
    return params


def _literal(text: str, default: Any) -> Any:  # Any: whatever the option is by default
    """Return the value that ``text`` writes; a word stays a word where the option is one, like "none"."""
    if isinstance(default, str) and text.isidentifier():
        return text
    try:
        return {"true": True, "false": False, "none": None}[text.lower()]
    except KeyError:
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _table(path: Path) -> "pa.Table":
    from alignkit.formats import read_table

    if not path.is_file():
        state = "is no file" if path.exists() else "does not exist"
        raise DataError(f"{path} {state}: give the CSV or parquet file that links source ids to target ids.")
    return read_table(path, text=("source", "target", "group"))
