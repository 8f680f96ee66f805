"""Options that several commands share, and what they are turned into."""

import ast
import difflib
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

Pairs: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="CSV or parquet with the columns source, target (ids) and, if wanted, group, weight."),
]
Group: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Metadata column whose equal values belong together, like a video or a speaker."),
]
Metrics: TypeAlias = Annotated[
    str, typer.Option(help="Comma-separated: mrr, hit@k, recall@k, precision@k, map@k, ...")
]
Ids: TypeAlias = Annotated[str | None, typer.Option(help="Column or array that holds the ids.")]
TrustPickle: TypeAlias = Annotated[
    bool,
    typer.Option("--trust-pickle", help="Read pickles that rebuild numpy or torch arrays and nothing else."),
]
Force: TypeAlias = Annotated[bool, typer.Option("--force", help="Replace an existing output.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


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


def link(source: "Embeddings", target: "Embeddings", pairs: Path | None, group: str | None) -> "PairsOf":
    """Pair two sides by a table, or else by id, and group the links where asked."""
    from alignkit.pairs import Pairs as PairsOf

    if pairs is None:
        links = PairsOf.by_id(source, target)
    else:
        links = PairsOf.from_table(source, target, _table(pairs), name=str(pairs))
    return links if group is None else links.grouped_by(group)


def note_join(links: "PairsOf") -> None:
    """Say how many rows joined, and warn where row numbers stood in for ids of unequal files."""
    joined = links.join()
    left_out = joined["source_unmatched"], joined["target_unmatched"]
    note(
        f"{joined['pairs']} pairs; left out: {left_out[0]} of {joined['source_rows']} source rows, "
        f"{left_out[1]} of {joined['target_rows']} target rows"
    )
    if any(left_out) and not (links.source.has_ids or links.target.has_ids):
        note("warning: neither file has ids and their row counts differ; row numbers were taken for ids")


def method_params(method: str, assignments: list[str] | None, normalize: str | None) -> dict[str, Any]:
    """Return the options of a method from ``NAME=VALUE`` texts; unknown names get a suggestion."""
    from alignkit.aligners import METHODS

    known = METHODS.get(method)().get_params()  # pyright: ignore[reportAttributeAccessIssue] - a scikit-learn estimator
    params: dict[str, Any] = {} if normalize is None else {"normalize": normalize}
    for assignment in assignments or []:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise ParameterError(f"--set {assignment} has no value: write NAME=VALUE, like --set alpha=0.1.")
        params[name.strip().replace("-", "_")] = _literal(value.strip())
    for name in params:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ParameterError(f"{method} has no option {name!r}.{hint} It has: {', '.join(known)}.")
    return params


def _literal(text: str) -> Any:
    try:
        return {"true": True, "false": False, "none": None}[text.lower()]
    except KeyError:
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _table(path: Path) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import csv

    if not path.is_file():
        raise DataError(
            f"{path} does not exist: give the CSV or parquet file that links source ids to target ids."
        )
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            return pq.read_table(path)
        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        return csv.read_csv(path, parse_options=csv.ParseOptions(delimiter=delimiter))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} could not be read as a table of pairs: {error}.") from error
